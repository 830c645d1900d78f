"""The one door to the database: reading and writing transactions, and what its errors mean.

SQLite: write-ahead log, so readers never wait; writers take the lock at their beginning (BEGIN IMMEDIATE),
so none can fail half-way because another was quicker. Several processes share the file.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import Connection, event
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from vtid.ledger import sqlite
from vtid.ledger.errors import LedgerUnavailable

BUSY_SECONDS = 6.0
CONNECT_SECONDS = 5.0
IDLE_CONNECTIONS = 4
MORE_CONNECTIONS = 8  # beyond the idle ones, while there is work
_WRITES = "ledger_writes"
# PostgreSQL: connection, resources, transaction rollback (deadlock), operator intervention, system.
_PASSING_SQLSTATES = ("08", "40", "53", "57", "58", "55P03", "25P03")
_OUT_OF_REACH = (
    OperationalError,
    InterfaceError,
    PoolExhausted,
    OSError,  # refused, reset, timed out
    asyncpg.PostgresError,  # bare only while connecting: later SQLAlchemy wraps it
    asyncpg.InterfaceError,
)
_POOL: dict[str, Any] = {
    "pool_size": IDLE_CONNECTIONS,
    "max_overflow": MORE_CONNECTIONS,
    "pool_timeout": BUSY_SECONDS,
}


class Database:
    """An engine with our pragmas, timeouts and bounds. Close it with `close`."""

    def __init__(self, url: str, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        make = _sqlite_engine if self.is_sqlite else _postgres_engine
        self._engine = make(self.url, busy_seconds)
        # PostgreSQL would show each statement another moment; SQLite's transactions are of one anyway.
        self._reader = (
            self._engine
            if self.is_sqlite
            else self._engine.execution_options(isolation_level="REPEATABLE READ")
        )
        self._writer = self._engine.execution_options(**{_WRITES: True})
        # SQLite's own waiting is sleeping in growing steps; a queue in this process is fair and quick.
        self._turn: asyncio.Lock | nullcontext[None] = asyncio.Lock() if self.is_sqlite else nullcontext()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A look at one moment, however many statements it takes. Raises LedgerUnavailable."""
        with told():
            async with AsyncSession(self._reader, expire_on_commit=False, autoflush=False) as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """All or nothing: commits at the end, rolls back on any error. Raises LedgerUnavailable."""
        with told():
            async with (
                self._turn,
                AsyncSession(self._writer, expire_on_commit=False, autoflush=False) as session,
                session.begin(),
            ):
                yield session

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """As `write`, for plain statements, which cost half of what mapped objects cost. Raises LedgerUnavailable."""
        with told():
            async with self._turn, self._writer.begin() as connection:
                yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


def insert_into(session: AsyncSession, table: Any) -> sqlite_dialect.Insert | postgresql.Insert:
    """An insert that knows ON CONFLICT, in the dialect of the session."""
    backend = session.get_bind().dialect.name
    return sqlite_dialect.insert(table) if backend == "sqlite" else postgresql.insert(table)


def _sqlite_engine(url: URL, busy_seconds: float) -> AsyncEngine:
    engine = create_async_engine(
        url, json_serializer=_compact, **_POOL, async_creator=sqlite.creator(url.database or "", busy_seconds)
    )

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql(sqlite.BEGIN_WRITING if writes else sqlite.BEGIN_READING)

    return engine


def _postgres_engine(url: URL, busy_seconds: float) -> AsyncEngine:
    settings = {
        "lock_timeout": f"{int(busy_seconds * 1000)}ms",
        "statement_timeout": "10s",
        "idle_in_transaction_session_timeout": "30s",
    }
    return create_async_engine(
        url,
        json_serializer=_compact,
        **_POOL,
        connect_args={"timeout": CONNECT_SECONDS, "server_settings": settings},
    )


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@contextmanager
def told() -> Iterator[None]:
    """Turn what a driver says about a database that cannot be asked into LedgerUnavailable."""
    try:
        yield
    except _OUT_OF_REACH as error:
        raise LedgerUnavailable(f"the ledger cannot be asked: {_words(error)}") from error
    except DBAPIError as error:
        sqlstate = str(getattr(error.orig, "sqlstate", None) or "")
        if error.connection_invalidated or sqlstate.startswith(_PASSING_SQLSTATES):
            raise LedgerUnavailable(f"the ledger cannot be asked: {_words(error)}") from error
        raise


def _words(error: Exception) -> str:
    """The driver's own sentence, without SQL or values."""
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return lines[0][:300] if lines else type(error).__name__
