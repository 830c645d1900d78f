"""SQLite connections for the ledger: aiosqlite, with as few visits to its thread as can be.

aiosqlite goes to a thread for every call: to make a cursor, to execute, to fetch, to close. These visits were
most of what a transaction cost. Here a statement is one visit, and none where nothing can wait: inside a
writing transaction the lock is ours and a statement takes less time than a visit.
What waits stays in the thread: taking the lock, committing, and reading, which may be long.
"""

import sqlite3
from collections.abc import Callable, Coroutine, Iterable, Sequence
from time import monotonic, sleep
from typing import Any

import aiosqlite

BEGIN_READING = "BEGIN"
BEGIN_WRITING = "BEGIN IMMEDIATE"  # the lock at once: no writer can fail half-way because another was quicker
Created = Callable[[], Coroutine[Any, Any, aiosqlite.Connection]]


def creator(file: str, busy_seconds: float) -> Created:
    """A function that opens connections to this file, ready for use."""

    def connect() -> sqlite3.Connection:
        # No implicit transactions: SQLAlchemy says BEGIN.
        connection = sqlite3.connect(
            file, timeout=busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        write_ahead(connection, busy_seconds)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    async def create() -> aiosqlite.Connection:
        connection = _Connection(connect, iter_chunk_size=64)
        connection._thread.daemon = True  # as SQLAlchemy does: a forgotten connection must not keep us alive
        return await connection

    return create


def write_ahead(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Turn the write-ahead log on. Raises OperationalError when the file stays locked for `busy_seconds`.

    SQLite does not wait with this one statement: two programs that open a new file together would meet
    "database is locked" at once, whatever the timeout of the connection says.
    """
    until = monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() >= until:
                raise
        sleep(0.01)


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

        await self._connection.carry_out(statement, sql)
        return self


class _Connection(aiosqlite.Connection):
    _writing = False

    def cursor(self) -> _Cursor:  # type: ignore[override]
        return _Cursor(self)

    async def carry_out(self, statement: Callable[[], None], sql: str) -> None:
        """Here when it cannot wait for anything, else in the thread."""
        if self._writing or sql == BEGIN_READING:
            statement()
        else:
            await self._execute(statement)  # type: ignore[no-untyped-call]
            self._writing = sql == BEGIN_WRITING

    async def commit(self) -> None:
        await super().commit()
        self._writing = False

    async def rollback(self) -> None:
        # A statement that was cancelled may still run in the thread; SQLAlchemy closes such a connection
        # in place of rolling it back, and closing waits for the thread.
        if self._conn.in_transaction:
            self._conn.rollback()
        self._writing = False
