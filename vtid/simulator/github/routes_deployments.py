"""/repos/{owner}/{repo}/deployments"""

from starlette.responses import Response

from vtid.simulator.facts import Deployment, DeploymentStatus
from vtid.simulator.github.call import Call, RouteTable, answer, invalid, not_found, paged
from vtid.simulator.github.deployments import deployment_json, status_json

STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")


def list_deployments(call: Call) -> Response:
    wanted = [
        it
        for it in reversed(call.repository.deployments)
        if call.query("sha") in ("", it.sha)
        and call.query("ref") in ("", it.ref)
        and call.query("task") in ("", it.task)
        and call.query("environment") in ("", it.environment)
    ]
    return paged(call, [deployment_json(call.place, it) for it in wanted])


def create_deployment(call: Call) -> Response:
    ref = call.text("ref")
    payload = call.body.get("payload", {})
    made = Deployment(
        id=call.world.next_id(),
        sha=call.commit(ref).sha,
        ref=ref,
        task=call.text("task", "deploy"),
        environment=call.text("environment", "production"),
        description=call.optional("description"),
        payload=payload if isinstance(payload, dict | str) else {},
        at=call.world.now(),
        creator=call.login,
    )
    call.repository.deployments.append(made)
    call.changed("deployment")
    return answer(call, deployment_json(call.place, made), 201)


def find_deployment(call: Call) -> Deployment:
    number = call.number("id")
    found = next((it for it in call.repository.deployments if it.id == number), None)
    if found is None:
        raise not_found()
    return found


def get_deployment(call: Call) -> Response:
    return answer(call, deployment_json(call.place, find_deployment(call)))


def list_statuses(call: Call) -> Response:
    deployment = find_deployment(call)
    return paged(call, [status_json(call.place, deployment, it) for it in reversed(deployment.statuses)])


def get_status(call: Call) -> Response:
    deployment, number = find_deployment(call), call.number("status")
    found = next((it for it in deployment.statuses if it.id == number), None)
    if found is None:
        raise not_found()
    return answer(call, status_json(call.place, deployment, found))


def create_status(call: Call) -> Response:
    deployment, state = find_deployment(call), call.text("state")
    if state not in STATES:
        raise invalid("state")
    made = DeploymentStatus(
        call.world.next_id(),
        state,
        call.text("description", ""),
        call.text("environment", deployment.environment),
        call.text("log_url", call.text("target_url", "")),
        call.text("environment_url", ""),
        call.world.now(),
        call.login,
    )
    deployment.statuses.append(made)
    call.changed("deployment_status")
    call.world.told(call.repository, "deployment_status", "created", (deployment, made))
    return answer(call, status_json(call.place, deployment, made), 201)


DEPLOYMENTS = "/repos/{owner}/{repo}/deployments"
ROUTES: RouteTable = (
    ("GET", DEPLOYMENTS, list_deployments),
    ("POST", DEPLOYMENTS, create_deployment),
    ("GET", DEPLOYMENTS + "/{id}", get_deployment),
    ("GET", DEPLOYMENTS + "/{id}/statuses", list_statuses),
    ("POST", DEPLOYMENTS + "/{id}/statuses", create_status),
    ("GET", DEPLOYMENTS + "/{id}/statuses/{status}", get_status),
)
