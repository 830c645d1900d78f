import asyncio

import pytest
from sqlalchemy import text

from tests.ledger.builders import VTID, Course, task
from vtid.domain.errors import Unavailable
from vtid.ledger import Ledger, LedgerUnavailable
from vtid.ledger.database import Database


async def test_a_database_that_stays_locked_is_told_and_nothing_is_stored(sqlite_url: str) -> None:
    ledger, holder = await Ledger.open(sqlite_url, busy_seconds=0.1), Database(sqlite_url)

    async with holder.write() as session:
        await session.execute(text("SELECT 1"))  # the lock is taken with the first statement
        with pytest.raises(LedgerUnavailable, match="locked"):
            await Course(ledger).begins()
        assert await ledger.events.read() == []
    await Course(ledger).begins()

    assert len(await ledger.events.read()) == 3
    await holder.close()
    await ledger.close()


async def test_a_writer_that_is_cancelled_while_it_waits_leaves_no_lock_behind(sqlite_url: str) -> None:
    ledger, holder = await Ledger.open(sqlite_url, busy_seconds=0.5), Database(sqlite_url)

    async with holder.write() as session:
        await session.execute(text("SELECT 1"))
        waiting = [asyncio.create_task(task(ledger, None)) for _ in range(3)]
        await asyncio.wait(waiting, timeout=0.1)
        for each in waiting:
            each.cancel()
        ended = await asyncio.gather(*waiting, return_exceptions=True)

    assert all(isinstance(each, asyncio.CancelledError) for each in ended)
    assert (await task(ledger, None)).vtid == "VTID-00001"
    async with holder.write() as session:
        await session.execute(text("SELECT 1"))
    await holder.close()
    await ledger.close()


async def test_a_call_that_is_cancelled_half_way_is_undone(ledger: Ledger, database: Database) -> None:
    async def stops_half_way() -> None:
        async with database.write() as session:
            await session.execute(text("INSERT INTO workers VALUES ('w1', '2026-11-23', '2026-11-23')"))
            await asyncio.sleep(60)

    stopped = asyncio.create_task(stops_half_way())
    await asyncio.wait({stopped}, timeout=0.1)
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)

    await ledger.workers.seen("w2")
    assert [each.worker_id for each in await ledger.workers.list(seen_within_seconds=1e9)] == ["w2"]


async def test_readers_do_not_wait_for_a_writer(ledger: Ledger, database: Database) -> None:
    await task(ledger)

    async with database.write() as session:
        await session.execute(text("UPDATE tasks SET title = 'meanwhile'"))
        title = (await ledger.tasks.get(VTID)).title

    assert title == "A shop"


async def test_a_lost_connection_is_told_and_the_next_call_works(postgres_url: str) -> None:
    ledger, killer = await Ledger.open(postgres_url), Database(postgres_url)
    await ledger.ping()

    async with killer.write() as session:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        await session.execute(text(f"{others} AND pid <> pg_backend_pid()"))
    with pytest.raises(LedgerUnavailable):
        await ledger.ping()
    await ledger.ping()

    await killer.close()
    await ledger.close()


async def test_a_listener_hears_that_the_database_is_gone(postgres_url: str) -> None:
    ledger, killer = await Ledger.open(postgres_url), Database(postgres_url)
    listener = asyncio.create_task(ledger.events.more(0, timeout=10))
    await asyncio.wait({listener}, timeout=0.2)

    async with killer.write() as session:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        await session.execute(text(f"{others} AND pid <> pg_backend_pid()"))

    with pytest.raises(LedgerUnavailable):
        await listener
    await killer.close()
    await ledger.close()


@pytest.mark.parametrize(
    "address",
    ["postgresql+asyncpg://ledger@127.0.0.1:1/nothing", "sqlite+aiosqlite:////no/such/folder/ledger.db"],
)
async def test_a_database_that_is_not_there_can_be_tried_later(address: str) -> None:
    with pytest.raises(Unavailable) as error:
        await Ledger.open(address)

    assert error.value.system == "LEDGER"
