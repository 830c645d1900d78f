"""What a run asks of a change on the code host, from the search for it to its merge, and the answers."""

from dataclasses import dataclass
from datetime import datetime

from vtid.domain.change import Check, Checks, PullRequest
from vtid.domain.environment import Environment
from vtid.domain.evidence import ClaimedEvidence
from vtid.domain.merged_before import Approval
from vtid.domain.notice import Notice
from vtid.domain.verdict import Facts, Pinned


@dataclass(frozen=True)
class FindMergedChange:
    """Look for a merged pull request of this VTID that was created since the task was, and built for this spec."""

    vtid: str
    repository: str
    environment: Environment
    since: datetime
    spec_hash: str
    approvals: tuple[Approval, ...]


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
class CheckedChange:
    pull_request: PullRequest
    checks: Checks


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
