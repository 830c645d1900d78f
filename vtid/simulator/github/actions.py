"""Workflows, their runs and jobs."""

import zlib
from typing import Any

from vtid.simulator.facts import WorkflowRun
from vtid.simulator.github.commits import simple_commit_json
from vtid.simulator.github.people import BOT, user_json
from vtid.simulator.github.repositories import minimal_repository_json
from vtid.simulator.github.urls import Place, node_id
from vtid.simulator.schedule import moment


def workflow_id(workflow: str) -> int:
    return zlib.crc32(workflow.encode())


def workflow_title(workflow: str) -> str:
    return workflow.rsplit(".", 1)[0]


def workflow_json(place: Place, workflow: str) -> dict[str, Any]:
    created = moment(place.repository.created_at)
    return {
        "id": workflow_id(workflow),
        "node_id": node_id("W", workflow),
        "name": workflow_title(workflow),
        "path": f".github/workflows/{workflow}",
        "state": "active",
        "created_at": created,
        "updated_at": created,
        "url": f"{place.api}/actions/workflows/{workflow_id(workflow)}",
        "html_url": f"{place.html}/blob/{place.repository.default_branch}/.github/workflows/{workflow}",
        "badge_url": f"{place.html}/workflows/{workflow_title(workflow)}/badge.svg",
    }


def run_json(place: Place, run: WorkflowRun) -> dict[str, Any]:
    url = f"{place.api}/actions/runs/{run.id}"
    actor = user_json(place, BOT)
    commit = place.repository.history.commits.get(run.head_sha)
    here = minimal_repository_json(place)
    return {
        "id": run.id,
        "name": workflow_title(run.workflow),
        "node_id": node_id("WFR", run.id),
        "check_suite_id": run.id + 500_000,
        "check_suite_node_id": node_id("CS", run.id + 500_000),
        "head_branch": run.head_branch,
        "head_sha": run.head_sha,
        "path": f".github/workflows/{run.workflow}",
        "run_number": run.number,
        "run_attempt": run.attempt,
        "event": run.event,
        "display_title": run.title,
        "status": run.status,
        "conclusion": run.conclusion,
        "workflow_id": workflow_id(run.workflow),
        "url": url,
        "html_url": f"{place.html}/actions/runs/{run.id}",
        "pull_requests": [],
        "created_at": moment(run.created_at),
        "updated_at": moment(run.updated_at),
        "run_started_at": moment(run.created_at),
        "actor": actor,
        "triggering_actor": actor,
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "check_suite_url": f"{place.api}/check-suites/{run.id + 500_000}",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "previous_attempt_url": None,
        "workflow_url": f"{place.api}/actions/workflows/{workflow_id(run.workflow)}",
        "head_commit": simple_commit_json(commit) if commit else None,
        "repository": here,
        "head_repository": here,
    }


def jobs_json(place: Place, run: WorkflowRun) -> list[dict[str, Any]]:
    return [job_json(place, run, number) for number in range(1, run.jobs + 1)]


def job_json(place: Place, run: WorkflowRun, number: int) -> dict[str, Any]:
    job_id = run.id * 1000 + number
    url = f"{place.api}/actions/jobs/{job_id}"
    return {
        "id": job_id,
        "run_id": run.id,
        "run_url": f"{place.api}/actions/runs/{run.id}",
        "run_attempt": run.attempt,
        "node_id": node_id("J", job_id),
        "head_sha": run.head_sha,
        "head_branch": run.head_branch,
        "url": url,
        "html_url": f"{place.html}/actions/runs/{run.id}/job/{job_id}",
        "status": run.status,
        "conclusion": "failure" if run.conclusion == "startup_failure" else run.conclusion,
        "created_at": moment(run.created_at),
        "started_at": moment(run.created_at),
        "completed_at": moment(run.updated_at) if run.ended else None,
        "name": "deploy" if run.jobs == 1 else f"deploy ({number})",
        "steps": [],
        "check_run_url": f"{place.api}/check-runs/{job_id}",
        "labels": ["ubuntu-latest"],
        "runner_id": 1,
        "runner_name": "simulated",
        "runner_group_id": 1,
        "runner_group_name": "Default",
        "workflow_name": workflow_title(run.workflow),
    }
