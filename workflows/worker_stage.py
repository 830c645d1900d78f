"""WORKER: offer the order, hold a lease for whoever claims it, and come back with evidence.

Messages of workers (acknowledge, evidence, failure, release) are refused here by their validators and
otherwise only noted; `get_evidence` alone decides what they mean.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.exceptions import TimeoutError as TemporalTimeout

from activities.bookkeeping import WorkOrders
from activities.leases import Leases
from activities.pull_requests import PullRequests
from vtid.domain.commands import (
    Acknowledge,
    FindEvidence,
    HoldLease,
    LeaseTerms,
    OfferWorkOrder,
    ReadLateClaims,
    ReadProgress,
    ReadWorkers,
    ReleaseLease,
    ReportFailure,
    SubmitEvidence,
    WithdrawOrder,
)
from vtid.domain.evidence import (
    ClaimedEvidence,
    Evidence,
    EvidenceSource,
    InvalidEvidence,
    check_sha,
    contradictions,
    parse_pull_url,
    refuse_claim,
)
from vtid.domain.failures import RunStopped
from vtid.domain.limits import MORE_WINDOWS
from workflows.course import Course
from workflows.planner_stage import Switch
from workflows.story import waiting


@dataclass
class Lease:
    """One claimed attempt, from the acknowledgement until it ends."""

    terms: LeaseTerms
    worker: str
    mode: str
    handle: workflow.ActivityHandle[None] | None = None
    submitted: ClaimedEvidence | None = None
    failed: ReportFailure | None = None
    released: ReleaseLease | None = None
    closed: bool = False

    @property
    def answered(self) -> bool:
        return self.submitted is not None or self.failed is not None or self.released is not None


class WorkerStage:
    def __init__(self, course: Course, switch: Switch) -> None:
        self._course = course
        self._switch = switch
        self._offered: OfferWorkOrder | None = None
        self._lease: Lease | None = None
        self._offers = 0
        self._attempts = 0

    # ---------------------------------------------------------------- what workers say

    def check_acknowledge(self, message: Acknowledge) -> None:
        """Exactly one worker wins an order; the winner may ask again and hears the same."""
        lease = self._lease
        if lease is not None and not lease.closed and lease.terms.order_id == message.order_id:
            if lease.worker != message.worker:
                raise ApplicationError(f"held by {lease.worker}", type="ALREADY_CLAIMED")
        elif self._offered is None or self._offered.order_id != message.order_id:
            raise ApplicationError(f"order {message.order_id} is not offered", type="LEASE_LOST")

    def acknowledge(self, message: Acknowledge) -> LeaseTerms:
        """Open the attempt of the worker that won."""
        if self._lease is not None and self._lease.terms.order_id == message.order_id:
            return self._lease.terms
        self._attempts += 1
        terms = LeaseTerms(self._attempts, message.order_id, workflow.now())
        self._lease = Lease(terms, message.worker, message.mode)
        self._offered = None
        self._course.story.tell(
            "work_order.claimed",
            actor=f"worker:{message.worker}",
            order_id=message.order_id,
            attempt=terms.attempt,
            worker=message.worker,
            mode=message.mode,
        )
        return terms

    def check_evidence(self, message: SubmitEvidence) -> None:
        """The lease fences: only the worker of the open attempt is heard. The shape is checked as well."""
        try:
            parse_pull_url(message.evidence.pr_url)
            if message.evidence.head_sha is not None:
                check_sha(message.evidence.head_sha)
        except InvalidEvidence as wrong:
            raise ApplicationError(str(wrong), type="VALIDATION") from wrong
        if self._is_repeat_of_submitted(message):
            return
        self._check_lease(message.attempt, message.worker)

    def submit_evidence(self, message: SubmitEvidence) -> None:
        if not self._is_repeat_of_submitted(message):
            self._open_lease().submitted = message.evidence

    def check_failure(self, message: ReportFailure) -> None:
        self._check_lease(message.attempt, message.worker)

    def report_failure(self, message: ReportFailure) -> None:
        self._open_lease().failed = message

    def check_release(self, message: ReleaseLease) -> None:
        self._check_lease(message.attempt, message.worker)

    def release_lease(self, message: ReleaseLease) -> None:
        self._open_lease().released = message

    def _is_repeat_of_submitted(self, message: SubmitEvidence) -> bool:
        lease = self._lease
        same_attempt = lease is not None and (lease.terms.attempt, lease.worker) == (
            message.attempt,
            message.worker,
        )
        return same_attempt and lease is not None and lease.submitted == message.evidence

    def _check_lease(self, attempt: int, worker: str) -> None:
        lease = self._lease
        if lease is None or lease.closed or lease.answered:
            raise ApplicationError("no lease is open", type="LEASE_LOST")
        if (lease.terms.attempt, lease.worker) != (attempt, worker):
            raise ApplicationError(
                f"attempt {lease.terms.attempt} is held by {lease.worker}",
                {"holder": lease.worker},
                type="LEASE_LOST",
            )

    def _open_lease(self) -> Lease:
        if self._lease is None:
            raise ApplicationError("no lease is open", type="LEASE_LOST")
        return self._lease

    # ---------------------------------------------------------------- the stage

    async def get_evidence(self) -> Evidence:
        """Attempts until one brings evidence that GitHub confirms. Raises RunStopped after the last."""
        allowed = self._course.limits["attempts"].tries
        note = ""
        for left in reversed(range(allowed)):
            lease = await self._get_claimed(note)
            try:
                return await self._work(lease)
            except RunStopped as stop:
                self._tell_ended(lease, stop)
                good_work = await self._look_before_the_next_offer()
                if good_work is not None:
                    return good_work
                final = (
                    stop.kind.code == "WORKER_FAILED"
                    and lease.failed is not None
                    and not lease.failed.retryable
                )
                if left == 0 or final:
                    raise
                note = f"attempt {lease.terms.attempt} ended with {stop.kind.code}: {stop.message}"
        raise AssertionError("the last attempt returns or raises")

    async def stop_worker(self) -> str | None:
        """Tell the worker of an open lease to stop. Returns how that ended, None when nobody held one."""
        await self._withdraw("the run was cancelled")
        lease = self._lease
        if lease is None or lease.closed or lease.handle is None or lease.handle.done():
            return None
        window = self._course.limits["stop_confirmed"].whole_budget()
        handle = lease.handle
        handle.cancel()
        what = f"worker {lease.worker} to confirm the stop"
        self._course.story.tell(
            "wait.started", **waiting(what, workflow.now() + window, f"worker {lease.worker}")
        )
        await self._course.story.write()
        confirmed = await self._course.until(
            lambda: lease.released is not None or _is_cancelled(handle), window, what
        )
        lease.closed = True
        return f"worker {lease.worker} {'confirmed the stop' if confirmed else 'did not confirm the stop'}"

    # ---------------------------------------------------------------- offer and pickup

    async def _get_claimed(self, note: str) -> Lease:
        """Offer until somebody claims. Raises RunStopped PICKUP_TIMEOUT when nobody does."""
        pickup = self._course.limits["pickup"]
        for nth in range(pickup.tries):
            if nth:
                await self._course.until(
                    lambda: False, pickup.pause_after(nth), "back-off before the next offer"
                )
            lease = await self._offer_once(note)
            if lease is not None:
                return lease
        raise RunStopped("PICKUP_TIMEOUT", f"{pickup.tries} offers, and no worker took one")

    async def _offer_once(self, note: str) -> Lease | None:
        """One order, until it is claimed, or nobody came for it, or the emergency stop took it back."""
        while True:
            await self._switch.await_armed()
            order = self._next_order(note)
            await self._offer(order)
            claimed = await self._await_claim(order)
            if claimed is not None:
                return claimed
            if self._offered is None:  # taken back by the emergency stop: offered again once armed
                continue
            await self._withdraw("nobody took it in time")
            return None

    def _next_order(self, note: str) -> OfferWorkOrder:
        request, limits = self._course.request, self._course.limits
        self._offers += 1
        run_id, attempt, lease = workflow.info().run_id, self._attempts + 1, limits["hold_lease"]
        silence = lease.heartbeat or timedelta(seconds=90)
        return OfferWorkOrder(
            order_id=f"{request.vtid}-{run_id[:8]}-{self._offers}",
            vtid=request.vtid,
            run_id=run_id,
            offer=self._offers,
            attempt=attempt,
            spec_hash=request.spec_hash,
            repository=request.repository,
            base=request.base,
            branch=request.environment.branch_for(request.vtid, run_id, attempt),
            priority=request.priority,
            heartbeat_seconds=silence.total_seconds() / 3,
            lost_seconds=silence.total_seconds(),
            progress_seconds=_one_try(limits["progress"].one_try).total_seconds(),
            unattended_progress_seconds=_one_try(limits["progress_unattended"].one_try).total_seconds(),
            cap_seconds=lease.whole_budget().total_seconds(),
            note=note,
        )

    async def _offer(self, order: OfferWorkOrder) -> None:
        self._offered = order
        window = _one_try(self._course.limits["pickup"].one_try)
        self._course.story.tell(
            "work_order.offered", order_id=order.order_id, offer=order.offer, attempt=order.attempt
        )
        wait = waiting("a worker to pick up the order", workflow.now() + window, "worker")
        self._course.story.tell("step.started", step="pickup", waiting=wait)
        await self._course.quietly(WorkOrders.offer_work_order, order)
        await self._course.story.write()

    async def _await_claim(self, order: OfferWorkOrder) -> Lease | None:
        pickup, busy = self._course.limits["pickup"], self._course.limits["busy_workers"]
        window = _one_try(pickup.one_try)
        give_up = workflow.now() + busy.whole_budget()
        alarmed = False
        while True:
            hints = self._switch.hints
            await self._course.until(
                lambda: self._claimed(order) or self._switch.hints != hints,  # noqa: B023 - awaited here
                window,
                f"pickup of {order.order_id}",
            )
            if self._claimed(order):
                return self._lease
            if self._switch.hints != hints:
                if not (await self._switch.read()).armed and not self._claimed(order):
                    await self._withdraw("the emergency stop is on")
                    return None
                continue
            workers = await self._course.quietly(
                WorkOrders.read_workers, ReadWorkers(_one_try(pickup.one_try).total_seconds())
            )
            if self._claimed(order):
                return self._lease
            if not alarmed:
                self._course.story.tell(
                    "work_order.unclaimed",
                    order_id=order.order_id,
                    seconds=window.total_seconds(),
                    present=workers.present,
                    free=workers.free,
                    busy=workers.busy,
                )
                alarmed = True
            if workers.free or not workers.busy or workflow.now() >= give_up:
                return None
            window = _one_try(busy.one_try)
            what = f"a free worker ({workers.busy} busy)"
            self._course.story.tell("wait.started", **waiting(what, give_up, "worker"))
            await self._course.story.write()

    def _claimed(self, order: OfferWorkOrder) -> bool:
        return self._lease is not None and self._lease.terms.order_id == order.order_id

    async def _withdraw(self, reason: str) -> None:
        order, self._offered = self._offered, None
        if order is not None:
            self._course.story.tell("work_order.withdrawn", order_id=order.order_id, reason=reason)
            await self._course.quietly(WorkOrders.withdraw_order, WithdrawOrder(order.order_id, reason))
            await self._course.story.write()

    # ---------------------------------------------------------------- lease

    async def _work(self, lease: Lease) -> Evidence:
        """Hold the lease until the worker answers, falls silent, stands still or runs into the cap."""
        lease.handle = self._open_activity(lease)
        try:
            found = await self._await_answer(lease)
        except RunStopped:
            self._close(lease)
            raise
        self._close(lease)
        if found is not None:
            return found
        if lease.failed is not None:
            raise RunStopped("WORKER_FAILED", f"worker {lease.worker} failed: {lease.failed.message}")
        if lease.submitted is None:
            reason = lease.released.reason if lease.released else ""
            raise RunStopped(
                "WORKER_FAILED", f"worker {lease.worker} gave the order back: {reason or 'no reason'}"
            )
        return await self._confirm(lease.submitted)

    def _open_activity(self, lease: Lease) -> workflow.ActivityHandle[None]:
        limit = self._course.limits["hold_lease"]
        # A lease that is opened again, after we were down, keeps the cap of its attempt.
        left = limit.whole_budget() - (workflow.now() - lease.terms.opened_at)
        command = HoldLease(
            self._course.request.vtid, lease.terms.order_id, lease.terms.attempt, lease.worker
        )
        return workflow.start_activity_method(
            Leases.hold_lease,
            command,
            activity_id=f"lease-{lease.terms.attempt}",
            start_to_close_timeout=max(left, timedelta(seconds=1)),
            schedule_to_close_timeout=max(left, timedelta(seconds=1)),
            heartbeat_timeout=limit.heartbeat if lease.mode == "attended" else None,
            retry_policy=RetryPolicy(maximum_attempts=limit.tries),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=f"lease of {lease.worker}, attempt {lease.terms.attempt}",
        )

    def _close(self, lease: Lease) -> None:
        lease.closed = True
        if lease.handle is not None and not lease.handle.done():
            lease.handle.cancel()

    async def _await_answer(self, lease: Lease) -> Evidence | None:
        """None once the worker has answered; evidence when GitHub had it before the worker told."""
        name = "progress" if lease.mode == "attended" else "progress_unattended"
        window = _one_try(self._course.limits[name].one_try)
        stands_still_at = workflow.now() + window
        reopened = 0
        while True:
            wait = waiting(
                f"worker {lease.worker} to hand in evidence", stands_still_at, f"worker {lease.worker}"
            )
            self._course.story.tell("step.started", step="lease", attempt=lease.terms.attempt, waiting=wait)
            await self._course.story.write()
            rest = max(stands_still_at - workflow.now(), timedelta(seconds=1))
            happened = await self._course.until(lambda: lease.answered or _is_done(lease), rest, "progress")
            if lease.answered:
                return None
            if happened:
                reopened += 1
                await self._reopen_or_stop(lease, reopened)
                continue
            moved_at = (
                await self._course.quietly(WorkOrders.read_progress, ReadProgress(lease.terms.order_id))
            ).last_progress_at
            if moved_at is not None and moved_at + window > stands_still_at:
                stands_still_at = moved_at + window
                continue
            found = await self._look_on_github(patient=True)
            if lease.answered or found is not None:
                return None if lease.answered else found
            text = f"worker {lease.worker} made no progress for {window}, and GitHub has no pull request"
            raise RunStopped("EVIDENCE_TIMEOUT", text)

    async def _reopen_or_stop(self, lease: Lease, reopened: int) -> None:
        """The lease ended without an answer: by silence, by its cap, or because *we* were down."""
        stop = _why_ended(lease)
        beat = (
            await self._course.quietly(WorkOrders.read_progress, ReadProgress(lease.terms.order_id))
        ).last_beat_at
        silence = self._course.limits["hold_lease"].heartbeat
        alive = silence is not None and beat is not None and workflow.now() - beat < silence
        if stop.kind.code == "WORKER_LOST" and alive and reopened <= MORE_WINDOWS and not lease.answered:
            # Its heartbeats reached the ledger while Temporal could not be reached: the silence was ours.
            lease.handle = self._open_activity(lease)
            return
        if not lease.answered:
            raise stop

    # ---------------------------------------------------------------- evidence

    async def _confirm(self, claim: ClaimedEvidence) -> Evidence:
        """Read the claim again on GitHub. Raises RunStopped EVIDENCE_REFUSED when it does not hold."""
        self._course.story.tell("evidence.claimed", source=EvidenceSource.HANDED_IN, **_claim(claim))
        repository, number = parse_pull_url(claim.pr_url)
        pull = None
        if repository.casefold() == self._course.request.repository.casefold():
            look = (self._course.request.repository, number, claim.head_sha or "")
            pull = (await self._course.gather_facts(*look, patient=True)).pull_request
        reason = refuse_claim(claim, pull, self._course.request.repository, adopted=False)
        if pull is None or reason is not None:
            self._course.facts = None
            self._course.story.tell("evidence.refused", pr_url=claim.pr_url, reason=reason)
            raise RunStopped("EVIDENCE_REFUSED", reason or "")
        for name, (said, seen) in contradictions(claim, pull).items():
            self._course.story.tell("evidence.contradicted", field=name, claimed=said, observed=seen)
        return Evidence(EvidenceSource.HANDED_IN, pull, claim)

    async def _look_on_github(self, *, patient: bool) -> Evidence | None:
        late = await self._course.quietly(WorkOrders.read_late_claims, ReadLateClaims(workflow.info().run_id))
        what = f"GitHub to show a pull request of {self._course.request.vtid}"
        request = self._course.request
        look = FindEvidence(
            request.vtid,
            request.repository,
            request.environment,
            named=tuple(late),
            since=self._course.since,
            patient=patient,
        )
        search = await self._course.step(PullRequests.find_evidence, look, what, "GitHub")
        return Evidence(EvidenceSource.FOUND, search.pull_request) if search.pull_request else None

    async def _look_before_the_next_offer(self) -> Evidence | None:
        """Good work is not thrown away: one look on GitHub before somebody builds the same again."""
        return await self._look_on_github(patient=False)

    def _tell_ended(self, lease: Lease, stop: RunStopped) -> None:
        self._course.story.tell(
            "attempt.ended",
            attempt=lease.terms.attempt,
            worker=lease.worker,
            order_id=lease.terms.order_id,
            code=stop.kind.code,
            message=stop.message,
        )


def _one_try(limit: timedelta | None) -> timedelta:
    if limit is None:
        raise ValueError("this limit has no 'one try'")
    return limit


def _claim(claim: ClaimedEvidence) -> dict[str, Any]:
    return {
        "pr_url": claim.pr_url,
        "head_sha": claim.head_sha,
        "branch": claim.branch,
        "files": claim.files[:50],
        "summary": claim.summary[:1000],
        "by": claim.by,
    }


def _is_done(lease: Lease) -> bool:
    return lease.handle is not None and lease.handle.done()


def _is_cancelled(handle: workflow.ActivityHandle[None]) -> bool:
    return handle.done() and (handle.cancelled() or not isinstance(_cause(handle), TemporalTimeout))


def _cause(handle: workflow.ActivityHandle[None]) -> BaseException | None:
    error = handle.exception()
    return error.cause if isinstance(error, ActivityError) else error


def _why_ended(lease: Lease) -> RunStopped:
    """Silence, cap, or something that nobody asked for."""
    cause = _cause(lease.handle) if lease.handle is not None else None
    if isinstance(cause, TemporalTimeout) and cause.type is not None and cause.type.name == "HEARTBEAT":
        return RunStopped("WORKER_LOST", f"worker {lease.worker} fell silent")
    if isinstance(cause, TemporalTimeout):
        return RunStopped("WORKER_TIMEOUT", f"worker {lease.worker} ran into the cap of its attempt")
    return RunStopped("WORKER_LOST", f"the lease of worker {lease.worker} was ended from outside: {cause}")
