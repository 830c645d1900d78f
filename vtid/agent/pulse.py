"""Heartbeats while the command works: from the agent, never from the command, and also while the command hangs."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from vtid.agent.api import Refused, Unreachable, WorkOrders
from vtid.agent.order import Order, Result

Moved = Callable[[], Awaitable[dict[str, Any] | None]]
_LONGEST_CALL, _LONGEST_PAUSE = 10.0, 5.0


@dataclass(frozen=True)
class End:
    """Why the work may not go on: we were told to stop, or the lease is lost."""

    result: Result
    reason: str


class Pulse:
    """Beats until the work may not go on. `end` then says why, and stays."""

    def __init__(self, orders: WorkOrders, order: Order, moved: Moved) -> None:
        self._orders, self._order, self._moved = orders, order, moved
        self._held_until = time.monotonic() + order.lost_seconds
        self._ended = asyncio.Event()
        self.end: End | None = None

    async def run(self) -> None:
        """One beat after the other, with what moved since the last one, until `end` is set."""
        # Half of what is due: one lost call costs nothing.
        every = self._order.heartbeat_seconds / 2
        while self.end is None:
            answered = await self.beat()
            with suppress(TimeoutError):
                async with asyncio.timeout(every if answered else min(every, _LONGEST_PAUSE)):
                    await self._ended.wait()  # somebody else's beat may hear of the end first

    async def beat(self) -> bool:
        """One beat now. False: nobody answered. The lease is lost once nobody has for as long as it lives."""
        called_at = time.monotonic()
        try:
            answer = await self._orders.beat(self._order, await self._moved(), self._call_seconds)
        except Refused as refused:
            if refused.ends_the_lease:
                self._finish(Result.LOST, str(refused))
                return True
            return self._unheard(str(refused))  # a key that was revoked, say: the lease runs out by itself
        except Unreachable as error:
            return self._unheard(str(error))
        self._held_until = called_at + self._order.lost_seconds
        if answer.stop:
            self._finish(Result.STOPPED, answer.reason or "the run was cancelled")
        return True

    @property
    def _call_seconds(self) -> float:
        return min(_LONGEST_CALL, self._order.lost_seconds)

    def _unheard(self, why: str) -> bool:
        if time.monotonic() >= self._held_until:
            self._finish(Result.LOST, f"no heartbeat was answered for {self._order.lost_seconds:g} s: {why}")
        return False

    def _finish(self, result: Result, reason: str) -> None:
        self.end = self.end or End(result, reason)
        self._ended.set()
