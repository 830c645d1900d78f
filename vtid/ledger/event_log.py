"""The event log: every event once, at a position that readers can follow without missing any."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Table, Text, bindparam, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from vtid.domain.events import SYSTEM, OutsideEvent, RunEvent
from vtid.domain.stages import Stage
from vtid.ledger.database import Database, insert_into
from vtid.ledger.feed import CHANNEL, EventFeed
from vtid.ledger.models import Event
from vtid.ledger.records import LoggedEvent

_APPEND_LOCK = text("SELECT pg_advisory_xact_lock(7235002)")
_INSERT = insert(cast(Table, Event.__table__))
_LAST_POSITION = select(func.max(Event.position))
_NOTIFY = select(func.pg_notify(CHANNEL, bindparam("position", type_=Text)))
MOST_EVENTS = 1_000  # of one read


class Appended(NamedTuple):
    position: int
    seq: int | None


async def append(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> Sequence[Appended]:
    """Append what is not there yet; the answer tells the new ones, in order.

    Lock the rows that the transaction changes before: on PostgreSQL this waits for every other appender.
    """
    if not rows:
        return ()
    postgres = session.get_bind().dialect.name == "postgresql"
    if postgres:
        # A sequence gives numbers before the commit. Without this lock a later number may become visible
        # first, and a reader whose cursor has passed it never sees the earlier one.
        await session.execute(_APPEND_LOCK)
    statement = insert_into(session, Event.__table__).on_conflict_do_nothing()
    added = await session.execute(statement.returning(Event.position, Event.seq), [dict(row) for row in rows])
    new = sorted(Appended(*row) for row in added)
    if new and postgres:
        await session.execute(_NOTIFY, {"position": str(new[-1].position)})
    return new


def append_to_run(connection: Connection, events: Sequence[RunEvent]) -> int:
    """Append events of a run whose row is locked, all of them new; the position of the last one."""
    postgres = connection.dialect.name == "postgresql"
    if postgres:
        connection.execute(_APPEND_LOCK)
    connection.execute(_INSERT, [run_event_row(event) for event in events])
    position: int = connection.execute(_LAST_POSITION).scalar_one()
    if postgres:
        connection.execute(_NOTIFY, {"position": str(position)})
    return position


def run_event_row(event: RunEvent) -> dict[str, Any]:
    """The row of a run's event."""
    return {
        "id": None,
        "run_id": event.run_id,
        "seq": event.seq,
        "vtid": event.vtid,
        "type": event.type,
        "stage": event.stage,
        "at": event.at,
        "actor": event.actor,
        "data": event.data,
    }


def outside_event_row(event: OutsideEvent) -> dict[str, Any]:
    """The row of an event that no workflow told."""
    return {
        "id": event.id,
        "run_id": None,
        "seq": None,
        "vtid": event.vtid,
        "type": event.type,
        "stage": None,
        "at": event.at,
        "actor": event.actor,
        "data": event.data,
    }


async def tell(
    session: AsyncSession, kind: str, vtid: str | None = None, *, by: str = SYSTEM, key: str = "", **data: Any
) -> int | None:
    """Append an event of ours. A `key` makes a repeat harmless; the answer is then None."""
    event = OutsideEvent(
        f"{kind}:{key or uuid.uuid4().hex}", kind, datetime.now(UTC), vtid, by or SYSTEM, data
    )
    new = await append(session, [outside_event_row(event)])
    return new[0].position if new else None


def logged(row: Event) -> LoggedEvent:
    """The record of a row."""
    return LoggedEvent(
        position=row.position,
        id=row.id or f"{row.run_id}:{row.seq}",
        run_id=row.run_id,
        seq=row.seq,
        vtid=row.vtid,
        type=row.type,
        stage=row.stage,
        at=row.at,
        actor=row.actor,
        data=row.data,
    )


def run_event(row: Event | LoggedEvent) -> RunEvent:
    """A stored event of a run in the domain's terms."""
    return RunEvent(
        run_id=row.run_id or "",
        seq=row.seq or 0,
        vtid=row.vtid or "",
        type=row.type,
        at=row.at,
        stage=Stage(row.stage) if row.stage else None,
        actor=row.actor,
        data=row.data,
    )


class Events:
    """Reading the log, and appending events from outside a run."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._feed = EventFeed(database, self.last_position)

    async def append(self, event: OutsideEvent) -> int | None:
        """Append once per id; the position, or None when the id existed."""
        async with self._database.write() as session:
            new = await append(session, [outside_event_row(event)])
        return int(new[0].position) if new else None

    async def read(self, *, vtid: str | None = None, after: int = 0, limit: int = 500) -> list[LoggedEvent]:
        """The next events after a position, oldest first; at most 1,000."""
        query = select(Event).where(Event.position > after).order_by(Event.position)
        if vtid is not None:
            query = query.where(Event.vtid == vtid)
        return await self._all(query.limit(max(1, min(limit, MOST_EVENTS))))

    async def latest(self, vtid: str, limit: int) -> list[LoggedEvent]:
        """The last events of a task, newest first."""
        query = select(Event).where(Event.vtid == vtid).order_by(Event.position.desc())
        return await self._all(query.limit(max(1, min(limit, MOST_EVENTS))))

    async def of_type(self, kind: str, *, before: int | None = None, limit: int = 50) -> list[LoggedEvent]:
        """Events of one type, newest first; `before` is the position of the last one already seen."""
        query = select(Event).where(Event.type == kind).order_by(Event.position.desc())
        if before is not None:
            query = query.where(Event.position < before)
        return await self._all(query.limit(max(1, min(limit, MOST_EVENTS))))

    async def of_run(self, run_id: str, *, upto: int | None = None) -> list[LoggedEvent]:
        """Every event of a run up to a position, in order: folded, they give the view as of then."""
        query = select(Event).where(Event.run_id == run_id).order_by(Event.position)
        if upto is not None:
            query = query.where(Event.position <= upto)
        return await self._all(query)

    async def last_position(self) -> int:
        """The position of the newest event, 0 when there is none."""
        async with self._database.read() as session:
            return await session.scalar(select(func.max(Event.position))) or 0

    async def more(self, after: int, timeout: float) -> bool:  # noqa: ASYNC109 - False, not an error, when it ends
        """Wait until the log has an event after this position; False when `timeout` seconds bring none."""
        return await self._feed.more(after, timeout)

    async def close(self) -> None:
        """End the waiting."""
        await self._feed.close()

    async def _all(self, query: Any) -> list[LoggedEvent]:
        async with self._database.read() as session:
            return [logged(row) for row in (await session.scalars(query)).all()]
