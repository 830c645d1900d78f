"""What a run writes on GitHub for people to see, and what stands there then."""

from dataclasses import dataclass

from vtid.domain.notice import Notice


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
