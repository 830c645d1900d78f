"""Check runs, check suites, commit statuses."""

from typing import Any

from vtid.simulator.facts import CheckRun, CommitStatus
from vtid.simulator.github.commits import simple_commit_json
from vtid.simulator.github.people import BOT, app_json, user_json
from vtid.simulator.github.pulls import minimal_pull_json
from vtid.simulator.github.repositories import minimal_repository_json
from vtid.simulator.github.urls import Place, node_id
from vtid.simulator.schedule import moment

# GitHub's order of badness, as far as a suite's conclusion needs it.
WORST_FIRST = ("failure", "timed_out", "cancelled", "action_required", "success", "neutral", "skipped")


def check_json(place: Place, check: CheckRun) -> dict[str, Any]:
    url = f"{place.api}/check-runs/{check.id}"
    html = f"{place.html}/runs/{check.id}"
    return {
        "id": check.id,
        "head_sha": check.head_sha,
        "node_id": node_id("CR", check.id),
        "external_id": check.external_id,
        "url": url,
        "html_url": html,
        "details_url": check.details_url or html,
        "status": check.status,
        "conclusion": check.conclusion,
        "started_at": moment(check.started_at) if check.started_at else None,
        "completed_at": moment(check.completed_at) if check.completed_at else None,
        "output": {
            "title": check.title,
            "summary": check.summary,
            "text": check.text,
            "annotations_count": 0,
            "annotations_url": f"{url}/annotations",
        },
        "name": check.name,
        "check_suite": {"id": suite_id(check)},
        "app": app_json(place, check.app),
        "pull_requests": [
            minimal_pull_json(place, pull)
            for pull in place.repository.pulls.values()
            if pull.head_sha == check.head_sha and not pull.fork_owner
        ],
    }


def suite_id(check: CheckRun) -> int:
    """One suite for each commit and app, as on GitHub."""
    return int(check.head_sha[:8], 16) + len(check.app)


def suites_json(place: Place, sha: str) -> list[dict[str, Any]]:
    suites: dict[int, list[CheckRun]] = {}
    for check in place.repository.checks:
        if check.head_sha == sha:
            suites.setdefault(suite_id(check), []).append(check)
    return [suite_json(place, sha, checks) for checks in suites.values()]


def suite_json(place: Place, sha: str, checks: list[CheckRun]) -> dict[str, Any]:
    commit = place.repository.history.commits[sha]
    ended = all(it.status == "completed" for it in checks)
    seen = {it.conclusion for it in checks}
    url = f"{place.api}/check-suites/{suite_id(checks[0])}"
    pulls = [it for it in place.repository.pulls.values() if it.head_sha == sha]
    return {
        "id": suite_id(checks[0]),
        "node_id": node_id("CS", suite_id(checks[0])),
        "head_branch": pulls[0].head_branch if pulls else place.repository.default_branch,
        "head_sha": sha,
        "status": "completed" if ended else "in_progress",
        "conclusion": next((it for it in WORST_FIRST if it in seen), None) if ended else None,
        "url": url,
        "before": commit.parents[0] if commit.parents else None,
        "after": sha,
        "pull_requests": [minimal_pull_json(place, it) for it in pulls],
        "app": app_json(place, checks[0].app),
        "repository": minimal_repository_json(place),
        "created_at": moment(commit.at),
        "updated_at": moment(commit.at),
        "head_commit": simple_commit_json(commit),
        "latest_check_runs_count": len({it.name for it in checks}),
        "check_runs_url": f"{url}/check-runs",
    }


def commit_status_json(place: Place, status: CommitStatus) -> dict[str, Any]:
    return {
        "url": f"{place.api}/statuses/{status.sha}",
        "id": status.id,
        "node_id": node_id("SC", status.id),
        "avatar_url": f"{place.origin}/avatars/{BOT}",
        "state": status.state,
        "context": status.context,
        "description": status.description,
        "target_url": status.target_url,
        "created_at": moment(status.at),
        "updated_at": moment(status.at),
    }


def created_status_json(place: Place, status: CommitStatus) -> dict[str, Any]:
    return {**commit_status_json(place, status), "creator": user_json(place, BOT)}


def combined_status_json(place: Place, sha: str) -> dict[str, Any]:
    newest = {it.context: it for it in place.repository.statuses if it.sha == sha}
    states = {it.state for it in newest.values()}
    # No status at all reads "pending": whoever takes it for a check waits for ever.
    state = "failure" if states & {"error", "failure"} else "success" if states == {"success"} else "pending"
    return {
        "state": state,
        "statuses": [commit_status_json(place, it) for it in newest.values()],
        "sha": sha,
        "total_count": len(newest),
        "repository": minimal_repository_json(place),
        "commit_url": f"{place.api}/commits/{sha}",
        "url": f"{place.api}/commits/{sha}/status",
    }
