"""Repositories, branches, refs, rules, users and the rate limit."""

from typing import Any

from starlette.responses import Response

from vtid.simulator import pulls, queues
from vtid.simulator.github.call import Call, GitHubError, RouteTable, answer, invalid, not_found, paged
from vtid.simulator.github.people import public_user_json
from vtid.simulator.github.repositories import branch_json, full_repository_json, ref_json, short_branch_json

HOUR_S = 3600


def get_repository(call: Call) -> Response:
    return answer(call, full_repository_json(call.place))


def required_checks(call: Call) -> list[str]:
    return call.world.behaviours.of(call.repository.full_name).protection.required_checks


def is_protected(call: Call, branch: str) -> bool:
    return branch == call.repository.default_branch and bool(required_checks(call))


def list_branches(call: Call) -> Response:
    names = sorted(call.repository.history.branches)
    return paged(call, [short_branch_json(call.place, it, protected=is_protected(call, it)) for it in names])


def get_branch(call: Call) -> Response:
    name = known_branch(call, call.path("branch"), "Branch not found")
    return answer(call, branch_json(call.place, name, protected=is_protected(call, name)))


def known_branch(call: Call, name: str, message: str = "Not Found") -> str:
    if name not in call.repository.history.branches:
        raise GitHubError(404, message)
    return name


def branch_rules(call: Call) -> Response:
    """What rulesets demand of a branch. An unknown branch has none, and is no error."""
    branch = call.path("branch")
    rules = []
    if is_protected(call, branch):
        parameters: dict[str, Any] = {
            "required_status_checks": [{"context": name} for name in required_checks(call)],
            "strict_required_status_checks_policy": False,
        }
        rules.append(rule(call, "required_status_checks", parameters))
    if pulls.has_queue(call.world, call.repository, branch):
        rules.append(rule(call, "merge_queue", queue_parameters(call)))
    return paged(call, rules)


def rule(call: Call, kind: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": kind,
        "parameters": parameters,
        "ruleset_source_type": "Repository",
        "ruleset_source": call.repository.full_name,
        "ruleset_id": call.repository.id,
    }


def queue_parameters(call: Call) -> dict[str, Any]:
    wish = call.world.behaviours.of(call.repository.full_name).queue
    return {
        "check_response_timeout_minutes": min(max(int(wish.timeout_s / 60), 1), 360),
        "grouping_strategy": "ALLGREEN",
        "max_entries_to_build": queues.MOST_BUILT,
        "max_entries_to_merge": wish.together,
        "merge_method": "SQUASH",
        "min_entries_to_merge": wish.together,
        "min_entries_to_merge_wait_minutes": 0,
    }


def get_ref(call: Call) -> Response:
    return answer(call, ref_json(call.place, known_branch(call, call.path("branch"))))


def matching_refs(call: Call) -> Response:
    start = call.path("start")
    names = sorted(it for it in call.repository.history.branches if it.startswith(start))
    return paged(call, [ref_json(call.place, it) for it in names])


def create_ref(call: Call) -> Response:
    ref, history = call.text("ref"), call.repository.history
    if not ref.startswith("refs/heads/"):
        raise invalid("ref")
    name = ref.removeprefix("refs/heads/")
    if name in history.branches:
        raise GitHubError(422, "Reference already exists")
    history.branches[name] = call.commit(call.text("sha")).sha
    call.changed("branch")
    return answer(call, ref_json(call.place, name), 201)


def delete_ref(call: Call) -> Response:
    history, name = call.repository.history, call.path("branch")
    if name not in history.branches:
        raise GitHubError(422, "Reference does not exist")
    del history.branches[name]
    call.changed("branch_delete")
    return Response(status_code=204)


def me(call: Call) -> Response:
    if call.app:
        raise GitHubError(403, "Resource not accessible by integration")
    return answer(call, public_user_json(call.origin, call.login, call.world.now()))


def get_user(call: Call) -> Response:
    if not call.path("login"):
        raise not_found()
    return answer(call, public_user_json(call.origin, call.path("login"), call.world.now()))


def rate_limit(call: Call) -> Response:
    limit = {"limit": 5000, "used": 1, "remaining": 4999, "reset": int(call.world.now()) + HOUR_S}
    return answer(call, {"resources": {"core": limit, "search": limit, "graphql": limit}})


REPO = "/repos/{owner}/{repo}"
ROUTES: RouteTable = (
    ("GET", "/user", me),
    ("GET", "/users/{login}", get_user),
    ("GET", "/rate_limit", rate_limit),
    ("GET", REPO, get_repository),
    ("GET", REPO + "/branches", list_branches),
    ("GET", REPO + "/branches/{branch:path}", get_branch),
    ("GET", REPO + "/rules/branches/{branch:path}", branch_rules),
    ("GET", REPO + "/git/ref/heads/{branch:path}", get_ref),
    ("GET", REPO + "/git/refs/heads/{branch:path}", get_ref),
    ("GET", REPO + "/git/matching-refs/heads/{start:path}", matching_refs),
    ("POST", REPO + "/git/refs", create_ref),
    ("DELETE", REPO + "/git/refs/heads/{branch:path}", delete_ref),
)
