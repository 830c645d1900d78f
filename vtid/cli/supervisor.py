"""Keeping one service running: started, awaited until it serves, started again when it dies."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from vtid.cli.probes import Probe, until
from vtid.cli.processes import Child, how_it_ended, last_lines

STOP_GRACE_SECONDS = 10.0
# A service may die this often within the window before we stop believing that starting it again helps.
MAX_DEATHS, DEATH_WINDOW_SECONDS = 10, 60.0
BACK_OFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)


class StackError(Exception):
    """The stack cannot run; the message says what happened and shows the end of the log."""


@dataclass(frozen=True)
class Service:
    """What to run.

    `serves` tells whether the process that was started at this time answers (None: nobody can ask it);
    `furnish` runs each time that it does.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    serves: Probe | None = None
    furnish: Callable[[], Awaitable[None]] | None = None
    start_seconds: float = 30.0


@dataclass
class Kept:
    """A service that is kept running.

    A death before it first served is final: it would only die again. Later it is started again, with a
    visible line, at most MAX_DEATHS times within the window; `kill` does not count, it was meant.
    """

    service: Service
    log: Path
    say: Callable[[str], None]
    changed: Callable[[], None]
    child: Child | None = None
    starts: int = 0
    serving: asyncio.Event = field(default_factory=asyncio.Event)
    _has_served: bool = False
    _expected: bool = False  # the coming death was asked for
    _deaths: deque[float] = field(default_factory=deque)

    @property
    def name(self) -> str:
        return self.service.name

    async def keep(self) -> None:
        """Run until cancelled. Raises StackError when the service cannot be kept running."""
        while True:
            self.serving.clear()
            self._expected = False
            self.child = await Child.start(self.name, self.service.argv, self.service.env, self.log)
            self.starts += 1
            self.changed()
            await self._after_death(await self._until_dead(self.child))

    async def _until_dead(self, child: Child) -> int:
        dead = asyncio.ensure_future(child.wait())
        up = asyncio.ensure_future(self._until_serving())
        try:
            await asyncio.wait((dead, up), return_when=asyncio.FIRST_COMPLETED)
            if dead.done():
                return dead.result()
            up.result()
            if not self._expected:  # killed while it came up
                self._has_served = True
                self.serving.set()
            return await dead
        finally:
            for waiting in (dead, up):
                waiting.cancel()

    async def _until_serving(self) -> None:
        service = self.service
        try:
            async with asyncio.timeout(service.start_seconds):
                if service.serves:
                    await until(service.serves)
                if service.furnish:
                    await service.furnish()
        except TimeoutError as error:
            seconds = f"{service.start_seconds:.0f} s"
            raise StackError(
                f"{self.name} does not answer after {seconds}\n{last_lines(self.log)}"
            ) from error

    async def _after_death(self, code: int) -> None:
        how = how_it_ended(code)
        if not self._has_served:
            raise StackError(f"{self.name} died at its start ({how})\n{last_lines(self.log)}")
        if self._expected:
            return
        now = monotonic()
        self._deaths.append(now)
        while self._deaths and now - self._deaths[0] > DEATH_WINDOW_SECONDS:
            self._deaths.popleft()
        if len(self._deaths) > MAX_DEATHS:
            raise StackError(
                f"{self.name} died {len(self._deaths)} times within {DEATH_WINDOW_SECONDS:.0f} s ({how})\n"
                f"{last_lines(self.log)}"
            )
        self.say(f"{self.name} died ({how}); starting it again ({len(self._deaths)} of {MAX_DEATHS})")
        await asyncio.sleep(BACK_OFF_SECONDS[min(len(self._deaths), len(BACK_OFF_SECONDS)) - 1])

    def kill(self) -> None:
        """SIGKILL, as a crash would; it is started again at once."""
        if self.child is not None:
            self._expected = True
            self.serving.clear()
            self.child.kill()

    async def restart(self, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """Stop it in good order; it is started again at once."""
        if self.child is not None:
            self._expected = True
            self.serving.clear()
            await self.child.stop(grace_seconds)
