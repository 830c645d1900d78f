"""What workers and people send to a run under way: its updates and signals, and what they get back."""

from dataclasses import dataclass
from datetime import datetime

from vtid.domain.evidence import ClaimedEvidence
from vtid.domain.stages import Move


@dataclass(frozen=True)
class Acknowledge:
    """A worker claims the order that lies ready. mode: `attended` (it beats) or `unattended`."""

    order_id: str
    worker: str
    mode: str = "attended"


@dataclass(frozen=True)
class LeaseTerms:
    """What an accepted claim got: its attempt, and when the lease was opened."""

    attempt: int
    order_id: str
    opened_at: datetime


@dataclass(frozen=True)
class SubmitEvidence:
    attempt: int
    worker: str
    evidence: ClaimedEvidence


@dataclass(frozen=True)
class ReportFailure:
    attempt: int
    worker: str
    message: str
    retryable: bool = True


@dataclass(frozen=True)
class ReleaseLease:
    attempt: int
    worker: str
    reason: str = ""


@dataclass(frozen=True)
class Rescue:
    """A person's decision about a blocked run."""

    move: Move
    by: str
    reason: str = ""
    pr_url: str | None = None
    rule: str | None = None


@dataclass(frozen=True)
class CancelRun:
    """Why the cancel that follows is asked for, and by whom."""

    by: str
    reason: str = ""


@dataclass(frozen=True)
class SwitchChanged:
    """A hint that the emergency stop was switched; the run reads the switch itself."""

    armed: bool = True


@dataclass(frozen=True)
class DeploymentClaimed:
    """A worker says that its change is deployed: a claim, never proof."""

    by: str
    says: str
