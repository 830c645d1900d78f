"""Workflows: what ran, what runs, and starting one by hand."""

import operator
from collections.abc import Callable
from datetime import datetime

from starlette.responses import Response

from vtid.simulator import deploys
from vtid.simulator.facts import WorkflowRun
from vtid.simulator.github.actions import jobs_json, run_json, workflow_id, workflow_json
from vtid.simulator.github.call import Call, GitHubError, RouteTable, answer, invalid, not_found, paged
from vtid.simulator.schedule import moment

# Longer signs first: ">=" starts with ">".
COMPARISONS: dict[str, Callable[[datetime, datetime], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def known_workflows(call: Call) -> list[str]:
    configured = call.world.behaviours.of(call.repository.full_name).deploy.workflow
    return list(dict.fromkeys([configured, *(run.workflow for run in call.repository.runs)]))


def find_workflow(call: Call) -> str:
    wanted = call.path("workflow")
    found = next((it for it in known_workflows(call) if wanted in (it, str(workflow_id(it)))), None)
    if found is None:
        raise not_found()
    return found


def list_workflows(call: Call) -> Response:
    return paged(call, [workflow_json(call.place, it) for it in known_workflows(call)], "workflows")


def get_workflow(call: Call) -> Response:
    return answer(call, workflow_json(call.place, find_workflow(call)))


def list_runs(call: Call) -> Response:
    return runs_page(call, call.repository.runs)


def list_workflow_runs(call: Call) -> Response:
    workflow = find_workflow(call)
    return runs_page(call, [run for run in call.repository.runs if run.workflow == workflow])


def runs_page(call: Call, runs: list[WorkflowRun]) -> Response:
    status, created = call.query("status"), created_filter(call.query("created"))
    wanted = [
        run
        for run in reversed(runs)
        if call.query("head_sha") in ("", run.head_sha)
        and call.query("event") in ("", run.event)
        and call.query("branch") in ("", run.head_branch)
        and status in ("", run.status, run.conclusion)
        and created(moment(run.created_at))
    ]
    return paged(call, [run_json(call.place, it) for it in wanted], "workflow_runs")


def created_filter(text: str) -> Callable[[str], bool]:
    """GitHub's search syntax for times: >=T, >T, <=T, <T, A..B, or a day."""
    if not text:
        return lambda at: True
    if ".." in text:
        first, last = text.split("..")
        return lambda at: _time(at) >= _time(first) and (last == "*" or _time(at) <= _time(last))
    for sign, holds in COMPARISONS.items():
        if text.startswith(sign):
            limit = _time(text.removeprefix(sign))
            return lambda at: holds(_time(at), limit)
    return lambda at: at.startswith(text)


def _time(text: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise invalid("created") from None
    return (
        parsed
        if parsed.tzinfo
        else datetime.fromisoformat(text + ("+00:00" if "T" in text else "T00:00:00+00:00"))
    )


def find_run(call: Call) -> WorkflowRun:
    number = call.number("id")
    found = next((run for run in call.repository.runs if run.id == number), None)
    if found is None:
        raise not_found()
    return found


def get_run(call: Call) -> Response:
    return answer(call, run_json(call.place, find_run(call)))


def list_jobs(call: Call) -> Response:
    return paged(call, jobs_json(call.place, find_run(call)), "jobs")


def job_logs(call: Call) -> Response:
    """Where the log of a job lies: a check run of GitHub Actions is a job, and both have one id."""
    number = call.number("id")
    check = next((it for it in call.repository.checks if it.id == number), None)
    if check is None or check.app != "github-actions" or check.status != "completed":
        raise not_found()
    address = f"{call.origin}/_logs/{call.repository.full_name}/{check.id}.txt?sig=simulated"
    return Response(status_code=302, headers={"location": address})


def rerun(call: Call) -> Response:
    run = find_run(call)
    if not run.ended:
        raise GitHubError(403, "This workflow is already running")
    deploys.rerun(call.world, call.repository, run)
    call.changed("rerun")
    return answer(call, {}, 201)


def cancel(call: Call) -> Response:
    run = find_run(call)
    if run.ended:
        raise GitHubError(409, "Cannot cancel a workflow run that is completed.")
    deploys.end(call.world, call.repository, run, "cancelled")
    call.changed("cancel")
    return answer(call, {}, 202)


def dispatch(call: Call) -> Response:
    workflow, ref, inputs = find_workflow(call), call.text("ref"), call.body.get("inputs") or {}
    history = call.repository.history
    branch = ref.removeprefix("refs/heads/")
    if branch not in history.branches:
        raise GitHubError(422, f"No ref found for: {ref}")
    if not isinstance(inputs, dict):
        raise invalid("inputs")
    commit = history.commits[history.branches[branch]]
    run = deploys.start(
        call.world,
        call.repository,
        event="workflow_dispatch",
        branch=branch,
        commit=commit,
        workflow=workflow,
        inputs=inputs,
    )
    call.changed("dispatch")
    # The newer version always tells the run; the older one only who asks for it.
    newer = call.request.headers.get("x-github-api-version") == "2026-03-10"
    if not (newer or call.body.get("return_run_details")):
        return Response(status_code=204)
    shown = run_json(call.place, run)
    return answer(call, {"workflow_run_id": run.id, "run_url": shown["url"], "html_url": shown["html_url"]})


ACTIONS = "/repos/{owner}/{repo}/actions"
ROUTES: RouteTable = (
    ("GET", ACTIONS + "/workflows", list_workflows),
    ("GET", ACTIONS + "/workflows/{workflow}", get_workflow),
    ("GET", ACTIONS + "/workflows/{workflow}/runs", list_workflow_runs),
    ("POST", ACTIONS + "/workflows/{workflow}/dispatches", dispatch),
    ("GET", ACTIONS + "/runs", list_runs),
    ("GET", ACTIONS + "/runs/{id}", get_run),
    ("GET", ACTIONS + "/runs/{id}/jobs", list_jobs),
    ("GET", ACTIONS + "/jobs/{id}/logs", job_logs),
    ("POST", ACTIONS + "/runs/{id}/rerun", rerun),
    ("POST", ACTIONS + "/runs/{id}/cancel", cancel),
)
