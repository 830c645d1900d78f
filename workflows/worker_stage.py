"""WORKER: attempts until one of them brings evidence that GitHub confirms."""

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError
from temporalio.exceptions import TimeoutError as TemporalTimeout

from activities.bookkeeping import WorkOrders
from activities.leases import Leases
from activities.pull_requests import PullRequests
from vtid.domain.commands.pull_requests import FindEvidence
from vtid.domain.commands.work_orders import HoldLease, ReadLateClaims, ReadProgress
from vtid.domain.evidence import (
    ClaimedEvidence,
    Evidence,
    EvidenceSource,
    contradictions,
    parse_pull_url,
    refuse_claim,
)
from vtid.domain.failures import RunStopped
from vtid.domain.limits import MORE_WINDOWS, SUSPECT_AFTER_SHARE
from workflows.course import Course, one_try
from workflows.desk import Desk, Lease
from workflows.offers import Offers
from workflows.planner_stage import Switch
from workflows.story import waiting

LOOKS_FOR_UNNAMED = 2  # GitHub may lag behind a worker that has just opened its pull request

CLOCK_SLACK = timedelta(minutes=5)  # between GitHub's clock and Temporal's


class WorkerStage:
    def __init__(self, course: Course, switch: Switch) -> None:
        self._course = course
        self.desk = Desk(course.story)
        self._offers = Offers(course, switch, self.desk)

    async def get_evidence(self) -> Evidence:
        """Attempts until one brings evidence that GitHub confirms. Raises RunStopped after the last."""
        allowed = self._course.limits["attempts"].tries
        repair = self._course.repair
        note = f"to be mended: {repair.reason}" if repair else ""
        for left in reversed(range(allowed)):
            lease = await self._offers.get_claimed(note)
            try:
                return await self._work(lease)
            except RunStopped as stop:
                self._tell_ended(lease, stop)
                # Good work of a worker that was lost is not thrown away; what its worker disowned is not taken.
                if stop.kind.code != "WORKER_FAILED":
                    good_work = await self._look_on_github(1)
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
        self.desk.close()
        await self._offers.withdraw("the run was cancelled")
        lease = self.desk.lease
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
        confirmed = await self._course.until(lambda: lease.answered or _is_cancelled(handle), window, what)
        lease.closed = True
        return f"worker {lease.worker} {'confirmed the stop' if confirmed else 'did not confirm the stop'}"

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
        window = one_try(self._course.limits[name])
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
            found = await self._look_on_github(self._course.limits["find_evidence"].tries)
            if lease.answered or found is not None:
                return None if lease.answered else found
            text = f"worker {lease.worker} made no progress for {window}, and GitHub has no {self._sought}"
            raise RunStopped("EVIDENCE_TIMEOUT", text)

    async def _reopen_or_stop(self, lease: Lease, reopened: int) -> None:
        """The lease ended without an answer: by silence, by its cap, or because *we* were down."""
        stop = _why_ended(lease)
        beat = (
            await self._course.quietly(WorkOrders.read_progress, ReadProgress(lease.terms.order_id))
        ).last_beat_at
        silence = self._course.limits["hold_lease"].heartbeat
        # Alive is a worker that is not even suspect. The ledger hears each beat a moment after Temporal, so
        # a beat as old as the silence itself says nothing that Temporal did not know.
        alive = (
            silence is not None and beat is not None and workflow.now() - beat < silence * SUSPECT_AFTER_SHARE
        )
        if stop.kind.code == "WORKER_LOST" and alive and reopened <= MORE_WINDOWS and not lease.answered:
            # Its heartbeats reached the ledger while Temporal could not be reached: the silence was ours.
            lease.handle = self._open_activity(lease)
            return
        if not lease.answered:
            raise stop

    async def _confirm(self, claim: ClaimedEvidence) -> Evidence:
        """Read the claim again on GitHub. Raises RunStopped EVIDENCE_REFUSED when it does not hold."""
        self._course.story.tell("evidence.claimed", source=EvidenceSource.HANDED_IN, **_claim(claim))
        if not claim.pr_url:
            return await self._find_for(claim)
        repository, number = parse_pull_url(claim.pr_url)
        pull = None
        if repository.casefold() == self._course.request.repository.casefold():
            look = (self._course.request.repository, number, claim.head_sha or "")
            looks = self._course.limits["gather_facts"].tries
            pull = (await self._course.gather_facts(*look, looks=looks)).pull_request
        facts = self._course.facts
        # A pull request elsewhere was not looked at, which contradicts nothing.
        if pull is not None or facts is not None:
            self._tell_contradictions(claim, contradictions(claim, pull, facts.files if facts else None))
        reason = refuse_claim(claim, pull, self._course.request.repository, adopted=False)
        if pull is None or reason is not None:
            self._course.facts = None
            self._course.story.tell("evidence.refused", pr_url=claim.pr_url, reason=reason)
            raise RunStopped("EVIDENCE_REFUSED", reason or "")
        return Evidence(EvidenceSource.HANDED_IN, pull, claim)

    def _tell_contradictions(self, claim: ClaimedEvidence, found: dict[str, tuple[str, str]]) -> None:
        for name, (said, seen) in found.items():
            self._course.story.tell(
                "evidence.contradicted", field=name, claimed=said, observed=seen, by=claim.by
            )

    async def _find_for(self, claim: ClaimedEvidence) -> Evidence:
        """A claim of success that names no pull request is as good as what GitHub shows."""
        found = await self._look_on_github(LOOKS_FOR_UNNAMED)
        if found is not None:
            return found
        reason = f"worker {claim.by} claims success, and GitHub has no {self._sought}"
        self._tell_contradictions(claim, contradictions(claim, None))
        self._course.story.tell("evidence.refused", pr_url="", reason=reason)
        raise RunStopped("EVIDENCE_REFUSED", reason)

    @property
    def _sought(self) -> str:
        """What GitHub is asked for: a repair shows as another head, not as another pull request."""
        return "new commit" if self._course.repair else "pull request"

    async def _look_on_github(self, looks: int) -> Evidence | None:
        late = await self._course.quietly(WorkOrders.read_late_claims, ReadLateClaims(workflow.info().run_id))
        what = f"GitHub to show a pull request of {self._course.request.vtid}"
        request, repair = self._course.request, self._course.repair
        look = FindEvidence(
            request.vtid,
            request.repository,
            request.environment,
            named=(repair.pr_url,) if repair else tuple(late),
            since=workflow.info().start_time
            - CLOCK_SLACK,  # work of an earlier run is adopted, or not at all
            looks=looks,
            mends=repair.head_sha if repair else None,
        )
        search = await self._course.step(PullRequests.find_evidence, look, what, "GitHub")
        return Evidence(EvidenceSource.FOUND, search.pull_request) if search.pull_request else None

    def _tell_ended(self, lease: Lease, stop: RunStopped) -> None:
        if self._course.repair is None:  # else it is the branch of the evidence itself
            self._course.lost_branches.append(self._offers.branch)
        self._course.story.tell(
            "attempt.ended",
            attempt=lease.terms.attempt,
            worker=lease.worker,
            order_id=lease.terms.order_id,
            code=stop.kind.code,
            message=stop.message,
        )


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
