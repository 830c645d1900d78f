"""The links of one service, each from the witness that can tell. Pure: what was seen in, links out.

Source: design of the run, 3.8.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from vtid.domain.change import Ancestry, DeploymentClaim, DeployRun
from vtid.domain.deployment import Link, LinkState, RevisionSeen, ServiceSeen
from vtid.domain.environment import Service
from vtid.domain.moment import moment


def links_of_service(commit: str, service: Service, seen: ServiceSeen, at: datetime) -> tuple[Link, ...]:
    """Every link that the service's host can give, in the order of its chain."""
    return tuple(LINKS[name](commit, service, seen, at) for name in service.runs_on.links)


def claimed_commit(service: Service, commit: str, run: DeployRun | None) -> str:
    """The commit that the service's own answers must contain, so that they agree with what is claimed.

    Where the host claims none, the deploy run does: a push deploys its head, one that we dispatched was told ours.
    """
    return commit if service.runs_on.names_commits or run is None else deployed_by(run, commit)


def deployed_by(run: DeployRun, commit: str) -> str:
    """The commit that this run deploys: a push its head; one that we dispatched, on whatever tip, was told ours."""
    return run.head_sha if run.event == "push" else commit


def beside_claims(run: Link, claims: Sequence[DeploymentClaim]) -> Link:
    """The deploy run's link with what others say of the deployment.

    Their yes is a claim and proves nothing. Their no is a claim against the run's own: two that disagree are no proof.
    """
    told = [asdict(each) | {"at": moment(each.at) if each.at else None} for each in claims]
    link = replace(run, raw=run.raw | {"deployments": told}) if told else run
    against = next((each for each in claims if each.failed), None)
    if against is None or run.state is not LinkState.PROVEN:
        return link
    why = f" ({against.description})" if against.description else ""
    says = f"{run.says}, and {against.by} says {against.state} of its deployment{why}"
    return replace(link, state=LinkState.CONTRADICTED, says=says, code="DEPLOY_RUN_FAILED")


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
        if _is_late_and_older(foreign[0], seen.ours_idle, seen):
            text = f"an older deploy ended after ours: {foreign[0].name} has taken the traffic of {seen.ours_idle.name}"
            return link(LinkState.CONTRADICTED, text, "WRONG_COMMIT_SERVING")
        pinned = "; traffic is pinned there" if foreign[0].name in seen.pinned else ""
        text = f"{seen.ours_idle.name} has our commit but gets no traffic; {foreign[0].name} serves{pinned}"
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


def _is_late_and_older(serving: RevisionSeen, ours: RevisionSeen, seen: ServiceSeen) -> bool:
    """Whether it came after ours and has an older commit: a slow deploy of before, not a decision."""
    if serving.created_at is None or ours.created_at is None or serving.created_at <= ours.created_at:
        return False
    return bool(serving.claims) and all(
        seen.ancestry.get(claim) is Ancestry.ANCESTOR for claim in serving.claims.values()
    )


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
            {
                "url": a.url,
                "commit": a.commit,
                "status": a.status,
                "problem": a.problem,
                "at": a.at.isoformat(timespec="milliseconds") if a.at else None,
            }
            for a in seen.answers
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
        claimed = {claim for revision in seen.serving for claim in revision.claims.values()}
        stranger = next((commit for commit in commits if claimed and commit not in claimed), None)
        if stranger is not None:
            says = ", ".join(sorted(claim[:12] for claim in claimed))
            text = f"the service answers {stranger[:12]}, and its revisions claim {says}"
            return link(LinkState.CONTRADICTED, text, "WRONG_COMMIT_SERVING")
        if len(set(commits)) > 1 and not service.runs_on.names_commits:
            # Nothing shows who gets how much traffic: only with one voice have all instances been reached.
            says = ", ".join(sorted({each[:12] for each in commits}))
            return link(LinkState.UNKNOWN, f"its instances do not agree yet: {says}", "PROOF_INCOMPLETE")
        match = "exact" if all(m == "exact" for m in matches) else "contains"
        return link(LinkState.PROVEN, f"{len(commits)} answers in a row name our commit", match=match)
    other = next(c for c, m in zip(commits, matches, strict=True) if not m)
    code = "TRAFFIC_NOT_SHIFTED" if any(matches) else "WRONG_COMMIT_SERVING"
    return link(LinkState.CONTRADICTED, f"the service answers {other[:12]}, not {commit[:12]}", code)


LINKS: dict[str, Callable[[str, Service, ServiceSeen, datetime], Link]] = {
    "revision": _revision,
    "traffic": _traffic,
    "image_digest": _image,
    "environment": _environment,
    "live_answer": _live_answer,
}
