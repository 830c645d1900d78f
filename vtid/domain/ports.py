"""What the steps of a run need from the world, in our words. Adapters implement it.

Ports of the code host and the service host are synchronous: their clients block, so their steps run in
threads. They raise the errors of vtid.domain.errors and nothing else. The ledger's are asynchronous.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from vtid.domain.change import (
    Ancestry,
    BranchRules,
    ChangedFiles,
    Check,
    DeploymentClaim,
    DeployRun,
    MergeAnswer,
    PullRequest,
    QueuePlace,
)
from vtid.domain.commands.ledger import Armed, LoadedTask, RecordEvents
from vtid.domain.commands.pull_requests import MergePullRequest
from vtid.domain.commands.reports import CheckWritten
from vtid.domain.commands.work_orders import OfferWorkOrder, Progress, Workers
from vtid.domain.deployment import LiveAnswer, RevisionSeen, ServiceSeen
from vtid.domain.drift import ServiceSettings
from vtid.domain.environment import Environment, Service
from vtid.domain.events import RunEvent
from vtid.domain.group_checks import WorkflowFile
from vtid.domain.migrations import DatabaseSeen, MigrationFiles, Migrations
from vtid.domain.notice import Notice
from vtid.domain.notifications import Answer
from vtid.domain.serving import TellServing
from vtid.domain.verdict import TaskFacts


class MigrationSource(Protocol):
    """Where the migrations of a commit are."""

    def migration_files(self, repository: str, ref: str, migrations: Migrations) -> MigrationFiles:
        """The migrations of a commit, or of the tip of a branch."""


class CodeHost(MigrationSource, Protocol):
    """Where the code lives: pull requests, checks, merges, deploy runs."""

    def pull_request(self, repository: str, number: int) -> PullRequest | None:
        """The pull request as it is now, or None when there is none of this number."""

    def find_pull_requests(
        self, repository: str, vtid: str, environment: Environment, since: datetime | None = None
    ) -> Sequence[PullRequest]:
        """Every open, closed or merged pull request on the base branch that belongs to the VTID.

        It belongs by branch convention or by naming the VTID in its title; newest first; created since.
        """

    def changed_files(self, repository: str, number: int) -> ChangedFiles:
        """All pages of the files that a pull request changes, searched for secret-looking values."""

    def checks(self, repository: str, sha: str) -> tuple[Check, ...]:
        """All pages of check runs (the latest of each name) and commit statuses of exactly this commit."""

    def check_log(self, repository: str, check: Check) -> str:
        """The end of what a check run says: its output, and the log of its job when it is one of GitHub Actions.

        Bounded, with secret-looking values masked; empty when it says nothing.
        """

    def required_checks(self, repository: str, branch: str) -> tuple[str, ...]:
        """The names of the checks that the branch's own rules require."""

    def merge(self, command: MergePullRequest) -> MergeAnswer:
        """Compare-and-swap: read, merge exactly this head, and read again after an unclear answer.

        A merged pull request stays merged: its commit is returned. Where the branch has a merge queue it is entered with
        exactly this head, once: QUEUED. Raises Unavailable when the answer was lost and reading shows that
        nothing was merged.
        """

    def queue_place(self, repository: str, number: int) -> QueuePlace:
        """Where the pull request stands in its branch's merge queue, or how it left it last."""

    def leave_queue(self, repository: str, number: int) -> MergeAnswer:
        """Take it out of the merge queue: DROPPED, also when it is not in one; MERGED or CLOSED when that came first.

        Raises Unavailable while the queue is about to merge it.
        """

    def compare(self, repository: str, ours: str, other: str) -> Ancestry:
        """How `other` relates to `ours` by git ancestry."""

    def deploy_runs(self, repository: str, workflow: str, event: str, sha: str) -> tuple[DeployRun, ...]:
        """The runs of this workflow for exactly this commit and event, newest first."""

    def deploy_runs_since(
        self, repository: str, workflow: str, event: str, branch: str, since: datetime
    ) -> tuple[DeployRun, ...]:
        """The latest runs of this workflow on this branch, newest first, a bounded number of them."""

    def deploy_run(self, repository: str, run_id: int) -> DeployRun:
        """One run with the number of its jobs."""

    def find_dispatched(
        self, repository: str, workflow: str, nonce: str, since: datetime
    ) -> DeployRun | None:
        """The run that an earlier dispatch with this nonce started, if any."""

    def dispatch(self, repository: str, workflow: str, ref: str, inputs: dict[str, str]) -> DeployRun | None:
        """Start the workflow and return its run (None: accepted, but the answer did not name the run)."""

    def deployment_claims(
        self, repository: str, environment: str, commit: str
    ) -> tuple[DeploymentClaim, ...]:
        """The last word of each other party about deployments of exactly this commit there, of the newest ten."""

    def report_deployment(
        self, repository: str, environment: str, commit: str, *, success: bool, description: str, url: str
    ) -> str:
        """Find or create the deployment of this commit, set its status if it differs, return its address.

        description: begins with the VTID and a colon, by which our words are told from those of others.
        """

    def write_check(self, repository: str, sha: str, notice: Notice) -> CheckWritten:
        """Our one check run of this VTID on this head, made or edited; a commit status where only that is allowed."""

    def write_comment(self, repository: str, number: int, notice: Notice) -> str:
        """Our one comment of this VTID on the pull request, made or edited; returns its address."""


class BranchHost(Protocol):
    """Where the code lives, asked for what a branch demands and what its workflows listen to."""

    def branch_rules(self, repository: str, branch: str) -> BranchRules:
        """The checks that the branch's own rules require, ours among them, and whether it has a merge queue."""

    def workflow_files(self, repository: str, branch: str) -> Sequence[WorkflowFile]:
        """The workflow files of the branch; one that cannot be understood has a `problem`."""


class ServiceHost(Protocol):
    """Where services run."""

    def service(
        self, environment: Environment, service: Service, repository: str, commit: str
    ) -> ServiceSeen:
        """All that the links of this host need (vtid.domain.hosts), and the address; without live answers."""


@runtime_checkable
class TrafficHost(ServiceHost, Protocol):
    """Where services run, and traffic can be shifted between their revisions."""

    def newest_revisions(
        self, environment: Environment, service: Service, repository: str
    ) -> tuple[RevisionSeen, ...]:
        """The revisions that were created last, whether they serve or not; at least the newest 20."""

    def shift_traffic(
        self, environment: Environment, service: Service, repository: str, revision: str, etag: str
    ) -> None:
        """Ask for all traffic on this revision; it follows in time. Raises Conflict when the service was
        changed since `etag` was read."""


class SettingsHost(Protocol):
    """Where services run, asked for what they are given."""

    def settings(self, environment: Environment, service: Service, repository: str) -> ServiceSettings | None:
        """The variables of every serving revision, where the host shows any; None when there is no such service."""


class MigrationsHost(Protocol):
    """The databases that migrations are applied to."""

    async def migrations(self, declared: Migrations) -> DatabaseSeen:
        """Which versions the database has, and which declared objects it lacks. A read."""


class VersionProbe(Protocol):
    """The service's own word about which commit it is."""

    def look(self, uri: str, path: str, auth: str = "none") -> LiveAnswer:
        """One look, by a connection of its own, so that each may meet another instance.

        auth: `none`, or `id_token`: with a token for this address, which stands in no answer.
        An unusable answer is a result with a problem, not an error.
        """


class Messenger(Protocol):
    """Tells somebody outside."""

    async def send(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """One try. Whatever happens is an answer, never an error."""


class ProofSigner(Protocol):
    """Signs proof bundles with one key."""

    @property
    def key_id(self) -> str:
        """SHA-256 of the public key, in hex."""

    @property
    def public_pem(self) -> str:
        """The public key, by which everybody may verify what is signed."""

    def sign(self, payload: bytes, payload_type: str) -> dict[str, Any]:
        """The payload in a signed DSSE envelope. The same payload gives the same envelope."""


class Journal(Protocol):
    """The ledger as a run sees it."""

    async def record_events(self, command: RecordEvents) -> tuple[RunEvent, ...]:
        """Append each event once per (run_id, seq), and fold it into run, task and dead letter with it.

        When other events stand under these numbers nothing is stored: the answer is those, and all after them.
        """

    async def load_task(self, vtid: str) -> LoadedTask | None:
        """The task with the hashes of its spec, or None."""

    async def task_facts(self, vtid: str) -> TaskFacts | None:
        """The same for the validator, with the task's current run."""

    async def read_armed(self) -> Armed:
        """The emergency stop."""

    async def tell_serving(self, command: TellServing) -> None:
        """What became of the deployment of a run that is over, told once per (run_id, number)."""


class OrderBook(Protocol):
    """The work orders in the ledger."""

    async def offer(self, command: OfferWorkOrder) -> None:
        """Put the order up for workers; a repeat changes nothing, and does not re-open a withdrawn one."""

    async def withdraw(self, order_id: str, reason: str) -> None:
        """Take the order back; a repeat changes nothing."""

    async def workers(self, seen_within_seconds: float) -> Workers:
        """Who was seen within the last seconds: free, or holding a lease."""

    async def progress(self, order_id: str) -> Progress:
        """The clocks of the order's lease."""

    async def late_claims(self, run_id: str) -> Sequence[str]:
        """Addresses of pull requests that refused, late answers of this run named; newest first."""
