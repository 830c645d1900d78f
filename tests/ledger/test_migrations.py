import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from tests.ledger.builders import task
from tests.ledger.databases import new_database
from vtid.ledger import Ledger, NotMigrated
from vtid.ledger.database import Database
from vtid.ledger.ledger import HEAD
from vtid.ledger.migrate import SCRIPTS, downgrade, head_of, migrate
from vtid.ledger.models import Base

APPEND_ONLY = {"events", "audit"}


@pytest.fixture(params=["sqlite", "postgres"])
async def empty(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'new' / 'ledger.db'}"
    else:
        async with new_database(request.getfixturevalue("postgres")) as url:
            yield url


async def triggers(database: Database) -> set[str]:
    """Every verb that is forbidden on a table, like `delete events`."""
    sqlite = "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"
    postgres = "SELECT event_object_table, lower(event_manipulation) FROM information_schema.triggers"
    async with database.read() as session:
        rows = (await session.execute(text(sqlite if database.is_sqlite else postgres))).all()
    return {f"{name.split('_')[-1]} {table}" for table, name in rows}


async def test_an_empty_database_gets_exactly_the_tables_of_the_models(empty: str) -> None:
    await asyncio.to_thread(migrate, empty)

    database = Database(empty)
    async with database.transaction() as connection:
        context = await connection.run_sync(
            lambda each: compare_metadata(MigrationContext.configure(each), Base.metadata)
        )
    await database.close()

    assert context == []
    assert await asyncio.to_thread(head_of, empty) == HEAD


async def test_migrating_twice_or_down_and_up_again_ends_the_same(empty: str) -> None:
    await asyncio.to_thread(migrate, empty)
    await asyncio.to_thread(migrate, empty)
    await asyncio.to_thread(downgrade, empty)
    assert await asyncio.to_thread(head_of, empty) is None
    await asyncio.to_thread(migrate, empty)

    database = Database(empty)
    forbidden = await triggers(database)
    async with database.transaction() as connection:
        tables = await connection.run_sync(lambda each: set(inspect(each).get_table_names()))
    await database.close()

    assert {f"{verb} {table}" for verb in ("update", "delete") for table in APPEND_ONLY} <= forbidden
    assert tables == set(Base.metadata.tables) | {"alembic_version"}


async def test_two_programs_that_migrate_at_once_do_not_collide(empty: str) -> None:
    await asyncio.gather(asyncio.to_thread(migrate, empty), asyncio.to_thread(migrate, empty))

    assert await asyncio.to_thread(head_of, empty) == HEAD


def test_the_program_needs_the_newest_migration() -> None:
    assert ScriptDirectory(str(SCRIPTS)).get_current_head() == HEAD


async def test_a_database_without_tables_is_refused_with_advice(empty: str) -> None:
    Path(empty.removeprefix("sqlite+aiosqlite:///")).parent.mkdir(
        exist_ok=True
    ) if "sqlite" in empty else None

    with pytest.raises(NotMigrated, match="vtid migrate"):
        await Ledger.open(empty)


@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
async def test_nobody_rewrites_the_log_or_the_audit(
    ledger: Ledger, database: Database, statement: str
) -> None:
    if database.is_sqlite and statement.startswith("TRUNCATE"):
        statement = "DELETE FROM {}"  # SQLite has no other way to empty a table
    await task(ledger)
    await ledger.audit.record(who="ann", role="admin", verb="create", target="x", detail={}, request_id="1")

    for table, column in (("events", "type"), ("audit", "verb")):
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.write() as session:
                await session.execute(text(statement.format(table, column)))

    assert [each.type for each in await ledger.events.read()] == ["task.created", "spec.put"]
    assert len(await ledger.audit.list()) == 1
