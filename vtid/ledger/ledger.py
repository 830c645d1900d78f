"""The ledger: one object with everything that is kept, by subject."""

from sqlalchemy import inspect, select, text

from vtid.ledger.audit import Audit
from vtid.ledger.board import Board
from vtid.ledger.database import BUSY_SECONDS, Database
from vtid.ledger.dead_letters import DeadLetters
from vtid.ledger.deliveries import Deliveries
from vtid.ledger.errors import NotMigrated
from vtid.ledger.event_log import Events
from vtid.ledger.idempotency import Idempotency
from vtid.ledger.journal import JournalStore
from vtid.ledger.keys import Keys
from vtid.ledger.memory import Memory
from vtid.ledger.needs import NeedsYou
from vtid.ledger.orders import Orders
from vtid.ledger.outbox import Outbox
from vtid.ledger.runs import Runs
from vtid.ledger.serving import ServingStore
from vtid.ledger.spec_versions import SpecVersions
from vtid.ledger.statistics import Statistics
from vtid.ledger.subscriptions import Subscriptions
from vtid.ledger.switch import Switch
from vtid.ledger.tasks import Tasks
from vtid.ledger.workers import Workers

HEAD = "0006"  # the revision that this program needs; a test holds it equal to the newest migration


class Ledger:
    """Open it with `await Ledger.open(url)`, share it in the whole process, close it at the end."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.events = Events(database)
        self.tasks = Tasks(database)
        self.spec_versions = SpecVersions(database)
        self.board = Board(database)
        self.needs = NeedsYou(database)
        self.statistics = Statistics(database)
        self._memory = Memory(database)
        self.runs = Runs(database, self._memory)
        self.orders = Orders(database, self._memory)
        self.switch = Switch(database)
        self.journal = JournalStore(database, self.switch)
        self.dead_letters = DeadLetters(database)
        self.subscriptions = Subscriptions(database)
        self.outbox = Outbox(database)
        self.keys = Keys(database)
        self.idempotency = Idempotency(database)
        self.workers = Workers(database)
        self.deliveries = Deliveries(database)
        self.serving = ServingStore(database)
        self.audit = Audit(database)

    @classmethod
    async def open(cls, url: str, *, busy_seconds: float = BUSY_SECONDS) -> "Ledger":
        """A ledger on a migrated database, waiting at most so long for a lock. Raises LedgerUnavailable, NotMigrated."""
        database = Database(url, busy_seconds=busy_seconds)
        try:
            await _check_revision(database)
        except BaseException:
            await database.close()
            raise
        return cls(database)

    async def close(self) -> None:
        """Stop listening and close every connection."""
        await self.events.close()
        self._memory.close()
        await self._database.close()

    def changes(self) -> int | None:
        """A count that moves whenever anything is written; None where there is none. Raises LedgerUnavailable."""
        return self._memory.changes()

    async def ping(self) -> None:
        """Ask the database anything. Raises LedgerUnavailable."""
        async with self._database.read() as session:
            await session.execute(select(1))


async def _check_revision(database: Database) -> None:
    async with database.read() as session:
        there = await session.run_sync(lambda each: inspect(each.connection()).has_table("alembic_version"))
        found = await session.scalar(text("SELECT version_num FROM alembic_version")) if there else None
    if found != HEAD:
        raise NotMigrated(
            f"the ledger {database.url.render_as_string()} is at revision {found or 'none'}, "
            f"and this program needs {HEAD}: run `vtid migrate`"
        )
