"""A small world in memory behind the ports: facts that a test sets, and what the steps did to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from vtid.domain.change import (
    Ancestry,
    ChangedFiles,
    Check,
    CheckState,
    DeploymentClaim,
    DeployRun,
    MergeAnswer,
    MergeKind,
    PullRequest,
    QueueEntry,
    QueueExit,
    QueuePlace,
)
from vtid.domain.commands.ledger import Armed, LoadedTask, RecordEvents
from vtid.domain.commands.pull_requests import MergePullRequest
from vtid.domain.commands.reports import CheckWritten
from vtid.domain.commands.work_orders import OfferWorkOrder, Progress, Workers
from vtid.domain.deployment import LiveAnswer, RevisionSeen, ServiceSeen
from vtid.domain.environment import Environment, Service
from vtid.domain.errors import OutsideError
from vtid.domain.events import RunEvent, tell_the_same
from vtid.domain.fold import fold_all
from vtid.domain.merged_before import Approval
from vtid.domain.migrations import DatabaseSeen, MigrationFiles, Migrations, files_of
from vtid.domain.notice import Notice
from vtid.domain.serving import TellServing
from vtid.domain.verdict import TaskFacts
from vtid.domain.view import RunView

HEAD = "a" * 40
NEXT_HEAD = "c" * 40
MERGED = "b" * 40
OLD = "0" * 40
REPOSITORY = "acme/shop"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Ledger:
    """Journal and OrderBook."""

    vtid: str
    spec_hash: str
    approved: bool = True
    status: str = "scheduled"
    current: str | None = None  # the task's current run, where it is not the one that tells
    armed: bool = True
    free: int = 0
    busy: int = 0
    events: list[RunEvent] = field(default_factory=list)
    offers: list[OfferWorkOrder] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    progressed: bool = False
    beating: bool = False
    late: list[str] = field(default_factory=list)
    approvals: tuple[Approval, ...] = ()
    outages: int = 0
    away_for: Callable[[RunEvent], bool] | None = None  # such an event is not taken
    served: list[TellServing] = field(default_factory=list)

    async def record_events(self, command: RecordEvents) -> tuple[RunEvent, ...]:
        if self.outages:
            self.outages -= 1
            raise ConnectionError("the ledger is away")
        if self.away_for is not None and any(map(self.away_for, command.events)):
            raise ConnectionError("the ledger is away")
        of_run = [event for event in self.events if event.run_id == command.run_id]
        stored = {event.seq: event for event in of_run}
        for event in command.events:
            if event.seq in stored and not tell_the_same(event, stored[event.seq]):
                return tuple(each for each in of_run if each.seq >= event.seq)
        self.events += [event for event in command.events if event.seq not in stored]
        return ()

    async def load_task(self, vtid: str) -> LoadedTask | None:
        if vtid != self.vtid:
            return None
        approved = self.spec_hash if self.approved else None
        hashes = self.spec_hash, self.spec_hash, approved
        return LoadedTask(
            vtid, self.status, LONG_AGO, *hashes, current_run_id=self._current_run, approvals=self.approvals
        )

    async def task_facts(self, vtid: str) -> TaskFacts | None:
        approved = self.spec_hash if self.approved else None
        return TaskFacts(vtid, self.status, self._current_run, self.spec_hash, self.spec_hash, approved)

    @property
    def _current_run(self) -> str | None:
        return self.current or (self.events[0].run_id if self.events else None)

    async def read_armed(self) -> Armed:
        return Armed(self.armed, "" if self.armed else "drill")

    async def tell_serving(self, command: TellServing) -> None:
        if command not in self.served:
            self.served.append(command)

    async def offer(self, command: OfferWorkOrder) -> None:
        self.offers.append(command)

    async def withdraw(self, order_id: str, reason: str) -> None:
        self.withdrawn.append(order_id)

    async def workers(self, seen_within_seconds: float) -> Workers:
        return Workers(self.free, self.busy)

    async def progress(self, order_id: str) -> Progress:
        now = datetime.now(UTC)
        return Progress(now if self.progressed else None, now if self.beating else None)

    async def late_claims(self, run_id: str) -> Sequence[str]:
        return self.late

    def told(self) -> list[str]:
        """The run as lines, one an event."""
        return [_line(event) for event in self.events]

    def view(self) -> RunView:
        return fold_all(RunView(self.vtid, None), self.events)


def _line(event: RunEvent) -> str:
    word = {"step.started": "step", "stage.finished": "status", "run.finished": "status"}.get(event.type)
    stage = f" {event.stage}" if event.type.startswith("stage.") else ""
    return event.type + stage + (f" {event.data[word]}" if word else "")


@dataclass
class GitHub:
    """CodeHost."""

    pulls: dict[int, PullRequest] = field(default_factory=dict)
    files: tuple[str, ...] = ("services/shop/app.py",)
    check_states: list[CheckState] = field(
        default_factory=lambda: [CheckState.GREEN]
    )  # one a look, the last stays
    merge_answers: list[MergeAnswer] = field(default_factory=list)  # before the honest one
    error: OutsideError | None = None  # what every question is answered with
    log_error: OutsideError | None = None
    moves_to: str | None = None  # the head that shows up right when the merge is sent
    migrations: tuple[str, ...] = ("db/0001_orders.sql",)
    looks: int = 0  # at the checks
    merges: int = 0
    merged_with_checks_skipped: list[bool] = field(default_factory=list)
    nonces: list[str] = field(default_factory=list)  # one a dispatch
    dispatch_errors: list[OutsideError] = field(
        default_factory=list
    )  # after the dispatch: its answer is lost
    deploy_conclusion: str = "success"
    claims: tuple[DeploymentClaim, ...] | OutsideError = ()  # of others, about the deployment
    reports: list[bool] = field(default_factory=list)
    checked: list[tuple[str, Notice]] = field(default_factory=list)  # each write of the check run
    commented: list[Notice] = field(default_factory=list)
    related: dict[str, Ancestry] = field(default_factory=dict)
    newer_runs: tuple[DeployRun, ...] = ()
    required: tuple[str, ...] = ()  # by the base's own rules
    queue: bool = False  # whether the base has a merge queue
    entries: dict[int, QueueEntry] = field(default_factory=dict)
    exits: dict[int, QueueExit] = field(default_factory=dict)
    entered: int = 0
    left: int = 0
    leave_error: OutsideError | None = None
    deaf: OutsideError | None = None  # what every notice is answered with

    def open_pull(
        self, number: int = 7, branch: str = "claude/vtid-01227-x", **changes: object
    ) -> PullRequest:
        pull = PullRequest(
            repository=REPOSITORY,
            number=number,
            url=f"https://github.test/{REPOSITORY}/pull/{number}",
            title="VTID-01227: do it",
            branch=branch,
            base="main",
            head_sha=HEAD,
            head_repository=REPOSITORY,
            is_open=True,
            draft=False,
            merged=False,
            created_at=LONG_AGO,
            vtids=("VTID-01227",),
            mergeable=True,
        )
        self.pulls[number] = replace(pull, **changes)  # type: ignore[arg-type]
        return self.pulls[number]

    def pull_request(self, repository: str, number: int) -> PullRequest | None:
        return self.pulls.get(number)

    def find_pull_requests(
        self, repository: str, vtid: str, environment: Environment, since: datetime | None = None
    ) -> Sequence[PullRequest]:
        if self.error is not None:
            raise self.error
        return list(self.pulls.values())

    def changed_files(self, repository: str, number: int) -> ChangedFiles:
        return ChangedFiles(self.files, complete=True)

    def checks(self, repository: str, sha: str) -> tuple[Check, ...]:
        self.looks += 1
        state = self.check_states.pop(0) if len(self.check_states) > 1 else self.check_states[0]
        return (Check("ci", state, id=1),)

    def check_log(self, repository: str, check: Check) -> str:
        if self.log_error is not None:
            raise self.log_error
        return f"{check.name}: 1 failed"

    def required_checks(self, repository: str, branch: str) -> tuple[str, ...]:
        return self.required

    def merge(self, command: MergePullRequest) -> MergeAnswer:
        if self.merge_answers:
            return self.merge_answers.pop(0)
        pull = self.pulls[command.number]
        if self.queue and not pull.merged:
            self.entries[command.number] = QueueEntry(1, "queued", LONG_AGO)
            self.entered += 1
            return MergeAnswer(MergeKind.QUEUED, head_sha=pull.head_sha, entry=self.entries[command.number])
        if self.moves_to is not None:
            head, self.moves_to = self.moves_to, None
            self.pulls[command.number] = replace(pull, head_sha=head)
            return MergeAnswer(MergeKind.HEAD_MOVED, head_sha=head)
        if pull.merged:
            return MergeAnswer(MergeKind.MERGED, sha=pull.merge_sha, merged_before=True)
        self.merges += 1
        self.merged_with_checks_skipped.append(command.checks_skipped)
        self.pulls[command.number] = replace(pull, merged=True, is_open=False, merge_sha=MERGED)
        return MergeAnswer(MergeKind.MERGED, sha=MERGED)

    def queue_place(self, repository: str, number: int) -> QueuePlace:
        return QueuePlace(self.pulls[number].head_sha, self.entries.get(number), self.exits.get(number))

    def leave_queue(self, repository: str, number: int) -> MergeAnswer:
        if self.leave_error is not None:
            raise self.leave_error
        pull = self.pulls[number]
        if pull.merged:
            return MergeAnswer(MergeKind.MERGED, sha=pull.merge_sha)
        self.entries.pop(number, None)
        self.left += 1
        return MergeAnswer(MergeKind.DROPPED, "it was taken out of the merge queue")

    def queue_merges(self, number: int = 7) -> None:
        """The merge queue has come to it."""
        self.entries.pop(number, None)
        self.exits[number] = QueueExit("merged", LONG_AGO)
        self.pulls[number] = replace(self.pulls[number], merged=True, is_open=False, merge_sha=MERGED)

    def queue_drops(self, reason: str, group: str | None = None, number: int = 7) -> None:
        self.entries.pop(number, None)
        self.exits[number] = QueueExit(reason, LONG_AGO, group)

    def migration_files(self, repository: str, ref: str, migrations: Migrations) -> MigrationFiles:
        return MigrationFiles(files_of(migrations, self.migrations))

    def compare(self, repository: str, ours: str, other: str) -> Ancestry:
        if other == OLD:
            return Ancestry.ANCESTOR
        return self.related.get(other, Ancestry.SAME)

    def deploy_runs(self, repository: str, workflow: str, event: str, sha: str) -> tuple[DeployRun, ...]:
        return (self.deploy_run(repository, 1),)

    def deploy_runs_since(
        self, repository: str, workflow: str, event: str, branch: str, since: datetime
    ) -> tuple[DeployRun, ...]:
        return self.newer_runs

    def deploy_run(self, repository: str, run_id: int) -> DeployRun:
        return DeployRun(
            run_id, "https://github.test/run/1", MERGED, "push", "completed", self.deploy_conclusion, 1
        )

    def find_dispatched(
        self, repository: str, workflow: str, nonce: str, since: datetime
    ) -> DeployRun | None:
        return self.deploy_run(repository, 1) if nonce in self.nonces else None

    def dispatch(self, repository: str, workflow: str, ref: str, inputs: dict[str, str]) -> DeployRun | None:
        self.nonces.append(inputs["nonce"])
        if self.dispatch_errors:
            raise self.dispatch_errors.pop(0)
        return self.deploy_run(repository, 1)

    @property
    def dispatches(self) -> int:
        return len(self.nonces)

    def deployment_claims(
        self, repository: str, environment: str, commit: str
    ) -> tuple[DeploymentClaim, ...]:
        if isinstance(self.claims, OutsideError):
            raise self.claims
        return self.claims

    def report_deployment(
        self, repository: str, environment: str, commit: str, *, success: bool, description: str, url: str
    ) -> str:
        self.reports.append(success)
        return "https://github.test/deployment/1"

    def write_check(self, repository: str, sha: str, notice: Notice) -> CheckWritten:
        if self.deaf is not None:
            raise self.deaf
        self.checked.append((sha, notice))
        return CheckWritten("https://github.test/check/1")

    def write_comment(self, repository: str, number: int, notice: Notice) -> str:
        if self.deaf is not None:
            raise self.deaf
        self.commented.append(notice)
        return "https://github.test/comment/1"


@dataclass
class Databases:
    """MigrationsHost."""

    seen: list[DatabaseSeen] = field(
        default_factory=lambda: [DatabaseSeen(True, ("0001",))]
    )  # the last stays
    error: OutsideError | None = None

    async def migrations(self, declared: Migrations) -> DatabaseSeen:
        if self.error is not None:
            raise self.error
        return self.seen.pop(0) if len(self.seen) > 1 else self.seen[0]


@dataclass
class CloudRun:
    """ServiceHost and VersionProbe."""

    serves: str = MERGED
    env: dict[str, tuple[str, ...]] = field(default_factory=dict)  # of the revision of each commit
    pinned: tuple[str, ...] = ()
    error: OutsideError | None = None  # what every question is answered with
    shifts: list[str] = field(default_factory=list)
    shift_errors: list[OutsideError] = field(default_factory=list)  # before the honest answer
    between: tuple[RevisionSeen, ...] = ()  # revisions that came after the old one and before ours
    answer: LiveAnswer | None = None  # the service's own word, where it is not what serves

    def service(
        self, environment: Environment, service: Service, repository: str, commit: str
    ) -> ServiceSeen:
        if self.error is not None:
            raise self.error
        name = f"shop-{self.serves[:3]}"
        revision = RevisionSeen(
            name, True, 100, {"env": self.serves}, "sha256:1", self.env.get(self.serves, ())
        )
        return ServiceSeen(service.name, "https://shop.test", True, True, "", (revision,), pinned=self.pinned)

    def newest_revisions(
        self, environment: Environment, service: Service, repository: str
    ) -> tuple[RevisionSeen, ...]:
        ours, old = (
            RevisionSeen(f"shop-{commit[:3]}", True, 0, {"env": commit}, created_at=at)
            for commit, at in ((MERGED, LONG_AGO + timedelta(days=2)), (OLD, LONG_AGO))
        )
        return (ours, *self.between, old)

    def shift_traffic(
        self, environment: Environment, service: Service, repository: str, revision: str, etag: str
    ) -> None:
        if self.shift_errors:
            raise self.shift_errors.pop(0)
        self.shifts.append(revision)
        self.serves, self.pinned = next(c for c in (OLD, MERGED) if revision.endswith(c[:3])), (revision,)

    def look(self, uri: str, path: str, auth: str = "none") -> LiveAnswer:
        return self.answer or LiveAnswer(uri + path, self.serves, 200)
