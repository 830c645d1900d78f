"""From a commit on the default branch to an Actions run, and from there to what serves."""

from collections.abc import Callable
from typing import Any

from vtid.simulator import cloud
from vtid.simulator.behaviour import Deploy, Told
from vtid.simulator.facts import Deployment, DeploymentStatus, Repository, WorkflowRun
from vtid.simulator.history import Commit
from vtid.simulator.world import World

QUEUED_PART = 0.2
ACTIONS = "github-actions[bot]"


def on_push(world: World, repository: Repository, branch: str, commit: Commit) -> WorkflowRun | None:
    wish = world.behaviours.of(repository.full_name).deploy
    if branch != repository.default_branch or not wish.auto or wish.event != "push":
        return None
    return start(world, repository, event="push", branch=branch, commit=commit, workflow=wish.workflow)


def start(
    world: World,
    repository: Repository,
    *,
    event: str,
    branch: str,
    commit: Commit,
    workflow: str,
    inputs: dict[str, Any] | None = None,
) -> WorkflowRun:
    wish = world.behaviours.of(repository.full_name).deploy
    now = world.now()
    run = WorkflowRun(
        id=world.next_id(),
        number=sum(run.workflow == workflow for run in repository.runs) + 1,
        workflow=workflow,
        event=event,
        head_sha=commit.sha,
        head_branch=branch,
        title=commit.message.split("\n")[0]
        if event == "push"
        else " ".join(["Deploy", *map(str, (inputs or {}).values())]),
        created_at=now,
        updated_at=now,
        jobs=wish.jobs,
        inputs=inputs or {},
    )
    if wish.collapse:
        for older in repository.runs:
            if older.workflow == workflow and not older.ended:
                end(world, repository, older, "cancelled")
    repository.runs.append(run)
    world.told(repository, "workflow_run", "requested", run)
    _set_going(world, repository, run, wish)
    return run


def rerun(world: World, repository: Repository, run: WorkflowRun) -> None:
    wish = world.behaviours.of(repository.full_name).deploy
    run.attempt += 1
    run.status, run.conclusion, run.jobs, run.updated_at = "queued", None, wish.jobs, world.now()
    _set_going(world, repository, run, wish)


def _set_going(world: World, repository: Repository, run: WorkflowRun, wish: Deploy) -> None:
    attempt = run.attempt

    def still_this_one() -> bool:
        return run.attempt == attempt and not run.ended

    def begin() -> None:
        if still_this_one():
            run.status, run.updated_at = "in_progress", world.now()
            world.told(repository, "workflow_run", "in_progress", run)

    world.schedule.after(wish.after_s * QUEUED_PART, begin)
    world.schedule.after(wish.after_s, _ending(world, repository, run, wish, still_this_one))


def _ending(
    world: World, repository: Repository, run: WorkflowRun, wish: Deploy, still_this_one: Callable[[], bool]
) -> Callable[[], None]:
    def finish() -> None:
        if not still_this_one():
            return
        end(world, repository, run, wish.conclusion)
        if wish.deployment is not None:
            tell_deployment(world, repository, run, wish.deployment)
        # A run without jobs did nothing, whatever it says of itself.
        if wish.conclusion == "success" and run.jobs > 0:
            sha = run.head_sha if wish.serves == "head" else wish.serves
            for name in [repository.name] if wish.services is None else wish.services:
                for service in world.services_named(name):
                    cloud.deploy(world, service, sha, wish, reconcile_s(world, repository))

    return finish


def end(world: World, repository: Repository, run: WorkflowRun, conclusion: str) -> None:
    run.status, run.conclusion, run.updated_at = "completed", conclusion, world.now()
    world.told(repository, "workflow_run", "completed", run)


def tell_deployment(world: World, repository: Repository, run: WorkflowRun, told: Told) -> None:
    """What GitHub Actions does for a job that names an environment: a deployment for each try of it."""
    now = world.now()
    made = Deployment(
        world.next_id(), run.head_sha, run.head_branch, "deploy", told.environment, None, {}, now, ACTIONS
    )
    status = DeploymentStatus(
        world.next_id(), told.state, told.description, told.environment, "", "", now, ACTIONS
    )
    made.statuses.append(status)
    repository.deployments.append(made)
    world.told(repository, "deployment_status", "created", (made, status))


def reconcile_s(world: World, repository: Repository) -> float:
    return world.behaviours.of(repository.full_name).reconcile_s
