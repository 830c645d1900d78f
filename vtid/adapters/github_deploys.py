"""Runs of the deploy workflow on GitHub Actions, and deployments as GitHub lists them."""

import re
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from vtid.adapters.errors import reading, shortened
from vtid.adapters.github_answers import SYSTEM
from vtid.adapters.github_wire import GitHubWire, part, place
from vtid.domain.change import DeploymentClaim, DeployRun

MOST_DEPLOYMENTS = 10  # of one commit in one environment, newest first
MOST_RUNS = 20  # newest first, of those that are looked through for one that contains a commit
MAX_DESCRIPTION = 140  # GitHub's limit of a deployment's description
CLOCK_DIFFERENCE = timedelta(hours=1)  # a nonce is found by itself; our clock only keeps the search short


def deploy_runs(
    wire: GitHubWire, repository: str, workflow: str, event: str, sha: str
) -> tuple[DeployRun, ...]:
    entries = wire.pages(f"{place(repository)}/actions/runs", "workflow_runs", event=event, head_sha=sha)
    runs = [_run_of(data) for data in entries if _is_of(workflow, data)]
    exact = [run for run in runs if run.head_sha == sha and run.event == event]
    return tuple(sorted(exact, key=lambda run: run.id, reverse=True))


def deploy_runs_since(
    wire: GitHubWire, repository: str, workflow: str, event: str, branch: str, since: datetime
) -> tuple[DeployRun, ...]:
    entries = wire.pages(
        f"{place(repository)}/actions/runs",
        "workflow_runs",
        event=event,
        branch=branch,
        created=_created_since(since),
    )
    runs = (_run_of(data) for data in entries if _is_of(workflow, data))
    return tuple(islice(runs, MOST_RUNS))


def deploy_run(wire: GitHubWire, repository: str, run_id: int) -> DeployRun:
    address = f"{place(repository)}/actions/runs/{run_id}"
    data = wire.get(address)
    jobs = wire.get(f"{address}/jobs", per_page=1)
    with reading(SYSTEM, f"{address}/jobs"):
        return _run_of(data, jobs=int(jobs["total_count"]))


def find_dispatched(
    wire: GitHubWire, repository: str, workflow: str, nonce: str, since: datetime
) -> DeployRun | None:
    entries = wire.pages(
        f"{place(repository)}/actions/runs",
        "workflow_runs",
        event="workflow_dispatch",
        created=_created_since(since),
    )
    for data in entries:
        with reading(SYSTEM, "a workflow run"):
            shown = f"{data.get('display_title') or ''} {data.get('name') or ''}"
        if nonce in shown and _is_of(workflow, data):
            return _run_of(data)
    return None


def dispatch(
    wire: GitHubWire, repository: str, workflow: str, ref: str, inputs: dict[str, str]
) -> DeployRun | None:
    """Start the workflow once. The run's commit is not in GitHub's answer, so `head_sha` is empty."""
    address = f"{place(repository)}/actions/workflows/{part(workflow)}/dispatches"
    data = wire.send("POST", address, {"ref": ref, "inputs": inputs, "return_run_details": True})
    if not data:
        return None
    with reading(SYSTEM, f"POST {address}"):
        return DeployRun(
            id=int(data["workflow_run_id"]),
            url=str(data["html_url"]),
            head_sha="",
            event="workflow_dispatch",
            status="queued",
            conclusion=None,
        )


def _created_since(since: datetime) -> str:
    return (since - CLOCK_DIFFERENCE).astimezone(UTC).strftime(">=%Y-%m-%dT%H:%M:%SZ")


def _is_of(workflow: str, data: Any) -> bool:
    """Whether the run is of this workflow, named by its file, its name or its number."""
    with reading(SYSTEM, "a workflow run"):
        file = str(data["path"]).split("@")[0].split("/")[-1]
        return workflow in (file, data.get("name"), str(data["workflow_id"]))


def _run_of(data: Any, jobs: int | None = None) -> DeployRun:
    with reading(SYSTEM, "a workflow run"):
        return DeployRun(
            id=int(data["id"]),
            url=str(data["html_url"]),
            head_sha=str(data["head_sha"]),
            event=str(data["event"]),
            status=str(data["status"]),
            conclusion=data["conclusion"],
            jobs=jobs,
            created_at=datetime.fromisoformat(data["created_at"]),
        )


def deployment_claims(
    wire: GitHubWire, repository: str, environment: str, commit: str
) -> tuple[DeploymentClaim, ...]:
    """By who says it: the newest deployment of theirs counts, since each try makes a new one."""
    claims: dict[str, DeploymentClaim] = {}
    listed = (
        data
        for data in wire.pages(f"{place(repository)}/deployments", sha=commit)
        if _is_for(environment, commit, data)
    )
    for data in sorted(islice(listed, MOST_DEPLOYMENTS), key=_number_of, reverse=True):
        with reading(SYSTEM, "a deployment"):
            address, number = str(data["url"]), int(data["id"])
        statuses = wire.pages(f"{place(repository)}/deployments/{number}/statuses")
        theirs = max((each for each in statuses if not _is_ours(wire, each)), key=_number_of, default=None)
        if theirs is not None:
            claim = _claim_of(address, commit, theirs)
            claims.setdefault(claim.by, claim)
    return tuple(claims.values())


def _is_for(environment: str, commit: str, data: Any) -> bool:
    with reading(SYSTEM, "a deployment"):
        return bool(data["sha"] == commit and data["environment"].casefold() == environment.casefold())


def _is_ours(wire: GitHubWire, status: Any) -> bool:
    """By its text and its author: where our own name cannot be asked for, any bot would be taken for us."""
    with reading(SYSTEM, "a deployment status"):
        marked = re.match(r"VTID-\d{4,}: ", status.get("description") or "")
        return bool(marked) and wire.is_own_hand(status["creator"] or {})


def _claim_of(address: str, commit: str, status: Any) -> DeploymentClaim:
    with reading(SYSTEM, "a deployment status"):
        return DeploymentClaim(
            url=address,
            commit=commit,
            by=str((status["creator"] or {}).get("login") or "somebody"),
            state=str(status["state"]),
            description=shortened(str(status.get("description") or ""))[:MAX_DESCRIPTION],
            at=datetime.fromisoformat(status["created_at"]),
        )


def report_deployment(
    wire: GitHubWire,
    repository: str,
    environment: str,
    commit: str,
    *,
    state: str,
    description: str,
    url: str,
) -> str:
    """Repeating it finds the deployment, and adds a status only where the latest one differs."""
    found = _deployment(wire, repository, environment, commit)
    deployment = found or _create_deployment(wire, repository, environment, commit)
    with reading(SYSTEM, "a deployment"):
        address = str(deployment["url"])
        number = int(deployment["id"])
    statuses = f"{place(repository)}/deployments/{number}/statuses"
    wanted = {"state": state, "description": description[:MAX_DESCRIPTION], "log_url": url}
    if _latest_status(wire, statuses) != wanted:
        wire.send("POST", statuses, wanted)
    return address


def _deployment(wire: GitHubWire, repository: str, environment: str, commit: str) -> Any:
    listed = wire.pages(f"{place(repository)}/deployments", sha=commit, environment=environment)
    for data in listed:
        with reading(SYSTEM, "a deployment"):
            if data["sha"] == commit and data["environment"] == environment:
                return data
    return None


def _create_deployment(wire: GitHubWire, repository: str, environment: str, commit: str) -> Any:
    body = {"ref": commit, "environment": environment, "auto_merge": False, "required_contexts": []}
    return wire.send("POST", f"{place(repository)}/deployments", body)


def _latest_status(wire: GitHubWire, address: str) -> dict[str, str] | None:
    latest = max(wire.pages(address), key=_number_of, default=None)
    if latest is None:
        return None
    with reading(SYSTEM, "a deployment status"):
        return {key: str(latest.get(key) or "") for key in ("state", "description", "log_url")}


def _number_of(data: Any) -> int:
    with reading(SYSTEM, "a deployment status"):
        return int(data["id"])
