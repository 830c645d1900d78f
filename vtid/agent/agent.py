"""The agent as a whole: N places to work, until it is stopped or, with `once`, until each has done one order."""

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from vtid.agent.api import Refused, Unreachable
from vtid.agent.git import GitFailed
from vtid.agent.order import Order, Result
from vtid.agent.work import Tools, Work
from vtid.agent.workspace import sweep

_PAUSE_SECONDS = 3.0


@dataclass(frozen=True)
class Habits:
    """wait_seconds: how long one claim waits for an order. vtid: only orders of this task."""

    worker_id: str
    once: bool = False
    concurrency: int = 1
    wait_seconds: float = 30.0
    vtid: str | None = None


class Agent:
    """Claims and works."""

    def __init__(self, habits: Habits, tools: Tools) -> None:
        self._habits, self._tools = habits, tools

    async def run(self) -> Sequence[Result | None]:
        """Work until stopped (SIGTERM, Ctrl-C); how each place ended: its last result, None for no work.

        Raises Occupied when an agent of this name runs, and Refused when the API does not want us.
        """
        self._tools.places.occupy()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._tools.stopping.set)
        try:
            await self._sweep()
            places = [self._place(number + 1) for number in range(self._habits.concurrency)]
            return await asyncio.gather(*places)
        finally:
            self._tools.places.leave()
            await self._tools.orders.close()
            await self._tools.github.close()

    async def _sweep(self) -> None:
        """Remove what dead agents left: their orders are offered again, to us or to others."""
        for order in self._tools.places.abandoned():
            self._tools.say("swept", reason=str(order))
            try:
                await sweep(self._tools.git, order)
            except (GitFailed, OSError) as error:
                self._tools.say("untidy", reason=str(error))

    async def _place(self, number: int) -> Result | None:
        """One order after the other. Places have names of their own: a worker holds one lease at a time."""
        several = self._habits.concurrency > 1
        worker_id = f"{self._habits.worker_id}-{number}" if several else self._habits.worker_id
        result: Result | None = None
        while not self._tools.stopping.is_set():
            order = await self._claimed(worker_id)
            if order is not None:
                self._tools.say("claimed", order=order, reason=worker_id)
                result = await Work(order, self._tools).run()
                self._tools.say("ended", order=order, reason=result.value)
            if self._habits.once:
                return result
        return result

    async def _claimed(self, worker_id: str) -> Order | None:
        """The next order; None when none came in time or we are stopped."""
        claim = asyncio.create_task(
            self._tools.orders.claim(worker_id, self._habits.wait_seconds, self._habits.vtid)
        )
        stop = asyncio.create_task(self._tools.stopping.wait())
        await asyncio.wait([claim, stop], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not claim.done():
            claim.cancel()
            return None
        try:
            return claim.result()
        except Unreachable as error:
            if self._habits.once:
                raise
            await self._pause(str(error))
        except Refused as refused:
            # Disarmed, or the one order of this task is somebody else's: that passes. A bad key does not.
            if self._habits.once or refused.code not in ("EXECUTION_DISARMED", "ALREADY_CLAIMED"):
                raise
            await self._pause(str(refused))
        return None

    async def _pause(self, why: str) -> None:
        self._tools.say("waits", reason=why)
        try:
            async with asyncio.timeout(_PAUSE_SECONDS):
                await self._tools.stopping.wait()
        except TimeoutError:
            return
