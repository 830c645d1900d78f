"""What "deployed" means: a chain of links from the merged commit to the live answer, each with its witness.

Source: design of the run, 3.8. Pure: observations in, proof out.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from vtid.domain.change import Ancestry
from vtid.domain.environment import Service


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


@dataclass(frozen=True)
class LiveAnswer:
    """One look at the service's own version endpoint: a commit, or why there is none."""

    url: str
    commit: str | None
    status: int | None = None
    problem: str | None = None


@dataclass(frozen=True)
class ServiceSeen:
    """A service as Cloud Run and its own endpoint show it now."""

    name: str
    uri: str | None
    settled: bool  # not reconciling, and the observed generation is the wanted one
    healthy: bool  # the terminal condition succeeded
    condition: str
    serving: tuple[RevisionSeen, ...]  # revisions with traffic, by traffic *status*, never by template
    ours_idle: RevisionSeen | None = None  # a revision that claims our commit but gets no traffic
    latest: RevisionSeen | None = None  # the latest created one, if it does not serve
    answers: tuple[LiveAnswer, ...] = ()
    # how each commit that was seen relates to ours, by git ancestry; absent: could not be asked
    ancestry: dict[str, Ancestry] = field(default_factory=dict)


@dataclass(frozen=True)
class Link:
    """One link of the chain, for one service (or none)."""

    name: str  # commit, actions_run, image_digest, revision, traffic, live_answer, environment
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


def links_of_service(commit: str, service: Service, seen: ServiceSeen, at: datetime) -> tuple[Link, ...]:
    """The links revision, traffic, image_digest, environment and live_answer of one service."""
    return tuple(
        make(commit, service, seen, at) for make in (_revision, _traffic, _image, _environment, _live_answer)
    )


def _contains(commit: str, other: str, seen: ServiceSeen) -> str | None:
    """`exact`, `contains`, or None when the other commit does not include ours (or nobody could tell)."""
    if other == commit:
        return "exact"
    return "contains" if seen.ancestry.get(other) is Ancestry.DESCENDANT else None


def _revision(commit: str, service: Service, seen: ServiceSeen, at: datetime) -> Link:
    def link(state: LinkState, says: str, code: str | None = None, **more: Any) -> Link:
        raw = {"condition": seen.condition, "serving": {r.name: r.claims for r in seen.serving}} | more
        return Link("revision", state, says, service.name, raw, at=at, code=code)

    unready = [r for r in seen.serving if not r.ready]
    if seen.latest is not None and not seen.latest.ready and commit in seen.latest.claims.values():
        text = f"revision {seen.latest.name} of our commit is not ready: {seen.latest.condition}"
        return link(LinkState.CONTRADICTED, text, "REVISION_NOT_READY")
    if not seen.settled:
        return link(LinkState.UNKNOWN, "Cloud Run is still reconciling", "REVISION_NOT_READY")
    if not seen.healthy or unready:
        text = unready[0].condition if unready else seen.condition
        return link(LinkState.CONTRADICTED, f"not ready: {text}", "REVISION_NOT_READY")
    if not seen.serving:
        return link(LinkState.CONTRADICTED, "no revision gets traffic", "TRAFFIC_NOT_SHIFTED")
    ready = ", ".join(r.name for r in seen.serving)
    return link(LinkState.PROVEN, f"serving and ready: {ready}")


def _traffic(commit: str, service: Service, seen: ServiceSeen, at: datetime) -> Link:
    shares = {r.name: {"percent": r.percent, "claims": r.claims} for r in seen.serving}
    ours = [
        r for r in seen.serving if r.claims and all(_contains(commit, c, seen) for c in r.claims.values())
    ]
    foreign = [r for r in seen.serving if r not in ours]
    percent = sum(r.percent for r in ours)
    exact = all(claim == commit for r in ours for claim in r.claims.values())

    def link(state: LinkState, says: str, code: str | None = None, match: str | None = None) -> Link:
        return Link("traffic", state, says, service.name, {"shares": shares}, match, at, code)

    split = next((r for r in seen.serving if len(set(r.claims.values())) > 1), None)
    if split is not None:
        text = f"revision {split.name} claims several commits: {split.claims}"
        return link(LinkState.CONTRADICTED, text, "WRONG_COMMIT_SERVING")
    if ours and foreign:
        text = f"our commit gets {percent} % of the traffic, {foreign[0].name} the rest"
        return link(LinkState.CONTRADICTED, text, "TRAFFIC_NOT_SHIFTED")
    if foreign and seen.ours_idle is not None:
        text = f"{seen.ours_idle.name} has our commit but gets no traffic; {foreign[0].name} serves"
        return link(LinkState.CONTRADICTED, text, "TRAFFIC_NOT_SHIFTED")
    silent = [r for r in foreign if not r.claims]
    if silent:
        return link(
            LinkState.UNKNOWN, f"revision {silent[0].name} does not tell its commit", "PROOF_INCOMPLETE"
        )
    if foreign:
        told = next(iter(foreign[0].claims.values()))
        text = f"{foreign[0].name} serves {told[:12]}, not {commit[:12]}"
        return link(LinkState.CONTRADICTED, text, "WRONG_COMMIT_SERVING")
    if not ours:
        return link(LinkState.UNKNOWN, "no revision gets traffic", "TRAFFIC_NOT_SHIFTED")
    if percent < 100:
        return link(LinkState.UNKNOWN, f"only {percent} % of the traffic was seen", "TRAFFIC_NOT_SHIFTED")
    match = "exact" if exact else "contains"
    if _live_answer(commit, service, seen, at).state is LinkState.PROVEN:
        return link(LinkState.PROVEN, f"{percent} % on our commit", match=match)
    # However many labels agree: they are words of one deploy command. The service itself is the witness.
    text = f"{percent} % on a revision that claims our commit, and the service does not confirm it"
    return link(LinkState.CLAIMED, text, "PROOF_INCOMPLETE", match)


def _image(commit: str, service: Service, seen: ServiceSeen, at: datetime) -> Link:
    digests = {r.name: r.image_digest for r in seen.serving}
    if seen.serving and all(digests.values()):
        return Link("image_digest", LinkState.PROVEN, "recorded", service.name, {"digests": digests}, at=at)
    text = "a serving revision shows no image digest"
    return Link(
        "image_digest",
        LinkState.UNKNOWN,
        text,
        service.name,
        {"digests": digests},
        at=at,
        code="PROOF_INCOMPLETE",
    )


def _environment(commit: str, service: Service, seen: ServiceSeen, at: datetime) -> Link:
    no_secret = sorted({s for r in seen.serving for s in service.required_secrets if s not in r.secrets})
    no_env = sorted({e for r in seen.serving for e in service.required_env if e not in r.env})
    raw = {"missing_secrets": no_secret, "missing_env": no_env}

    def link(state: LinkState, says: str, code: str | None = None) -> Link:
        return Link("environment", state, says, service.name, raw, at=at, code=code)

    if no_secret:
        text = f"secret bindings missing: {', '.join(no_secret)}"
        return link(LinkState.CONTRADICTED, text, "SECRETS_MISSING")
    if no_env:
        text = f"environment variables missing: {', '.join(no_env)}"
        return link(LinkState.CONTRADICTED, text, "ENVIRONMENT_MISMATCH")
    if not seen.serving:
        return link(LinkState.UNKNOWN, "nothing serves", "PROOF_INCOMPLETE")
    return link(LinkState.PROVEN, "all required names are bound")


def _live_answer(commit: str, service: Service, seen: ServiceSeen, at: datetime) -> Link:
    raw = {
        "answers": [
            {"url": a.url, "commit": a.commit, "status": a.status, "problem": a.problem} for a in seen.answers
        ]
    }

    def link(state: LinkState, says: str, code: str | None = None, match: str | None = None) -> Link:
        return Link("live_answer", state, says, service.name, raw, match, at, code)

    if not seen.answers:
        return link(LinkState.UNKNOWN, "the version endpoint was not asked", "PROBE_FAILED")
    broken = next((a for a in seen.answers if a.commit is None), None)
    if broken is not None:
        return link(LinkState.UNKNOWN, f"{broken.url}: {broken.problem}", "PROBE_FAILED")
    commits = [a.commit for a in seen.answers if a.commit is not None]
    matches = [_contains(commit, other, seen) for other in commits]
    if all(matches):
        match = "exact" if all(m == "exact" for m in matches) else "contains"
        return link(LinkState.PROVEN, f"{len(commits)} answers in a row name our commit", match=match)
    other = next(c for c, m in zip(commits, matches, strict=True) if not m)
    code = "TRAFFIC_NOT_SHIFTED" if any(matches) else "WRONG_COMMIT_SERVING"
    return link(LinkState.CONTRADICTED, f"the service answers {other[:12]}, not {commit[:12]}", code)
