"""Who gets which order: one queue of waiting workers per process, served in the order they came.

However many wait, the ledger is asked once per look; they do not ask it each.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from api.problems import Problem
from vtid.ledger import Ledger
from vtid.ledger.records import OrderRecord

LOOK_SECONDS = 0.5  # between two looks while somebody waits and the log is silent
_PAGE = 200


@dataclass(eq=False)
class _Waiter:
    worker: str
    vtid: str | None
    capabilities: frozenset[str]
    order: asyncio.Future[OrderRecord | None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def wants(self, order: OrderRecord) -> bool:
        """Its own task if it named one, and nothing that it is not capable of."""
        return self.vtid in (None, order.vtid) and self.capabilities.issuperset(order.command.requires)


class Claims:
    """Hands each offered order to at most one waiting worker of this process at a time.

    Between processes the ledger's mark decides, and last of all the run itself.
    """

    def __init__(self, ledger: Ledger, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._ledger = ledger
        self._look_seconds = look_seconds
        self._waiters: list[_Waiter] = []
        self._in_hand: set[str] = set()
        self._looking: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._closing = False

    async def next_order(
        self, worker: str, vtid: str | None, seconds: float, capabilities: frozenset[str] = frozenset()
    ) -> OrderRecord | None:
        """An order for this worker, or None when none came in time. Give it back with `done`.

        Raises Problem EXECUTION_DISARMED, LedgerUnavailable.
        """
        waiter = _Waiter(worker, vtid, capabilities)
        self._waiters.append(waiter)
        try:
            await self._look()
            if not waiter.order.done():
                if seconds <= 0 or self._closing:
                    return None
                self._keep_looking()
                await asyncio.wait((waiter.order,), timeout=seconds)
            return self._taken(waiter)
        except BaseException:
            if (order := self._taken(waiter)) is not None:
                self.done(order)
            raise
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def done(self, order: OrderRecord, *, rest_seconds: float = 0) -> None:
        """The order is claimed, or may be given to somebody else, after a rest if it was refused."""
        if rest_seconds:
            asyncio.get_running_loop().call_later(rest_seconds, self._in_hand.discard, order.order_id)
        else:
            self._in_hand.discard(order.order_id)

    def wake(self) -> None:
        """Something changed about orders or the emergency stop: look now."""
        self._news.set()

    def close(self) -> None:
        """Send everybody home: the process ends."""
        self._closing = True
        for waiter in self._waiters:
            _resolve(waiter, None)
        self.wake()

    def _taken(self, waiter: _Waiter) -> OrderRecord | None:
        return waiter.order.result() if waiter.order.done() else None

    # --- looking

    def _keep_looking(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_while_somebody_waits(), name="claims")

    async def _look_while_somebody_waits(self) -> None:
        while self._open_waiters():
            self._news.clear()
            try:
                async with asyncio.timeout(self._look_seconds):
                    await self._news.wait()
            except TimeoutError:
                pass  # silence: look all the same, an event may have been missed
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - each waiting request answers with it; none hangs
                for waiter in self._open_waiters():
                    waiter.order.set_exception(error)

    def _open_waiters(self) -> list[_Waiter]:
        return [waiter for waiter in self._waiters if not waiter.order.done()]

    async def _look(self) -> None:
        switch = await self._ledger.switch.read()
        if not switch.armed:
            raise disarmed(switch.reason)
        seen, full = 0, True
        # Further pages only while somebody waits who was offered nothing that it can do.
        while full and (not seen or any(waiter.vtid is None for waiter in self._open_waiters())):
            orders = await self._ledger.orders.claimable(limit=_PAGE, offset=seen)
            self._hand_out(orders)
            seen, full = seen + len(orders), len(orders) == _PAGE
        if not full:
            return
        for vtid in {waiter.vtid for waiter in self._open_waiters() if waiter.vtid}:
            self._hand_out(await self._ledger.orders.claimable(vtid=vtid, limit=1))

    def _hand_out(self, orders: Iterable[OrderRecord]) -> None:
        for order in orders:
            if order.order_id in self._in_hand:
                continue
            waiter = next((each for each in self._open_waiters() if each.wants(order)), None)
            if waiter is not None:
                self._in_hand.add(order.order_id)
                _resolve(waiter, order)


def _resolve(waiter: _Waiter, order: OrderRecord | None) -> None:
    if not waiter.order.done():
        waiter.order.set_result(order)


def disarmed(reason: str) -> Problem:
    """Clients of old match the text, so the code stands in it as well."""
    because = f": {reason}" if reason else ""
    return Problem("EXECUTION_DISARMED", f"EXECUTION_DISARMED: the emergency stop is on{because}")
