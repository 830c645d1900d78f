"""The command that does the work: in a process group of its own, so that all of it can be ended."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

_SHELL = "/bin/sh"
_CHUNK = 16 * 1024
_KEPT_OF_OUTPUT = 5_000_000  # bytes in the log of one order
_TAIL_CHUNKS = 4
_DRAIN_SECONDS = 2.0


class Command:
    """One run of the command."""

    def __init__(self, process: asyncio.subprocess.Process, log: BinaryIO) -> None:
        self._process = process
        self._log = log
        self._tail: deque[bytes] = deque(maxlen=_TAIL_CHUNKS)
        self.output_bytes = 0
        self._reading = asyncio.create_task(self._read(), name="the command's output")

    @classmethod
    async def start(
        cls, line: str, *, typed: str, env: Mapping[str, str], cwd: Path, log: Path, leash: Sequence[str] = ()
    ) -> "Command":
        """Run a shell line with `typed` on its standard input. leash: a program that lets it die with us."""
        process = await asyncio.create_subprocess_exec(
            *leash,
            _SHELL,
            "-c",
            line,
            cwd=cwd,
            env=dict(env),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        command = cls(process, log.open("wb"))
        command._typing = asyncio.create_task(command._type(typed.encode()), name="the command's input")
        return command

    async def wait(self) -> int:
        """Until it ended; its exit code (negative: the signal). What it left running is ended with it."""
        code = await self._process.wait()
        self._signal(signal.SIGKILL)
        # A grandchild in another session may hold the output open for ever.
        await asyncio.wait([self._reading], timeout=_DRAIN_SECONDS)
        await self._close()
        return code

    async def stop(self, grace_seconds: float) -> None:
        """SIGTERM to the whole group, then SIGKILL to what is left of it when the grace is over."""
        self._signal(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await self._process.wait()
        self._signal(signal.SIGKILL)
        await self._process.wait()
        await self._close()

    def tail(self, characters: int) -> str:
        """The end of what it said."""
        return b"".join(self._tail).decode(errors="replace")[-characters:]

    _typing: asyncio.Task[None] | None = None

    async def _type(self, text: bytes) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        with suppress(BrokenPipeError, ConnectionResetError):  # it may read nothing at all
            pipe.write(text)
            await pipe.drain()
        pipe.close()

    async def _read(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        while chunk := await pipe.read(_CHUNK):
            if self.output_bytes < _KEPT_OF_OUTPUT:
                self._log.write(chunk)
                self._log.flush()
            self.output_bytes += len(chunk)
            self._tail.append(chunk)

    async def _close(self) -> None:
        for task in (self._reading, self._typing):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        self._log.close()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):  # the group is gone
            os.killpg(self._process.pid, number)
