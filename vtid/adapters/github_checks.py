"""Check runs and commit statuses on GitHub, and what a branch's own rules require of them."""

from typing import Any

from vtid.adapters.errors import reading
from vtid.adapters.github_answers import SYSTEM
from vtid.adapters.github_notices import is_own_check_run
from vtid.adapters.github_wire import GitHubWire, part, place
from vtid.domain.change import BranchRules, Check, CheckState, pinned_check
from vtid.domain.errors import Denied
from vtid.domain.notice import CHECK_NAME

_CONCLUSIONS = {
    "success": CheckState.GREEN,
    "skipped": CheckState.SKIPPED,
    "neutral": CheckState.SKIPPED,
}
# Types of a ruleset's rules that keep a person from changing the branch at will.
_HOLD_UP = {"pull_request", "required_status_checks", "merge_queue", "update"}
_STATUSES = {"success": CheckState.GREEN, "pending": CheckState.PENDING}


def checks(wire: GitHubWire, repository: str, sha: str) -> tuple[Check, ...]:
    """The latest check run of each name and app, then the latest status of each context.

    A name that is both stays twice: each of the two can hold the merge up. What we say ourselves of the
    commit is left out: a verdict that waited for its own report would never come.
    """
    address = f"{place(repository)}/commits/{part(sha)}"
    runs: dict[tuple[str, str | None], Check] = {}
    for data in wire.pages(f"{address}/check-runs", "check_runs", filter="latest"):
        if is_own_check_run(data):
            continue
        run = _check_of_run(data)
        known = runs.get((run.name, run.app))
        # Two suites may run the same name. GitHub numbers check runs upwards: the higher is the later. That of
        # another app is another check: it must not hide this one.
        if known is None or (run.id or 0) > (known.id or 0):
            runs[run.name, run.app] = run
    statuses = [_check_of_status(data) for data in wire.pages(f"{address}/status", "statuses")]
    return (*runs.values(), *(status for status in statuses if status.name != CHECK_NAME))


def _check_of_run(data: Any) -> Check:
    with reading(SYSTEM, "a check run"):
        conclusion = data["conclusion"]
        app = data.get("app") or {}
        finished = data["status"] == "completed"
        return Check(
            name=str(data["name"]),
            state=_CONCLUSIONS.get(conclusion, CheckState.RED) if finished else CheckState.PENDING,
            conclusion=conclusion,
            id=int(data["id"]),
            url=data.get("html_url"),
            app=app.get("slug"),
            app_id=app.get("id"),
        )


def _check_of_status(data: Any) -> Check:
    with reading(SYSTEM, "a commit status"):
        state = str(data["state"])
        return Check(
            name=str(data["context"]),
            state=_STATUSES.get(state, CheckState.RED),
            conclusion=None if state == "pending" else state,
            id=int(data["id"]),
            url=data.get("target_url"),
            is_status=True,
        )


def branch_rules(wire: GitHubWire, repository: str, branch: str) -> BranchRules:
    """What the branch's rulesets and its classic protection demand. A queue of the latter kind is not told by REST."""
    rulesets, classic = _rulesets(wire, repository, branch), _of_protection(wire, repository, branch)
    names = dict.fromkeys((*rulesets.required, *classic.required))
    return BranchRules(tuple(names), rulesets.merge_queue, rulesets.protected or classic.protected)


def required_checks(wire: GitHubWire, repository: str, branch: str) -> tuple[str, ...]:
    """The names that the branch requires, each once, without our own."""
    return without_ours(branch_rules(wire, repository, branch).required)


def without_ours(required: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in required if name.partition("@")[0] != CHECK_NAME)


def _rulesets(wire: GitHubWire, repository: str, branch: str) -> BranchRules:
    address = f"{place(repository)}/rules/branches/{part(branch)}"
    try:
        rules = list(wire.pages(address))
    except Denied as cause:
        # A plan without rulesets has none: GitHub says so with this 403.
        if "upgrade to github" not in str(cause).lower():
            raise
        return BranchRules()
    with reading(SYSTEM, address):
        wanted = [rule["parameters"] for rule in rules if rule["type"] == "required_status_checks"]
        listed = [check for each in wanted for check in each["required_status_checks"]]
        queue = any(rule["type"] == "merge_queue" for rule in rules)
        return BranchRules(tuple(_required(check) for check in listed), queue, _hold_up(rules))


def _hold_up(rules: list[dict[str, Any]]) -> bool:
    """Whether one of them keeps people from pushing; a rule of names, signatures or history does not."""
    return any(rule["type"] in _HOLD_UP for rule in rules)


def _required(check: Any) -> str:
    """By name; pinned where the rule names the app that must have run it (-1: any)."""
    app = check.get("integration_id")
    return pinned_check(str(check["context"]), str(app) if app is not None and app != -1 else None)


def _of_protection(wire: GitHubWire, repository: str, branch: str) -> BranchRules:
    address = f"{place(repository)}/branches/{part(branch)}"
    data = wire.get(address)
    with reading(SYSTEM, address):
        protection = data.get("protection") or {}
        contexts = (protection.get("required_status_checks") or {}).get("contexts", [])
        required = tuple(str(name) for name in contexts)
        return BranchRules(required, protected=bool(data.get("protected") or required))
