"""A simulated worker of one scenario: a process of its own, and every line that it says."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from vtid.cli.layout import ROOT
from vtid.cli.processes import LEASH
from vtid.cli.stack import Stack

GOODBYE_SECONDS = 3.0


class Hired:
    """A running worker. Nobody starts it again: when its behaviour is to die, it stays dead."""

    def __init__(self, worker_id: str, process: asyncio.subprocess.Process, news: Callable[[], None]) -> None:
        self.worker_id = worker_id
        self.said: list[dict[str, Any]] = []
        self._process = process
        self._news = news
        self._listening = asyncio.create_task(self._listen(), name=worker_id)

    @classmethod
    async def start(cls, stack: Stack, worker_id: str, *options: str, news: Callable[[], None]) -> "Hired":
        """Start it. `news` is called after each line that it says."""
        to = ("--api", stack.api, "--simulator", stack.simulator)
        leash = (sys.executable, "-I", "-S", str(LEASH), str(os.getpid()))
        process = await asyncio.create_subprocess_exec(
            *leash,
            *(sys.executable, "-m", "vtid.simulator", "worker", *to, "--worker-id", worker_id, *options),
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PYTHONSAFEPATH": "1",
                "VTID_API_TOKEN": stack.token,
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        return cls(worker_id, process, news)

    def has_said(self, event: str) -> bool:
        """Whether it has said something of this kind."""
        return bool(self.said_of(event))

    def said_of(self, event: str) -> list[dict[str, Any]]:
        """Everything that it has said of this kind so far."""
        return [line for line in self.said if line["event"] == event]

    def line(self, event: str) -> dict[str, Any]:
        """The last thing of this kind that it has said."""
        return [line for line in self.said if line["event"] == event][-1]

    def freeze(self) -> None:
        """SIGSTOP: it is there, and does nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on as if no time had passed."""
        self._signal(signal.SIGCONT)

    @property
    def is_gone(self) -> bool:
        """Whether its process has ended."""
        return self._process.returncode is not None

    async def kill(self) -> None:
        """SIGKILL: gone without a word."""
        self._signal(signal.SIGKILL)
        await self._process.wait()
        await self._listening

    async def dismiss(self) -> None:
        """SIGTERM, a moment for its goodbye, SIGKILL."""
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), GOODBYE_SECONDS)
        self._signal(signal.SIGKILL)
        await self._process.wait()
        await self._listening

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.said.append(json.loads(line))
            self._news()
        self._news()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
