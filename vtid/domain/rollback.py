"""When traffic may be shifted back by us, and when only a person may. Pure."""

from vtid.domain.commands import ServedBefore
from vtid.domain.deployment import ServiceSeen


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
