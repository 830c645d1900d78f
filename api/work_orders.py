"""The desk at which workers claim orders, beat, and hand in what they did. REST, MCP and gateway share it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

from api.claims import Claims, disarmed
from api.engine import Beat, Engine, EngineUnavailable, RunOver, RunRef
from api.grants import BeatAnswer, Grant, held_lease, lease_of
from api.leases import Lease, LeaseTokens, NoLease
from api.problems import Problem
from vtid.domain.commands.messages import Acknowledge, ReleaseLease, ReportFailure, SubmitEvidence
from vtid.domain.evidence import ClaimedEvidence
from vtid.domain.secret_shapes import masked
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


class WorkDesk:
    """Claims and leases, seen from the worker."""

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
        # Progress that the ledger could not take yet, by order: an outage must not look like a standstill.
        self._unwritten: dict[str, dict[str, Any] | None] = {}

    # --- claim

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

    # --- heartbeat

    async def heartbeat(self, order_id: str, token: str, progress: dict[str, Any] | None) -> BeatAnswer:
        """Keep the lease alive. Raises Problem LEASE_LOST, or EngineUnavailable when nobody could take it.

        Temporal and the ledger each hear it. One of them is enough: the run asks the ledger before it
        calls a worker lost.
        """
        lease = self._read(order_id, token)
        now = self._now()
        unreachable: EngineUnavailable | None = None
        try:
            beat = await self._engine.beat(lease.run, lease.attempt)
        except EngineUnavailable as error:
            beat, unreachable = Beat.GONE, error
        kept = await self._keep_clocks(lease, progress)
        if unreachable is not None and not kept:
            raise unreachable
        # Temporal may not know the lease yet, or not again after an outage: then the ledger's word counts.
        if beat is Beat.GONE and not await self._is_held(lease):
            raise await self._lost(lease)
        if beat is Beat.STOP:
            return BeatAnswer(Beat.STOP, lease.expires_at(now), await self._reason_to_stop(lease))
        return BeatAnswer(Beat.CONTINUE, lease.expires_at(now))

    async def _is_held(self, lease: Lease) -> bool:
        """Whether the ledger has the lease as this worker's; it was written there before its token was given."""
        order = await self._ledger.orders.get(lease.order_id)
        return order.state == "claimed" and (order.worker, order.attempt) == (lease.worker, lease.attempt)

    async def _keep_clocks(self, lease: Lease, progress: dict[str, Any] | None) -> bool:
        """Write the heartbeat down; False when the ledger could not take it."""
        waiting = self._unwritten.get(lease.order_id)
        unattended = lease.mode == "unattended"  # it cannot beat, so any call of it is progress
        moved = unattended or progress is not None or waiting is not None
        try:
            await self._ledger.orders.beat(lease.order_id, progressed=moved, progress=progress or waiting)
        except LedgerUnavailable:
            # The lease lives in Temporal. What the ledger missed is written with the next heartbeat.
            if moved:
                self._unwritten[lease.order_id] = progress or waiting
            return False
        self._unwritten.pop(lease.order_id, None)
        return True

    async def _reason_to_stop(self, lease: Lease) -> str:
        try:
            note = (await self._ledger.runs.current(lease.vtid)).view.note
        except LedgerUnavailable:
            note = None
        return note or "the run does not need this lease any more"

    # --- results

    async def evidence(self, order_id: str, token: str, claim: ClaimedEvidence) -> Lease:
        """Hand in evidence. Raises Problem LEASE_LOST; a late claim is refused and kept."""
        lease = self._read(order_id, token)
        claim = replace(claim, by=lease.worker, summary=masked(claim.summary))
        command = SubmitEvidence(lease.attempt, lease.worker, claim)
        await self._tell(lease, "evidence", asdict(claim), self._engine.submit_evidence(lease.run, command))
        return lease

    async def fail(self, order_id: str, token: str, message: str, *, retryable: bool) -> Lease:
        """Tell that the attempt failed. Raises Problem LEASE_LOST."""
        lease = self._read(order_id, token)
        message = masked(message)
        said = {"message": message, "retryable": retryable}
        command = ReportFailure(lease.attempt, lease.worker, message, retryable)
        if not await self._confirmed_stop(lease, "fail", said):
            await self._tell(lease, "fail", said, self._engine.report_failure(lease.run, command))
        return lease

    async def release(self, order_id: str, token: str, reason: str) -> Lease:
        """Give the lease back, or confirm that the worker stopped. Raises Problem LEASE_LOST."""
        lease = self._read(order_id, token)
        reason = masked(reason)
        said = {"reason": reason}
        command = ReleaseLease(lease.attempt, lease.worker, reason)
        if not await self._confirmed_stop(lease, "release", said):
            await self._tell(lease, "release", said, self._engine.release_lease(lease.run, command))
        return lease

    async def _confirmed_stop(self, lease: Lease, kind: str, said: dict[str, Any]) -> bool:
        stopped = await self._engine.confirm_stop(lease.run, lease.attempt)
        if stopped:
            await self._keep(lease, kind, said, None)
        return stopped

    async def _tell(self, lease: Lease, kind: str, said: dict[str, Any], message: Awaitable[None]) -> None:
        """Give the run a worker's word, and keep it whatever the run says to it."""
        try:
            await message
        except (RunOver, Refusal) as refusal:
            code = refusal.code if isinstance(refusal, Refusal) else "LEASE_LOST"
            if await self._keep(lease, kind, said, code):
                return  # it was accepted before: a repeat gets the same answer
            if code != "LEASE_LOST":
                raise
            raise await self._lost(lease) from refusal
        await self._keep(lease, kind, said, None)

    async def _keep(self, lease: Lease, kind: str, said: dict[str, Any], refused: str | None) -> bool:
        """Whether the worker's word was accepted, now or when it was said first."""
        accepted = await self._ledger.orders.keep_claim(
            order_id=lease.order_id,
            vtid=lease.vtid,
            run_id=lease.run_id,
            attempt=lease.attempt,
            worker=lease.worker,
            kind=kind,
            payload=said,
            accepted=refused is None,
            reason=refused,
        )
        if refused is None:
            # The run tells it too, after it has looked; until then the worker must not be given it again.
            await self._ledger.orders.ended(lease.order_id, kind)
        return accepted

    # --- leases

    def token_of(self, order: OrderRecord) -> str:
        """The lease of a claimed order, for workers that were never given one: name, run and attempt fence them."""
        return self._tokens.sign(held_lease(order))

    def _read(self, order_id: str, token: str) -> Lease:
        try:
            lease = self._tokens.read(token)
        except NoLease:
            raise Problem("LEASE_LOST", "this is no lease of ours; claim an order to get one") from None
        if lease.order_id != order_id:
            raise Problem(
                "LEASE_LOST", "the lease is for another order", expected=order_id, actual=lease.order_id
            )
        return lease

    async def _lost(self, lease: Lease) -> Problem:
        mine = {"order_id": lease.order_id, "attempt": lease.attempt, "worker": lease.worker}
        try:
            holder = await self._ledger.orders.holder(lease.vtid)
        except LedgerUnavailable:
            return Problem("LEASE_LOST", "the lease is not yours any more", expected=mine)
        if holder is None or holder.order_id == lease.order_id:
            return Problem(
                "LEASE_LOST", "the lease is over; nobody holds one for this task now", expected=mine
            )
        theirs = {"order_id": holder.order_id, "attempt": holder.attempt, "worker": holder.worker}
        text = f"the lease is over; {holder.worker} holds attempt {holder.attempt} now"
        return Problem("LEASE_LOST", text, expected=mine, actual=theirs, holder=theirs)
