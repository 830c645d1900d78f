"""What "deployed" means: a chain of links from the merged commit to the live answer, each with its witness.

Source: design of the run, 3.8. Pure: observations in, proof out.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from vtid.domain.change import Ancestry


class LinkState(StrEnum):
    PROVEN = "proven"
    CLAIMED = "claimed"  # only the deploy command itself says so
    CONTRADICTED = "contradicted"  # a witness says otherwise
    UNKNOWN = "unknown"  # could not be asked


@dataclass(frozen=True)
class RevisionSeen:
    """One revision of a service as Cloud Run shows it. `claims` are witness -> commit SHA (env, label, image_tag)."""

    name: str
    ready: bool
    percent: int
    claims: dict[str, str] = field(default_factory=dict)
    image_digest: str | None = None
    env: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    condition: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True)
class LiveAnswer:
    """One look at the service's own version endpoint: a commit, or why there is none. Nothing secret stands in it."""

    url: str
    commit: str | None
    status: int | None = None
    problem: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class ServiceSeen:
    """A service as its host and its own endpoint show it now.

    A host that shows less than Cloud Run leaves `serving` empty and says settled and healthy: its chain has no link
    that would read them (vtid.domain.hosts).
    """

    name: str
    uri: str | None
    settled: bool  # not reconciling, and the observed generation is the wanted one
    healthy: bool  # the terminal condition succeeded
    condition: str
    serving: tuple[RevisionSeen, ...]  # revisions with traffic, by traffic *status*, never by template
    ours_idle: RevisionSeen | None = None  # a revision that claims our commit but gets no traffic
    latest: RevisionSeen | None = None  # the latest created one, if it does not serve
    etag: str = ""  # of this state; a change may be bound to it
    pinned: tuple[str, ...] = ()  # revisions that traffic is told to stay on, whatever is deployed
    answers: tuple[LiveAnswer, ...] = ()
    # how each commit that was seen relates to ours, by git ancestry; absent: could not be asked
    ancestry: dict[str, Ancestry] = field(default_factory=dict)


@dataclass(frozen=True)
class Link:
    """One link of the chain, for one service (or none)."""

    name: str  # commit, actions_run, image_digest, revision, traffic, environment, live_answer, migrations
    state: LinkState
    says: str
    service: str | None = None
    raw: dict[str, Any] = field(default_factory=dict)
    match: str | None = None  # exact, or contains: the serving commit is a descendant of ours
    at: datetime | None = None
    code: str | None = None  # the failure that this link means while it is not proven


@dataclass(frozen=True)
class DeploymentProof:
    """The chain. `complete` only when every link is proven; `code` names the first failure otherwise."""

    commit: str
    links: tuple[Link, ...]
    settled: bool = True  # False: the world is still moving, look again

    @property
    def complete(self) -> bool:
        return bool(self.links) and all(link.state is LinkState.PROVEN for link in self.links)

    @property
    def open_link(self) -> Link | None:
        """The link to look at first: contradicted before unknown before claimed."""
        order = (LinkState.CONTRADICTED, LinkState.UNKNOWN, LinkState.CLAIMED)
        waiting = [link for state in order for link in self.links if link.state is state]
        return waiting[0] if waiting else None

    @property
    def code(self) -> str | None:
        return None if self.open_link is None else self.open_link.code or "PROOF_INCOMPLETE"
