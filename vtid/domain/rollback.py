"""When traffic may be shifted back by us, and when only a person may. Pure."""

from collections.abc import Sequence

from vtid.domain.commands.deployments import ServedBefore
from vtid.domain.deployment import Link, LinkState, RevisionSeen, ServiceSeen


def served_by(seen: ServiceSeen) -> ServedBefore | None:
    """The one revision that has all traffic and names one commit; None where it is not that simple."""
    if not seen.settled or len(seen.serving) != 1:
        return None
    revision = seen.serving[0]
    commits = set(revision.claims.values())
    if len(commits) != 1 or revision.percent < 100:
        return None
    return ServedBefore(seen.name, revision.name, commits.pop())


def hold_of(seen: ServiceSeen, commit: str, before: ServedBefore) -> str | None:
    """Why traffic stays as it is, or None when ours alone serves and nobody has decided otherwise.

    Whoever pinned traffic has decided: no automation undoes that.
    """
    now = served_by(seen)
    if seen.pinned:
        return f"traffic is pinned to {', '.join(seen.pinned)} by hand"
    if now is None:
        shares = ", ".join(f"{each.name} {each.percent} %" for each in seen.serving) or "nothing"
        return f"it is not our revision alone that serves: {shares}"
    if now.commit != commit:
        return f"our revision does not serve: {now.revision} does, with {now.commit[:12]}"
    if now.revision == before.revision:
        return f"{before.revision} served before as well"
    return None


def came_between(newest: Sequence[RevisionSeen], before: str, ours: str) -> str | None:
    """Why going back from ours would undo more than ours, or None. A revision that never got ready served nobody."""
    by_name = {revision.name: revision for revision in newest}
    first, last = (by_name[name].created_at if name in by_name else None for name in (before, ours))
    if first is None or last is None:
        return f"what was deployed between {before} and {ours} is not known"
    between = (
        revision.name
        for revision in newest
        if revision.name not in (before, ours)
        and revision.ready
        and (revision.created_at is None or first <= revision.created_at <= last)
    )
    other = next(between, None)
    return (
        None
        if other is None
        else f"{other} was deployed after {before} and before ours; it would be undone, too"
    )


def no_reason_in(links: Sequence[Link]) -> str | None:
    """Why these links are no reason to go back, or None. What could not be asked speaks neither way."""
    unproven = [link for link in links if link.state is not LinkState.PROVEN]
    if not unproven:
        return "it is proven by now"
    if any(link.state is LinkState.CONTRADICTED or _broken(link) for link in unproven):
        return None
    return f"nothing speaks against it, it only could not be proven: {unproven[0].says}"


def _broken(link: Link) -> bool:
    """Whether the service itself answered that it cannot, and never anything better."""
    answers = link.raw.get("answers", ())
    errors = any((answer["status"] or 0) >= 500 for answer in answers)
    return errors and all(answer["commit"] is None for answer in answers)
