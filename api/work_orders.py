"""The desk at which workers beat, and hand in what they did. REST, MCP and gateway share it."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from api.engine import Beat, Engine, EngineUnavailable, RunOver
from api.grants import BeatAnswer, held_lease
from api.leases import Lease, LeaseTokens, NoLease
from api.problems import Problem
from vtid.domain.commands.messages import ReleaseLease, ReportFailure, SubmitEvidence
from vtid.domain.evidence import ClaimedEvidence
from vtid.domain.secret_shapes import masked
from vtid.ledger import Ledger, LedgerUnavailable, Refusal
from vtid.ledger.records import OrderRecord


class WorkDesk:
    """Leases, seen from the worker. They are got in api/pickup.py."""

    def __init__(
        self,
        ledger: Ledger,
        engine: Engine,
        tokens: LeaseTokens,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._engine = engine
        self._tokens = tokens
        self._now = now
        # Progress that the ledger could not take yet, by order: an outage must not look like a standstill.
        self._unwritten: dict[str, dict[str, Any] | None] = {}

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
