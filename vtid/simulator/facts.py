"""What GitHub and Cloud Run would know, as plain data."""

from dataclasses import dataclass, field
from typing import Any

from vtid.simulator.history import History


@dataclass
class PullRequest:
    id: int
    number: int
    title: str
    body: str
    head_branch: str
    head_sha: str
    base: str
    base_sha: str
    """The base branch as it was when the pull request was opened, and its tip when it was merged."""
    created_at: float
    updated_at: float
    draft: bool = False
    fork_owner: str | None = None
    state: str = "open"
    merged_at: float | None = None
    closed_at: float | None = None
    merge_sha: str | None = None
    mergeability_read: tuple[str, str] | None = None
    """(head, base) whose mergeability is known. GitHub computes it only after somebody has asked."""


@dataclass
class CheckRun:
    id: int
    name: str
    head_sha: str
    status: str = "queued"
    conclusion: str | None = None
    started_at: float | None = None
    completed_at: float | None = None
    external_id: str = ""
    details_url: str | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    app: str = "github-actions"
    log: str = ""
    """Of its job, once it has ended."""


@dataclass
class CommitStatus:
    id: int
    sha: str
    context: str
    state: str
    description: str | None
    target_url: str | None
    at: float


@dataclass
class WorkflowRun:
    id: int
    number: int
    workflow: str
    event: str
    head_sha: str
    head_branch: str
    title: str
    created_at: float
    updated_at: float
    jobs: int
    status: str = "queued"
    conclusion: str | None = None
    attempt: int = 1
    inputs: dict[str, Any] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return self.status == "completed"


@dataclass
class DeploymentStatus:
    id: int
    state: str
    description: str
    environment: str
    log_url: str
    environment_url: str
    at: float
    creator: str


@dataclass
class Deployment:
    id: int
    sha: str
    ref: str
    task: str
    environment: str
    description: str | None
    payload: Any
    at: float
    creator: str
    statuses: list[DeploymentStatus] = field(default_factory=list)


@dataclass
class Comment:
    id: int
    issue: int
    body: str
    author: str
    created_at: float
    updated_at: float


@dataclass
class IssueEvent:
    id: int
    issue: int
    event: str
    commit_id: str | None
    at: float


@dataclass
class MergeGroup:
    """A commit that would be on the base if this entry and those before it were merged, on a branch of its own."""

    branch: str
    head_sha: str
    base: str
    base_sha: str
    at: float


@dataclass
class QueueEntry:
    id: int
    pull: int
    head_sha: str
    at: float
    group: MergeGroup | None = None


@dataclass
class QueueRemoval:
    id: int
    pull: int
    reason: str
    before_sha: str | None
    at: float


@dataclass
class Repository:
    id: int
    full_name: str
    default_branch: str
    created_at: float
    history: History
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    checks: list[CheckRun] = field(default_factory=list)
    statuses: list[CommitStatus] = field(default_factory=list)
    runs: list[WorkflowRun] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    events: list[IssueEvent] = field(default_factory=list)
    queue: list[QueueEntry] = field(default_factory=list)
    removals: list[QueueRemoval] = field(default_factory=list)

    @property
    def owner(self) -> str:
        return self.full_name.split("/")[0]

    @property
    def name(self) -> str:
        return self.full_name.split("/")[1]


@dataclass
class Revision:
    name: str
    created_at: float
    digest: str
    commit_sha: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    """Name of the variable to `secret:version`."""
    ready: bool = True
    settled: bool = True
    answers: str | None = None
    """The commit that really runs, where it is not the one that is claimed."""

    @property
    def live_commit(self) -> str | None:
        return self.answers or self.commit_sha or self.env.get("GIT_COMMIT_SHA")


@dataclass
class Share:
    """A part of the traffic. `latest` follows whatever revision is the latest ready one."""

    revision: str
    percent: int
    latest: bool = False


@dataclass
class Service:
    project: str
    region: str
    name: str
    created_at: float
    updated_at: float
    revisions: dict[str, Revision] = field(default_factory=dict)
    traffic: list[Share] = field(default_factory=list)
    """What was asked for."""
    serving: list[Share] = field(default_factory=list)
    """What is so: Cloud Run's trafficStatuses."""
    template: str = ""
    """The revision that was created last; after a failed rollout it is not the one that serves."""
    latest_ready: str = ""
    generation: int = 1
    observed: int = 1
    failure: str | None = None
    version_body: Any = None
    private: bool = False
    """Only who brings an ID token for its address is let in."""
    turn: dict[str, int] = field(default_factory=dict)
    """Credits of the weighted round-robin."""

    @property
    def path(self) -> str:
        return f"projects/{self.project}/locations/{self.region}/services/{self.name}"

    @property
    def reconciling(self) -> bool:
        return self.observed != self.generation
