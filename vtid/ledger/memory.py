"""Answers that are kept for as long as the database stays as it is.

A page that is watched by many asks the same question again and again, and most of the time nothing has changed.
SQLite counts the changes of a file where looking costs some microseconds; on PostgreSQL nothing is kept.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from vtid.ledger.database import Database, told

MOST = 1_000  # answers; then all are forgotten, which costs one read each

R = TypeVar("R")


class Memory:
    """What was read, by question, each with the count of changes at which it was true."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: sqlite3.Connection | None = None
        self._kept: dict[tuple[str, str], tuple[int, Any]] = {}

    async def of(self, question: tuple[str, str], read: Callable[[], Awaitable[R]]) -> R:
        """The kept answer if the database has not changed since, else a new one. Raises what `read` raises."""
        # Counted before the read: a change while it lasts makes the answer old at once, never wrong for long.
        changes = self.changes()
        if changes is None:
            return await read()
        kept = self._kept.get(question)
        if kept is not None and kept[0] == changes:
            answer: R = kept[1]
            return answer
        answer = await read()
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[question] = (changes, answer)
        return answer

    def changes(self) -> int | None:
        """A count that moves with every commit of anyone; None on PostgreSQL, which has none. Raises LedgerUnavailable.

        SQLite counts the commits of other connections, and this one never writes.
        """
        if not self._database.is_sqlite:
            return None
        with told():
            if self._connection is None:
                path = self._database.url.database or ""
                self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            count: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return count

    def close(self) -> None:
        """Forget everything and let go of the file."""
        self._kept.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
