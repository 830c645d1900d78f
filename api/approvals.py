"""Who may approve a spec: the role, and policy's four eyes."""

from collections.abc import Mapping

from api.auth import Principal, Role
from vtid.domain.environment import Environment


def why_not_approve(
    principal: Principal, environments: Mapping[str, Environment], environment: str, author: str
) -> str | None:
    """Why this principal may not approve a spec of this author for this environment; None when it may."""
    if not principal.may(Role.APPROVER):
        return f"this needs the role {Role.APPROVER.value}, and you have {principal.role.value}"
    return why_not_author(environments, environment, author, principal.name)


def why_not_author(
    environments: Mapping[str, Environment], environment: str, author: str, who: str
) -> str | None:
    """Why the author of a spec may not approve it; None for anybody else, and where policy lets them."""
    declared = environments.get(environment)
    if declared is None or declared.policy.author_may_approve or author != who:
        return None
    return f"in {declared.name} the author of a spec may not approve it"
