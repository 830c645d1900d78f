"""Waiting for new events: one watcher per process, however many listen.

PostgreSQL notifies. SQLite tells nobody, but it counts its changes where looking costs next to nothing, so a
watcher may look often. A slow look at the log itself is the safety net of both.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing

import asyncpg  # type: ignore[import-untyped]

from vtid.ledger.database import CONNECT_SECONDS, Database, told
from vtid.ledger.errors import LedgerUnavailable

CHANNEL = "vtid_events"
LOOK_SECONDS = 2.0
SQLITE_LOOK_SECONDS = 0.01  # at its number of changes: some microseconds, and no thread
LINGER_LOOKS = 50  # without a listener, before the watcher goes: listeners come back between two events


class EventFeed:
    """Wakes listeners when the log has grown."""

    def __init__(self, database: Database, last_position: Callable[[], Awaitable[int]]) -> None:
        self._database = database
        self._last_position = last_position
        self._seen = 0
        self._listeners: dict[asyncio.Future[bool], int] = {}
        self._watcher: asyncio.Task[None] | None = None

    async def more(self, after: int, timeout: float) -> bool:  # noqa: ASYNC109 - False, not an error, when it ends
        """True once the log has a position after this one, False when `timeout` seconds are over.

        Raises LedgerUnavailable when the watcher cannot look.
        """
        if self._seen > after:
            return True
        listener: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._listeners[listener] = after
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.create_task(self._watch(), name="ledger-event-feed")
        try:
            async with asyncio.timeout(timeout):
                return await listener
        except TimeoutError:
            return False
        finally:
            del self._listeners[listener]

    async def close(self) -> None:
        """Stop watching; who still listens hears False."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        self._answer(False)

    async def _watch(self) -> None:
        idle = 0
        try:
            async with self._bell() as bell:
                while self._listeners or idle < LINGER_LOOKS:
                    bell.clear()  # before the look, so that a ring during it is not lost
                    self._seen = await self._last_position()
                    self._answer(True)
                    idle = 0 if self._listeners else idle + 1
                    await bell.wait(LOOK_SECONDS)
        except LedgerUnavailable as error:
            for listener in self._listeners:
                if not listener.done():
                    listener.set_exception(error)

    def _answer(self, grown: bool) -> None:
        for listener, after in self._listeners.items():
            if not listener.done() and (self._seen > after or not grown):
                listener.set_result(grown)

    def _bell(self) -> AbstractAsyncContextManager["_Bell"]:
        return _counted(self._database) if self._database.is_sqlite else _notified(self._database)


class _Bell:
    """What the database rings when there is news, if it can."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._lost = False

    def ring(self, *_: object) -> None:
        self._rung.set()

    def lose(self, *_: object) -> None:
        """The connection behind it is gone; without this the watcher would be slow from now on, in silence."""
        self._lost = True
        self._rung.set()

    def clear(self) -> None:
        self._rung.clear()

    async def wait(self, seconds: float) -> None:
        """Until it rings or the time is over. Raises LedgerUnavailable when it is lost."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return
        if self._lost:
            raise LedgerUnavailable("the ledger's notifications stopped: the connection was lost")


class _Count(_Bell):
    """Rings when another connection has changed the database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self._connection = connection
        self._seen = self._changes()

    def _changes(self) -> int:
        count: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return count

    def clear(self) -> None:
        self._seen = self._changes()

    async def wait(self, seconds: float) -> None:
        for _ in range(int(seconds / SQLITE_LOOK_SECONDS)):
            await asyncio.sleep(SQLITE_LOOK_SECONDS)
            if self._changes() != self._seen:
                return


@asynccontextmanager
async def _counted(database: Database) -> AsyncIterator[_Bell]:
    """A bell over SQLite's own count of changes, on a connection of its own that never writes."""
    with told(), closing(sqlite3.connect(database.url.database or "", isolation_level=None)) as connection:
        yield _Count(connection)


@asynccontextmanager
async def _notified(database: Database) -> AsyncIterator[_Bell]:
    """A bell that PostgreSQL rings after each commit with new events, on a connection of its own."""
    bell = _Bell()
    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with told():
        connection = await asyncpg.connect(address, timeout=CONNECT_SECONDS)
    try:
        with told():
            await connection.add_listener(CHANNEL, bell.ring)
            connection.add_termination_listener(bell.lose)
        yield bell
    finally:
        connection.terminate()
