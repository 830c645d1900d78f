"""How a worker gets an order: it waits for one, claims it from the run, and is granted its lease."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary

from api.claims import Claims, disarmed
from api.engine import Engine, EngineUnavailable, RunOver, RunRef
from api.grants import Grant, lease_of
from api.leases import Lease, LeaseTokens
from vtid.domain.commands.messages import Acknowledge
from vtid.ledger import Ledger, LedgerUnavailable, Refusal
from vtid.ledger.records import OrderRecord

MARK_SECONDS = 30.0  # how long a claim under way keeps others off the order
REFUSED_REST_SECONDS = 5.0

_LOST_THE_RACE = {"ALREADY_CLAIMED", "LEASE_LOST", "ILLEGAL_TRANSITION"}


async def _still_there() -> bool:
    return False


@dataclass(frozen=True)
class _Asked:
    """What a worker asks for, and until when it waits."""

    worker: str
    vtid: str | None
    mode: str
    capabilities: frozenset[str]
    until: datetime


class Pickup:
    """Claims, seen from the worker."""

    def __init__(
        self,
        ledger: Ledger,
        engine: Engine,
        claims: Claims,
        tokens: LeaseTokens,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._engine = engine
        self._claims = claims
        self._tokens = tokens
        self._now = now
        # One claim of a worker at a time: identical ones that wait at once get the one order, not one each.
        self._turns: WeakValueDictionary[tuple[str, str | None], asyncio.Lock] = WeakValueDictionary()
        self._unclear: dict[str, OrderRecord] = {}  # by worker: claims whose answer was lost below us

    async def claim(
        self,
        worker: str,
        *,
        seconds: float = 0,
        vtid: str | None = None,
        mode: str = "attended",
        capabilities: frozenset[str] = frozenset(),
        has_left: Callable[[], Awaitable[bool]] = _still_there,
    ) -> Grant | None:
        """The next order for this worker, or the one that it holds already; None when none came in time.

        It is given no order that requires more than its capabilities.
        `has_left` is asked right before an order is taken, so that none goes to a worker that hung up.
        """
        await self._ledger.workers.seen(worker)
        switch = await self._ledger.switch.read()
        if not switch.armed:
            raise disarmed(switch.reason)
        until = self._now() + timedelta(seconds=seconds)
        turn = self._turns.setdefault((worker, vtid), asyncio.Lock())
        async with turn:
            if (grant := await self._claimed_before(worker, vtid, mode)) is not None:
                return grant
            asked = _Asked(worker, vtid, mode, capabilities, until)
            return await self._next(asked, has_left)

    async def _next(self, asked: _Asked, has_left: Callable[[], Awaitable[bool]]) -> Grant | None:
        while True:
            left = (asked.until - self._now()).total_seconds()
            order = await self._claims.next_order(asked.worker, asked.vtid, max(left, 0), asked.capabilities)
            if order is None or await has_left():
                if order is not None:
                    self._claims.done(order)
                return None
            grant = await self._try(order, asked.worker, asked.mode)
            if grant is not None or left <= 0:
                return grant

    async def _claimed_before(self, worker: str, vtid: str | None, mode: str) -> Grant | None:
        """An answer may have been lost, so a worker that asks again gets what it won."""
        unclear = self._unclear.pop(worker, None)
        grant = await self._try(unclear, worker, mode) if unclear and vtid in (None, unclear.vtid) else None
        if grant is not None:
            return grant
        for order in await self._ledger.orders.held_by(worker, vtid=vtid):
            opened_at = order.lease_opened_at or order.claimed_at or self._now()
            lease = lease_of(order, order.attempt, worker, order.mode or mode, opened_at)
            if lease.ends_at > self._now():
                return await self._granted(order, lease)
        return None

    async def _try(self, order: OrderRecord, worker: str, mode: str) -> Grant | None:
        """Take this order; None when somebody else was faster or the run does not want it taken now."""
        rest = REFUSED_REST_SECONDS
        try:
            if not await self._ledger.orders.mark(order.order_id, worker, MARK_SECONDS):
                return None
            lease = await self._acknowledged(order, worker, mode)
            if lease is None:
                return None
            rest = 0
            return await self._granted(order, lease)
        except (EngineUnavailable, LedgerUnavailable):
            # The run may have taken the claim: the next call of this worker finds out.
            self._unclear[worker] = order
            raise
        finally:
            self._claims.done(order, rest_seconds=rest)

    async def _acknowledged(self, order: OrderRecord, worker: str, mode: str) -> Lease | None:
        run = RunRef(order.vtid, order.run_id)
        try:
            terms = await self._engine.acknowledge(run, Acknowledge(order.order_id, worker, mode))
        except RunOver:
            await self._ledger.orders.withdraw(order.order_id, "the run is over")
            return None
        except Refusal as refusal:
            if refusal.code not in _LOST_THE_RACE:
                raise
            await self._ledger.orders.unmark(order.order_id, worker)
            return None
        await self._ledger.orders.claimed(
            order.order_id, worker=worker, attempt=terms.attempt, mode=mode, opened_at=terms.opened_at
        )
        return lease_of(order, terms.attempt, worker, mode, terms.opened_at)

    async def _granted(self, order: OrderRecord, lease: Lease) -> Grant:
        """The worker builds the spec that the run was started for, also when a newer one has come since."""
        markdown = await self._ledger.tasks.spec_text(order.vtid, order.command.spec_hash)
        task = await self._ledger.tasks.get(order.vtid)
        return Grant(order, lease, self._tokens.sign(lease), markdown, task.environment)
