"""SQLite connections for the ledger: aiosqlite's thread, with one visit to it for each statement.

aiosqlite goes to its thread for every call: to make a cursor, to execute, to fetch, to close. Those visits
were most of what a transaction cost us. Here execute does all four, and rolling back nothing costs nothing.
"""

import sqlite3
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

import aiosqlite

Created = Callable[[], Coroutine[Any, Any, aiosqlite.Connection]]


def creator(file: str, busy_seconds: float) -> Created:
    """A function that opens connections to this file, ready for use."""

    def connect() -> sqlite3.Connection:
        # No implicit transactions: SQLAlchemy says BEGIN, so that writers can say BEGIN IMMEDIATE.
        connection = sqlite3.connect(
            file, timeout=busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    async def create() -> aiosqlite.Connection:
        connection = _Connection(connect, iter_chunk_size=64)
        connection._thread.daemon = True  # as SQLAlchemy does: a forgotten connection must not keep us alive
        return await connection

    return create


class _Cursor:
    """What SQLAlchemy's adapter uses of a cursor; the rows are fetched with the statement."""

    arraysize = 1

    def __init__(self, connection: "_Connection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> "_Cursor":
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> "_Cursor":
        return await self._visit("execute", sql, parameters)

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> "_Cursor":
        return await self._visit("executemany", sql, parameters)

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        """Closed already, in the thread."""

    async def _visit(self, method: str, sql: str, parameters: Any) -> "_Cursor":
        def statement() -> None:
            cursor = self._connection._conn.cursor()
            try:
                getattr(cursor, method)(sql, parameters)
                self._rows = cursor.fetchall() if cursor.description else []
                self.description = cursor.description
                self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
            finally:
                cursor.close()

        await self._connection._execute(statement)  # type: ignore[no-untyped-call]
        return self


class _Connection(aiosqlite.Connection):
    def cursor(self) -> _Cursor:  # type: ignore[override]
        return _Cursor(self)

    async def rollback(self) -> None:
        if self._conn.in_transaction:
            await super().rollback()
