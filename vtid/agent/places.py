"""Where the agent works: one directory for each agent, with a lock that tells whether it lives."""

import asyncio
import fcntl
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote


class Occupied(Exception):
    """An agent of this name is running."""


class Places:
    """The directories under `work_dir`: agents/NAME/ORDER for the work, repositories/ for what is fetched."""

    def __init__(self, work_dir: Path, name: str) -> None:
        self.work_dir = work_dir.absolute()
        self._agents = self.work_dir / "agents"
        self.mine = self._agents / quote(name, safe="")
        self._lock: BinaryIO | None = None

    def occupy(self) -> None:
        """Take our own place until the process ends, however it ends. Raises Occupied."""
        self.mine.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self.mine)
        if self._lock is None:
            raise Occupied(
                f"an agent called {self.mine.name} is running in {self.work_dir}; give another --worker-id"
            )

    def leave(self) -> None:
        """Nothing of ours stays."""
        shutil.rmtree(self.mine, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()

    def abandoned(self) -> Iterator[Path]:
        """The orders that dead agents left, ours of an earlier life among them. Their commands are ended first."""
        for place in list(self._agents.iterdir()):
            lock = self._lock if place == self.mine else _locked(place)
            if lock is None:
                continue
            for order in list(place.iterdir()):
                if order.is_dir():
                    _end_processes_in(order)
                    yield order
            if place != self.mine:
                shutil.rmtree(place, ignore_errors=True)
                lock.close()

    @asynccontextmanager
    async def alone(self, repository: Path) -> AsyncIterator[None]:
        """Nobody else changes this repository's worktrees and refs meanwhile."""
        locks = self.work_dir / "locks"
        locks.mkdir(exist_ok=True)
        with (locks / quote(str(repository), safe="")[-200:]).open("wb") as file:
            await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
            yield


def _locked(place: Path) -> BinaryIO | None:
    """The lock of a place, or None while a living agent has it."""
    file = (place / "lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _end_processes_in(directory: Path) -> None:
    """End what still works in a dead agent's directory, so that two never work on one order unseen (Linux)."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            if (process / "cwd").resolve().is_relative_to(directory):
                os.kill(int(process.name), signal.SIGKILL)
