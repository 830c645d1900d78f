"""A change on the code host: pull request, files, checks, and the deploy run of its merged commit."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_REVERT = re.compile(r"revert-([1-9][0-9]{0,17})-")


@dataclass(frozen=True)
class PullRequest:
    """A pull request as the code host shows it now."""

    repository: str
    number: int
    url: str
    title: str
    branch: str
    base: str
    head_sha: str
    head_repository: str | None  # None: the fork was deleted
    is_open: bool
    draft: bool
    merged: bool
    created_at: datetime
    vtids: tuple[str, ...] = ()  # mentioned in title, body or branch, in this order
    mergeable: bool | None = None  # None: the code host still computes it
    merge_sha: str | None = None  # the commit on the base branch, once merged
    merged_at: datetime | None = None

    @property
    def from_fork(self) -> bool:
        # GitHub's names of owners and repositories do not differ by case alone.
        return (self.head_repository or "").casefold() != self.repository.casefold()

    @property
    def reverts(self) -> int | None:
        """The number of the pull request that this one reverts, if GitHub's *Revert* made it."""
        named = _REVERT.match(self.branch)
        return int(named.group(1)) if named else None


@dataclass(frozen=True)
class ChangedFiles:
    """Every path that a pull request changes; `complete` is False when not all could be read."""

    paths: tuple[str, ...]
    complete: bool
    secrets: tuple[str, ...] = ()  # "path: kind" of each secret-looking value that was added; never the value


class CheckState(StrEnum):
    PENDING = "pending"
    GREEN = "green"
    RED = "red"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """The latest check run of one name and app, or the latest status of one name, on one commit."""

    name: str
    state: CheckState
    conclusion: str | None = None
    id: int | None = None
    url: str | None = None
    app: str | None = None  # the slug of the app that runs it; None of a status
    app_id: int | None = None
    is_status: bool = False  # a commit status, not a check run


ANY_APP = "*"


def pinned_check(name: str, app: str | None) -> str:
    """A required check as one text: `name`, or `name@app` where only that app's counts (its slug or its number)."""
    return f"{name}@{app or ANY_APP}" if app or "@" in name else name


def is_met_by(required: str, check: Check) -> bool:
    """Whether this is the required check. A pinned one is never met by a status, which belongs to no app."""
    name, at, app = required.rpartition("@")
    if not at:
        return check.name == required
    return check.name == name and (app == ANY_APP or app in (check.app, str(check.app_id)))


@dataclass(frozen=True)
class Checks:
    """All checks of exactly one commit, and those that must be among them (`name`, or `name@app`)."""

    sha: str
    runs: tuple[Check, ...]
    required: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The required ones that are not there."""
        return tuple(each for each in self.required if not any(is_met_by(each, run) for run in self.runs))


@dataclass(frozen=True)
class BranchRules:
    """What a branch's own rules demand.

    required: names of checks, ours too if it is among them. protected: whether any rule keeps a person who may write
    from pushing to it, or from merging at will.
    """

    required: tuple[str, ...] = ()
    merge_queue: bool = False
    protected: bool = False


@dataclass(frozen=True)
class QueueEntry:
    """The place of a pull request in its branch's merge queue.

    position: 1 is the next one. state: the code host's own word. group: the commit that its checks run on, once it is
    built.
    """

    position: int
    state: str
    entered_at: datetime
    group: str | None = None


@dataclass(frozen=True)
class QueueExit:
    """How a pull request left the queue last. `reason` is the code host's own word, `merged` where it was merged."""

    reason: str
    at: datetime
    group: str | None = None

    @property
    def merged(self) -> bool:
        return self.reason.casefold() == "merged"


@dataclass(frozen=True)
class QueuePlace:
    """What the merge queue says of a pull request with this head. Both None: it never was in one."""

    head_sha: str
    entry: QueueEntry | None = None
    exit: QueueExit | None = None


class MergeKind(StrEnum):
    MERGED = "merged"
    QUEUED = "queued"  # in the merge queue, which will merge it or drop it
    DROPPED = "dropped"  # out of the merge queue without a merge
    HEAD_MOVED = "head_moved"
    CHECKS_CHANGED = "checks_changed"  # not green any more, read right before the merge
    CONFLICT = "conflict"
    REFUSED = "refused"
    CLOSED = "closed"


@dataclass(frozen=True)
class MergeAnswer:
    """How the compare-and-swap ended. `sha` is the commit on the base branch when merged, `entry` the place when queued."""

    kind: MergeKind
    reason: str = ""
    sha: str | None = None
    head_sha: str | None = None
    merged_before: bool = False  # found merged when read; nothing was sent
    untold: str = ""  # why the verdict could not be written on the head before
    entry: QueueEntry | None = None
    queued_before: bool = False  # found in the queue when read; nothing was sent


@dataclass(frozen=True)
class DeployRun:
    """One run of the deploy workflow on the code host."""

    id: int
    url: str
    head_sha: str
    event: str
    status: str  # queued, in_progress, completed
    conclusion: str | None
    jobs: int | None = None  # None: not asked yet
    created_at: datetime | None = None


@dataclass(frozen=True)
class DeploymentClaim:
    """What somebody other than us says last of a deployment of one commit on the code host. state: in its words."""

    url: str
    commit: str
    by: str
    state: str
    description: str = ""
    at: datetime | None = None

    @property
    def failed(self) -> bool:
        return self.state in ("failure", "error")


class Ancestry(StrEnum):
    SAME = "same"
    DESCENDANT = "descendant"  # the other commit contains ours
    ANCESTOR = "ancestor"  # the other commit is older than ours
    DIVERGED = "diverged"
