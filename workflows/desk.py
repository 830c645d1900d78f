"""The desk where workers speak to a run: claim, evidence, failure, release.

Messages are refused here by their validators and otherwise only noted; the WORKER stage alone decides
what they mean.
"""

from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from vtid.domain.commands.messages import Acknowledge, LeaseTerms, ReleaseLease, ReportFailure, SubmitEvidence
from vtid.domain.commands.work_orders import OfferWorkOrder
from vtid.domain.evidence import ClaimedEvidence, InvalidEvidence, check_sha, parse_pull_url
from workflows.story import Story


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


class Desk:
    """The order that lies ready, the lease that is held, and what its holder said."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self.offered: OfferWorkOrder | None = None
        self.lease: Lease | None = None
        self.attempts = 0
        self._takes_evidence = True

    def close(self) -> None:
        """Take no evidence any more: nobody would look at it. Who holds a lease may still say that they stopped."""
        self._takes_evidence = False

    def claimed(self, order: OfferWorkOrder) -> bool:
        return self.lease is not None and self.lease.terms.order_id == order.order_id

    def check_acknowledge(self, message: Acknowledge) -> None:
        """Exactly one worker wins an order; the winner may ask again and hears the same."""
        lease = self.lease
        if lease is not None and not lease.closed and lease.terms.order_id == message.order_id:
            if lease.worker != message.worker:
                raise ApplicationError(f"held by {lease.worker}", type="ALREADY_CLAIMED")
        elif self.offered is None or self.offered.order_id != message.order_id:
            raise ApplicationError(f"order {message.order_id} is not offered", type="LEASE_LOST")

    def acknowledge(self, message: Acknowledge) -> LeaseTerms:
        """Open the attempt of the worker that won."""
        if self.lease is not None and self.lease.terms.order_id == message.order_id:
            return self.lease.terms
        self.attempts += 1
        terms = LeaseTerms(self.attempts, message.order_id, workflow.now())
        self.lease = Lease(terms, message.worker, message.mode)
        self.offered = None
        self._story.tell(
            "work_order.claimed",
            actor=f"worker:{message.worker}",
            order_id=message.order_id,
            attempt=terms.attempt,
            worker=message.worker,
            mode=message.mode,
        )
        return terms

    def check_evidence(self, message: SubmitEvidence) -> None:
        """The lease fences: only the worker of the open attempt is heard. The shape is checked as well.

        An empty address means: the worker says that it is done, and names no pull request.
        """
        try:
            if message.evidence.pr_url:
                parse_pull_url(message.evidence.pr_url)
            if message.evidence.head_sha is not None:
                check_sha(message.evidence.head_sha)
        except InvalidEvidence as wrong:
            raise ApplicationError(str(wrong), type="VALIDATION") from wrong
        if self._is_repeat_of_submitted(message):
            return
        if not self._takes_evidence:
            raise ApplicationError("the run is being cancelled", type="LEASE_LOST")
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
        lease = self.lease
        same_attempt = lease is not None and (lease.terms.attempt, lease.worker) == (
            message.attempt,
            message.worker,
        )
        return same_attempt and lease is not None and lease.submitted == message.evidence

    def _check_lease(self, attempt: int, worker: str) -> None:
        lease = self.lease
        if lease is None or lease.closed or lease.answered:
            raise ApplicationError("no lease is open", type="LEASE_LOST")
        if (lease.terms.attempt, lease.worker) != (attempt, worker):
            raise ApplicationError(
                f"attempt {lease.terms.attempt} is held by {lease.worker}",
                {"holder": lease.worker},
                type="LEASE_LOST",
            )

    def _open_lease(self) -> Lease:
        if self.lease is None:
            raise ApplicationError("no lease is open", type="LEASE_LOST")
        return self.lease
