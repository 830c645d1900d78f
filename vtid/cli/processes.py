"""One child process: in a session of its own, on a leash, with its output in a file."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

LEASH = Path(__file__).with_name("leash.py")
MAX_LOG_BYTES = 5_000_000  # a log that has grown beyond this is set aside at the next start


class Child:
    """A running child. Its own session keeps the terminal's Ctrl-C from it: the supervisor decides the order."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self._process = process

    @classmethod
    async def start(cls, name: str, argv: Sequence[str], env: Mapping[str, str], log: Path) -> "Child":
        """Start it. `argv[0]` is the path of a program; output is appended to `log`."""
        leash = (sys.executable, "-I", "-S", str(LEASH), str(os.getpid()))
        with open_log(log) as output:
            output.write(f"--- {name} started {datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z\n".encode())
            output.flush()
            process = await asyncio.create_subprocess_exec(
                *leash,
                *argv,
                env=dict(env),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return cls(name, process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> int:
        """The exit code; negative: the number of the signal that ended it."""
        return await self._process.wait()

    async def stop(self, grace_seconds: float) -> None:
        """SIGTERM, a bounded wait, then SIGKILL to whatever is left of its process group."""
        self._signal(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await self.wait()
        self.kill()
        await self.wait()

    def kill(self) -> None:
        """SIGKILL to the whole process group, at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        # The leader of a session has the number of its process group; the group may outlive the leader.
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)


def open_log(log: Path) -> BinaryIO:
    """The log for appending, readable by its owner only: children print what they were given."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def last_lines(log: Path, count: int = 12) -> str:
    """The end of a log, for the message about a child that died."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_000))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return "\n".join(f"  | {line}" for line in lines[-count:])


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
