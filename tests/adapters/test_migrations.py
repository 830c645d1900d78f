"""Migrations of a commit on the simulated GitHub, held against a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest

from tests.adapters.conftest import Sim
from tests.ledger.databases import ask, new_database
from tests.ledger.postgres import postgres_server
from vtid.adapters.postgres_migrations import PostgresMigrations
from vtid.domain.errors import BadReply, Denied, Missing, OutsideError, Unavailable
from vtid.domain.migrations import DatabaseSeen, Migrations, Tool, compare

URL = "SHOP_DATABASE_URL"
SQL = Migrations(Tool.SQL, "db", "schema_migrations", URL)
PRISMA = replace(SQL, tool=Tool.PRISMA, path="prisma/migrations", table="_prisma_migrations")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with postgres_server() as address:
        yield address


@pytest.fixture
async def url(postgres: str) -> AsyncIterator[str]:
    """The address of an empty database."""
    async with new_database(postgres) as address:
        yield address


async def does(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def looked(url: str, declared: Migrations) -> DatabaseSeen:
    return await PostgresMigrations({URL: url}).migrations(declared)


async def test_an_empty_database_has_no_table_of_versions(url: str) -> None:
    assert await looked(url, SQL) == DatabaseSeen(False)


async def test_one_row_for_each_version(url: str) -> None:
    await does(
        url,
        "CREATE TABLE schema_migrations (version varchar PRIMARY KEY)",
        "INSERT INTO schema_migrations VALUES ('0001'), ('0002')",
    )

    assert (await looked(url, SQL)).applied == ("0001", "0002")


async def test_a_column_dirty_means_the_last_version_alone(url: str) -> None:
    await does(
        url,
        "CREATE TABLE schema_migrations (version bigint, dirty boolean)",
        "INSERT INTO schema_migrations VALUES (2, true)",
    )

    assert await looked(url, SQL) == DatabaseSeen(True, (), ("2",), current_only=True)


async def test_prisma_tells_finished_hanging_and_rolled_back(url: str) -> None:
    await does(
        url,
        "CREATE TABLE _prisma_migrations (migration_name text, finished_at timestamptz, rolled_back_at timestamptz)",
        "INSERT INTO _prisma_migrations VALUES ('1_a', now(), null), ('2_b', null, null), ('3_c', null, now())",
    )

    assert await looked(url, PRISMA) == DatabaseSeen(True, ("1_a",), ("2_b",))


async def test_supabases_table_stands_in_a_schema_of_its_own(url: str) -> None:
    declared = replace(SQL, tool=Tool.SUPABASE, table="supabase_migrations.schema_migrations")
    await does(
        url,
        "CREATE SCHEMA supabase_migrations",
        "CREATE TABLE supabase_migrations.schema_migrations (version text, name text)",
        "INSERT INTO supabase_migrations.schema_migrations VALUES ('20260101', 'orders')",
    )

    assert (await looked(url, declared)).applied == ("20260101",)


async def test_declared_objects_are_looked_for_one_by_one(url: str) -> None:
    there = (
        "table:orders", "table:public.orders", "column:orders.total", "column:public.orders.total",
        "index:orders_by_day", "view:big_orders", "sequence:numbers", "function:public.double", "function:double",
        "type:size",
    )  # fmt: skip
    absent = (
        "table:big_orders",
        "view:orders",
        "column:orders.gone",
        "index:orders",
        "function:orders",
        "type:no",
    )
    await does(
        url,
        "CREATE TABLE orders (id int, day date, total int, gone int)",
        "ALTER TABLE orders DROP COLUMN gone",
        "CREATE INDEX orders_by_day ON orders (day)",
        "CREATE VIEW big_orders AS SELECT * FROM orders",
        "CREATE SEQUENCE numbers",
        "CREATE TYPE size AS ENUM ('small')",
        "CREATE FUNCTION double(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2'",
    )

    seen = await looked(url, replace(SQL, objects=(*there, *absent)))

    assert seen.missing_objects == absent


async def test_the_address_may_stand_in_a_file(url: str, tmp_path: Path) -> None:
    file = tmp_path / "address"
    file.write_text(f"{url}\n")
    declared = replace(SQL, database_url_env=None, database_url_file=str(file))

    assert await PostgresMigrations({}).migrations(declared) == DatabaseSeen(False)


async def test_nothing_can_be_written(url: str) -> None:
    await does(
        url,
        "CREATE TABLE trace (n int)",
        "CREATE FUNCTION leave_a_trace() RETURNS text LANGUAGE sql AS 'INSERT INTO trace VALUES (1) RETURNING ''1'''",
        "CREATE VIEW schema_migrations AS SELECT leave_a_trace() AS version",
    )

    with pytest.raises(OutsideError):
        await looked(url, SQL)


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("address", "error"),
    [
        (f"postgresql://shop:{SECRET}@127.0.0.1:9/shop", Unavailable),
        (f"mysql://shop:{SECRET}@127.0.0.1/shop", Missing),
        (f"postgresql://shop:{SECRET}@127.0.0.1:many/shop", Missing),
        ("", Missing),
    ],
)
async def test_a_database_that_cannot_be_asked_is_told_without_its_address(
    address: str, error: type[OutsideError]
) -> None:
    with pytest.raises(error) as told:
        await looked(address, SQL)

    assert SECRET not in f"{told.value} {told.value.__cause__!r}"


async def test_a_role_without_rights_is_denied_and_a_strange_table_is_told(postgres: str, url: str) -> None:
    await does(
        url, "CREATE TABLE schema_migrations (other text)", "INSERT INTO schema_migrations VALUES ('x')"
    )
    with pytest.raises(BadReply, match="no column 'version'"):
        await looked(url, SQL)
    await ask(postgres, "CREATE ROLE stranger LOGIN")
    try:
        with pytest.raises(Denied):
            await looked(url.replace("ledger@", "stranger@"), SQL)
    finally:
        await ask(postgres, "DROP ROLE stranger")


# --- the files of a commit


async def test_the_migrations_of_exactly_this_commit_are_held_against_the_database(
    sim: Sim, url: str
) -> None:
    before = sim.commits("db/0001_orders.sql", "CREATE TABLE orders ();")
    after = sim.commits("db/0002_total.sql", "ALTER TABLE orders ADD total int;")
    await does(
        url,
        "CREATE TABLE schema_migrations (version text)",
        "INSERT INTO schema_migrations VALUES ('0001')",
    )
    seen = await looked(url, SQL)

    assert compare(SQL, sim.git_hub.migration_files("acme/shop", before, SQL), seen).verified
    assert compare(SQL, sim.git_hub.migration_files("acme/shop", after, SQL), seen).pending == ("0002",)
    assert sim.git_hub.migration_files("acme/shop", "main", SQL) == sim.git_hub.migration_files(
        "acme/shop", after, SQL
    )


def test_alembics_files_are_read(sim: Sim) -> None:
    declared = replace(SQL, tool=Tool.ALEMBIC, path="alembic/versions")
    commit = sim.commits("alembic/versions/1.py", 'revision = "aaa"\ndown_revision = None\n')

    [file] = sim.git_hub.migration_files("acme/shop", commit, declared).files

    assert (file.version, file.path, file.has_way_back) == ("aaa", "alembic/versions/1.py", False)


def test_a_tree_that_github_cuts_off_is_not_complete(sim: Sim) -> None:
    body = {"sha": "x", "url": "x", "tree": [], "truncated": True}
    sim.breaks("GET", "/git/trees/main$", {"status": 200, "body": body}, times=1)

    assert not sim.git_hub.migration_files("acme/shop", "main", SQL).complete


def test_a_commit_that_is_not_there_is_no_empty_list(sim: Sim) -> None:
    with pytest.raises(OutsideError):
        sim.git_hub.migration_files("acme/shop", "d" * 40, SQL)
