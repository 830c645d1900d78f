"""The counter for workers without a lease token: the same desk, with (worker, run, attempt) as the fence.

Which lease a call means is read from the ledger each time, so nothing is remembered here and a restart
changes nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from api.gateway.said import Said
from api.grants import BeatAnswer, Grant, held_until
from api.options import Options
from api.pickup import Pickup
from api.problems import Problem
from api.work_orders import WorkDesk
from vtid.domain.moment import moment
from vtid.domain.stages import Stage
from vtid.domain.task import TaskStatus
from vtid.ledger import Ledger, Unknown
from vtid.ledger.records import OrderRecord, TaskRecord

_SLICE_SECONDS = 0.5  # how soon a waiting claim sees that somebody else was faster
# How the ledger calls the end of a lease by its worker's own word; the last two are the run's answer to it.
_ANSWERED = {"evidence", "fail", "release", "WORKER_FAILED", "EVIDENCE_REFUSED"}
_ORDERS = 50  # of one task, more than its attempts


@dataclass(frozen=True)
class Standing:
    """What a caller has to do with a task now.

    mine: the live lease that it speaks for. answered: its last one, if its own word has ended that.
    holder: the live lease of the task, whoever has it.
    """

    mine: OrderRecord | None
    answered: OrderRecord | None
    holder: OrderRecord | None


class Counter:
    """Translates calls of old workers into those of the desk."""

    def __init__(
        self,
        ledger: Ledger,
        pickup: Pickup,
        desk: WorkDesk,
        options: Options,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._pickup = pickup
        self._desk = desk
        self._wait_seconds = options.gateway_wait_seconds
        self._hold_seconds = options.gateway_hold_seconds
        self._now = now
        self._closing = False

    # --- who holds what

    async def standing(self, vtid: str, said: Said) -> Standing:
        """The leases of this task, seen from the caller."""
        orders = await self._ledger.orders.list(vtid=vtid, limit=_ORDERS)
        holder = next((each for each in orders if each.state == "claimed"), None)
        last = next((each for each in orders if _speaks_for(said, each)), None)
        mine = (
            holder if last is not None and holder is not None and last.order_id == holder.order_id else None
        )
        answered = last if last is not None and mine is None and last.ended_reason in _ANSWERED else None
        return Standing(mine, answered, holder)

    def lost(self, said: Said, standing: Standing) -> Problem:
        """The refusal for a caller that holds no lease of this task (any more)."""
        who = said.worker or "the caller"
        if (holder := standing.holder) is None:
            return Problem(
                "LEASE_LOST", f"{who} holds no lease of this task, and nobody else does", claimed_by=None
            )
        text = f"{holder.worker} holds attempt {holder.attempt}, not {who}"
        return Problem(
            "LEASE_LOST", text, claimed_by=holder.worker, expires_at=moment(held_until(holder)),
            holder={"worker": holder.worker, "attempt": holder.attempt, "run_id": holder.run_id},
        )  # fmt: skip

    # --- claim

    async def claim(
        self, task: TaskRecord, worker: str, mode: str, has_left: Callable[[], Awaitable[bool]]
    ) -> Grant:
        """The lease of this task for this worker; waits while its order is being prepared.

        Raises Problem EXECUTION_DISARMED, ALREADY_CLAIMED with who holds it, or ILLEGAL_TRANSITION.
        """
        until, seconds = self._now() + timedelta(seconds=self._wait_seconds), 0.0
        while True:
            grant = await self._pickup.claim(
                worker, seconds=seconds, vtid=task.vtid, mode=mode, has_left=has_left
            )
            if grant is not None:
                return grant
            await self.check_coming(task.vtid, worker)
            left = (until - self._now()).total_seconds()
            if left <= 0 or self._closing:
                raise _not_claimed("ILLEGAL_TRANSITION", f"no order of {task.vtid} lies ready yet; ask again")
            seconds = min(left, _SLICE_SECONDS)

    async def check_coming(self, vtid: str, worker: str | None) -> None:
        """Raise Problem unless an order for this worker lies ready or may still come."""
        holder = await self._ledger.orders.holder(vtid)
        if holder is not None and holder.worker != worker:
            text = f"{holder.worker} holds {vtid}"
            raise _not_claimed("ALREADY_CLAIMED", text, holder.worker, held_until(holder))
        try:
            run = await self._ledger.runs.current(vtid)
        except Unknown:
            raise _not_claimed("ILLEGAL_TRANSITION", f"no run of {vtid} was started") from None
        if run.state == "closed":
            raise _not_claimed("ILLEGAL_TRANSITION", f"the run of {vtid} is over: {run.view.status}")
        if run.view.status is TaskStatus.BLOCKED:
            raise _not_claimed("ILLEGAL_TRANSITION", f"the run of {vtid} is blocked and waits for a person")
        if run.view.stage in (Stage.VALIDATOR, Stage.DEPLOY):
            raise _not_claimed("ILLEGAL_TRANSITION", f"{vtid} needs no worker now: it is in {run.view.stage}")

    async def prepared(self, vtid: str, worker: str | None) -> OrderRecord | None:
        """The order that lies ready, or that this worker holds; waits for it like a claim, and takes nothing."""
        until = self._now() + timedelta(seconds=self._wait_seconds)
        while True:
            await self.check_coming(vtid, worker)
            orders = await self._ledger.orders.list(vtid=vtid, limit=1)
            if orders and orders[0].state in ("offered", "claimed"):
                return orders[0]
            if self._now() >= until or self._closing:
                return None
            position = await self._ledger.events.last_position()
            await self._ledger.events.more(position, _SLICE_SECONDS)

    # --- heartbeats

    async def beat(self, order: OrderRecord, progress: dict[str, Any] | None = None) -> BeatAnswer:
        """Keep the lease alive. Raises Problem LEASE_LOST."""
        return await self._desk.heartbeat(order.order_id, self._desk.token_of(order), progress)

    async def touch(self, vtid: str, said: Said, progress: dict[str, Any]) -> None:
        """Any call of the holder is a sign of life and of progress; a caller without a lease changes nothing."""
        standing = await self.standing(vtid, said)
        if standing.mine is None:
            return
        try:
            await self.beat(standing.mine, progress)
        except Problem as problem:
            if problem.code != "LEASE_LOST":
                raise

    async def settled(self, vtid: str) -> None:
        """Wait, within bounds, until the run of this task is over or blocked."""
        until = self._now() + timedelta(seconds=self._hold_seconds)
        while not self._closing:
            position = await self._ledger.events.last_position()
            run = (await self._ledger.tasks.get(vtid)).run
            left = (until - self._now()).total_seconds()
            if run is None or run.state == "closed" or run.view.status is TaskStatus.BLOCKED or left <= 0:
                return
            await self._ledger.events.more(position, min(left, 1.0))

    def close(self) -> None:
        """Let every waiting call go: the process ends."""
        self._closing = True


def _speaks_for(said: Said, order: OrderRecord) -> bool:
    """Whether the call may mean this order's lease: whatever it names of worker, run and attempt must fit."""
    if order.worker is None:
        return False
    run_id, attempt = said.anywhere("run_id"), said.number("attempt") or said.details.number("attempt")
    fits = said.worker in (None, order.worker) and run_id in ("", order.run_id)
    return fits and attempt in (None, order.attempt)


def _not_claimed(
    code: str, reason: str, claimed_by: str | None = None, expires_at: datetime | None = None
) -> Problem:
    until = moment(expires_at) if expires_at else None
    return Problem(code, reason, claimed=False, reason=reason, claimed_by=claimed_by, expires_at=until)
