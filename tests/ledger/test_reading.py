"""A look at the ledger is of one moment, on both databases: what is asked second fits to what was asked first."""

from sqlalchemy import func, select

from tests.ledger.builders import task
from vtid.ledger import Ledger
from vtid.ledger.database import Database
from vtid.ledger.models import Event, Task


async def test_what_is_written_during_a_look_belongs_to_the_next_one(
    ledger: Ledger, database: Database
) -> None:
    async with database.read() as session:
        tasks = await session.scalar(select(func.count()).select_from(Task))
        await task(ledger)
        events = await session.scalar(select(func.count()).select_from(Event))

    assert (tasks, events) == (0, 0)
