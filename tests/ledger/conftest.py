"""A migrated, empty ledger for each test, on SQLite and on PostgreSQL."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.ledger.databases import ask, new_database
from tests.ledger.postgres import postgres_server
from vtid.ledger import Ledger
from vtid.ledger.database import Database
from vtid.ledger.migrate import migrate


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of the session's PostgreSQL server."""
    with postgres_server() as address:
        yield address


@pytest.fixture(scope="session")
async def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    file = tmp_path_factory.mktemp("ledger") / "template.db"
    await asyncio.to_thread(migrate, f"sqlite+aiosqlite:///{file}")
    return file


@pytest.fixture(scope="session")
async def migrated_template(postgres: str) -> str:
    """The name of a migrated, empty PostgreSQL database to copy."""
    await ask(postgres, 'CREATE DATABASE "template_ledger"')
    await asyncio.to_thread(migrate, f"{postgres}/template_ledger")
    return "template_ledger"


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    shutil.copy(migrated_file, tmp_path / "ledger.db")
    return f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
async def postgres_url(postgres: str, migrated_template: str) -> AsyncIterator[str]:
    async with new_database(postgres, template=migrated_template) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of an empty ledger; every test that asks for it runs on both databases."""
    address: str = request.getfixturevalue(f"{request.param}_url")
    return address


@pytest.fixture
async def ledger(url: str) -> AsyncIterator[Ledger]:
    opened = await Ledger.open(url)
    yield opened
    await opened.close()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """The same database through a door of its own, to look behind the ledger."""
    opened = Database(url)
    yield opened
    await opened.close()
