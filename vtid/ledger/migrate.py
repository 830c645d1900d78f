"""Bring a database to the newest revision (Alembic), and tell where it stands."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from vtid.ledger.database import Database

SCRIPTS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 7_235_001  # one migration at a time, whoever starts it
Answer = TypeVar("Answer")


def migrate(url: str, revision: str = "head") -> None:
    """Upgrade the database, creating the file or the tables as needed; a repeat changes nothing.

    Blocking; from a running event loop call it with `asyncio.to_thread`. Raises LedgerUnavailable.
    """
    file = make_url(url).database
    if url.startswith("sqlite") and file:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    _on(url, lambda connection: command.upgrade(_config(connection), revision))


def downgrade(url: str, revision: str = "base") -> None:
    """Go back to a revision. What only newer tables hold is lost. Blocking, like `migrate`."""
    _on(url, lambda connection: command.downgrade(_config(connection), revision))


def head_of(url: str) -> str | None:
    """The revision that the database stands at; None when it was never migrated. Blocking, like `migrate`."""
    return _on(url, lambda connection: MigrationContext.configure(connection).get_current_revision())


def _on(url: str, work: Callable[[Connection], Answer]) -> Answer:
    """Do the work in one transaction, which both databases also grant to changes of tables."""

    async def run() -> Answer:
        database = Database(url)
        try:
            async with database.transaction() as connection:
                if not database.is_sqlite:
                    await connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
                return await connection.run_sync(work)
        finally:
            await database.close()

    return asyncio.run(run())


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    return config
