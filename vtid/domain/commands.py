"""What a run is started with, what its activities are told, and what they answer.

Commands are imperatives named like their activity; answers are nouns. All of it travels in Temporal
histories: ids and hashes, never spec texts, diffs or secrets.
"""

from dataclasses import dataclass, field
from datetime import datetime

from vtid.domain.change import Check, Checks, DeployRun, PullRequest
from vtid.domain.deployment import Link
from vtid.domain.environment import Environment, Service
from vtid.domain.events import RunEvent
from vtid.domain.evidence import ClaimedEvidence
from vtid.domain.limits import Limit
from vtid.domain.merged_before import Approval
from vtid.domain.migrations import Migrations
from vtid.domain.notice import Notice
from vtid.domain.repair import Repair
from vtid.domain.stages import Move
from vtid.domain.verdict import Facts, Pinned


@dataclass(frozen=True)
class RunRequest:
    """The input of a run. `start_id` names the row that the API wrote before the start."""

    vtid: str
    start_id: str
    title: str
    spec_hash: str
    spec_version: int
    repository: str
    environment: Environment
    limits: dict[str, Limit]
    services: tuple[str, ...] = ()  # empty: decided by the changed paths
    priority: int = 3
    requested_by: str = ""
    page_url: str = ""  # where the API's page shows this run

    @property
    def base(self) -> str:
        return self.environment.base_branch


@dataclass(frozen=True)
class RunReport:
    """How a completed run ended. All the rest stands in the ledger."""

    vtid: str
    status: str
    outcome: str
    commit: str | None = None  # on the base branch


# --- PLANNER


@dataclass(frozen=True)
class ReadArmed:
    """Read the emergency stop."""


@dataclass(frozen=True)
class Armed:
    armed: bool
    reason: str = ""


@dataclass(frozen=True)
class LoadTask:
    vtid: str
    spec_hash: str


@dataclass(frozen=True)
class LoadedTask:
    """The task as the ledger has it now; hashes None when there is no spec or no approval.

    approvals: those of its spec, of every version; the newest when there were very many.
    """

    vtid: str
    status: str
    created_at: datetime
    spec_hash: str | None
    spec_bytes_hash: str | None
    approved_hash: str | None
    armed: Armed | None = None  # the emergency stop, read in the same step
    current_run_id: str | None = None  # None: the ledger does not know yet which one it is
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True)
class FindMergedChange:
    """Look for a merged pull request of this VTID that was created since the task was, and built for this spec."""

    vtid: str
    repository: str
    environment: Environment
    since: datetime
    spec_hash: str
    approvals: tuple[Approval, ...]


# --- WORKER


@dataclass(frozen=True)
class OfferWorkOrder:
    order_id: str
    vtid: str
    run_id: str
    offer: int
    attempt: int  # the attempt that a claim would open
    spec_hash: str
    repository: str
    base: str
    branch: str
    priority: int
    heartbeat_seconds: float
    lost_seconds: float
    progress_seconds: float
    unattended_progress_seconds: float
    cap_seconds: float
    note: str = ""  # why the attempt before this one ended, for the next worker
    repair: Repair | None = None  # what to mend, on which branch; None: build it
    requires: tuple[str, ...] = ()  # capabilities that its worker must have

    @property
    def kind(self) -> str:
        return "build" if self.repair is None else "repair"


@dataclass(frozen=True)
class WithdrawOrder:
    order_id: str
    reason: str


@dataclass(frozen=True)
class ReadWorkers:
    seen_within_seconds: float


@dataclass(frozen=True)
class Workers:
    """Who is there: seen lately, and of them free or holding a lease."""

    free: int
    busy: int

    @property
    def present(self) -> int:
        return self.free + self.busy


@dataclass(frozen=True)
class ReadLateClaims:
    run_id: str


@dataclass(frozen=True)
class HoldLease:
    vtid: str
    order_id: str
    attempt: int
    worker: str


@dataclass(frozen=True)
class ReadProgress:
    order_id: str


@dataclass(frozen=True)
class Progress:
    last_progress_at: datetime | None
    last_beat_at: datetime | None


@dataclass(frozen=True)
class FindEvidence:
    """Look on GitHub: for the claimed pull request if one is named, else by branch convention.

    `named`: addresses from refused, late answers, looked at first. `looks`: how often finding nothing is
    looked at again, with the step's back-off. `mends`: a head that is no evidence any more, since it is to be mended;
    then nothing but what is named is looked at.
    """

    vtid: str
    repository: str
    environment: Environment
    claimed: ClaimedEvidence | None = None
    adopted: bool = False
    named: tuple[str, ...] = ()
    since: datetime | None = None
    looks: int = 1
    mends: str | None = None


# --- VALIDATOR


@dataclass(frozen=True)
class GatherFacts:
    """`sha`: the head to read the checks of; empty: the one it has now.

    `looks`: how often a pull request that is not there is looked for, since GitHub may lag. `lost_branches`:
    those that attempts of this run which are lost were told to use.
    """

    vtid: str
    repository: str
    number: int
    sha: str
    environment: Environment
    looks: int = 1
    lost_branches: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judge:
    """Judge these facts; the task is read from the ledger in the same step."""

    pinned: Pinned
    facts: Facts


@dataclass(frozen=True)
class AwaitChecks:
    """Wait until the checks of exactly this commit are decided and GitHub knows whether it merges."""

    repository: str
    number: int
    sha: str
    base: str
    environment: Environment
    missing_after_seconds: float
    since: datetime


@dataclass(frozen=True)
class ReadLogs:
    """Read what these red checks say, for the worker that is to mend them. `looks`: tries before it goes without."""

    repository: str
    checks: tuple[Check, ...]
    looks: int


@dataclass(frozen=True)
class CheckLog:
    """The end of what a check says, or why it could not be read."""

    name: str
    log: str = ""
    problem: str | None = None


@dataclass(frozen=True)
class CheckedChange:
    pull_request: PullRequest
    checks: Checks


# --- DEPLOY


@dataclass(frozen=True)
class MergePullRequest:
    """Merge exactly this head, if the checks that the verdict saw are still green.

    notice: the verdict, written on the head before the merge is sent.
    """

    vtid: str
    repository: str
    number: int
    head_sha: str
    title: str
    environment: Environment
    notice: Notice | None = None
    checks_skipped: bool = False  # by a named person, for this head


@dataclass(frozen=True)
class AwaitMerge:
    """Wait for a person to merge exactly this head into this base."""

    repository: str
    number: int
    head_sha: str
    base: str


@dataclass(frozen=True)
class AwaitQueue:
    """Wait for the merge queue of `base`, entered at this moment, to merge exactly this head."""

    repository: str
    number: int
    head_sha: str
    base: str
    entered_at: datetime


@dataclass(frozen=True)
class LeaveQueue:
    """Take a pull request out of the merge queue, if it is still in it."""

    repository: str
    number: int


@dataclass(frozen=True)
class DispatchDeploy:
    """Start the deploy workflow once. `nonce` finds a dispatch whose answer was lost."""

    vtid: str
    repository: str
    environment: Environment
    commit: str
    nonce: str
    since: datetime


@dataclass(frozen=True)
class AwaitDeployRun:
    repository: str
    environment: Environment
    commit: str
    missing_after_seconds: float
    since: datetime
    run_id: int | None = None  # of the run that we dispatched


@dataclass(frozen=True)
class VerifyMigrations:
    """Hold the migrations of this commit against the environment's database."""

    repository: str
    commit: str
    base: str
    migrations: Migrations


@dataclass(frozen=True)
class ProveDeployment:
    repository: str
    environment: Environment
    services: tuple[Service, ...]
    commit: str
    base: str
    deploy_run: DeployRun | None  # None: nothing is deployed, only the commit is proven


@dataclass(frozen=True)
class ReadServing:
    """See what serves before anything of ours is merged: it is what a rollback goes back to."""

    repository: str
    environment: Environment
    services: tuple[Service, ...]


@dataclass(frozen=True)
class ServedBefore:
    """A revision that had all traffic of a service (by its name on the host), and its commit."""

    service: str
    revision: str
    commit: str


@dataclass(frozen=True)
class RollBack:
    """Shift all traffic of one service back, if our commit alone serves and nobody pinned it."""

    repository: str
    environment: Environment
    service: Service
    commit: str
    before: ServedBefore


@dataclass(frozen=True)
class RolledBack:
    """How a rollback ended. `held`: why traffic stayed as it was; else `to` serves, `proven` or not."""

    service: str
    to: ServedBefore
    held: str = ""
    proven: bool = False
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class DeploymentNote:
    """GitHub's deployment of one commit in one environment, and how it ended."""

    environment: str
    commit: str
    proven: bool
    says: str
    page_url: str


@dataclass(frozen=True)
class Report:
    """Tell GitHub: by a check run on this head and one comment (`notice`), by a deployment, or by all three.

    Each is found again before it is written, so a repeat changes nothing.
    """

    vtid: str
    repository: str
    number: int
    head_sha: str
    notice: Notice | None = None
    deployment: DeploymentNote | None = None


@dataclass(frozen=True)
class CheckWritten:
    """`degraded`: why it became a commit status instead of a check run; empty when it did not."""

    url: str
    degraded: str = ""


@dataclass(frozen=True)
class Reported:
    """What stands on GitHub now, and what could not be written: (what, why) each."""

    deployment: str | None = None
    check: CheckWritten | None = None
    comment: str | None = None
    failed: tuple[tuple[str, str], ...] = ()


# --- journal


@dataclass(frozen=True)
class RecordEvents:
    vtid: str
    run_id: str
    start_id: str
    events: tuple[RunEvent, ...]


@dataclass(frozen=True)
class Offer:
    """Put the order up, and record what was told until then: one step in place of two."""

    order: OfferWorkOrder
    told: RecordEvents


# --- messages to a run


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

    armed: bool = field(default=True)


@dataclass(frozen=True)
class DeploymentClaimed:
    """A worker says that its change is deployed: a claim, never proof."""

    by: str
    says: str
