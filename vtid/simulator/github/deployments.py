"""Deployments and their statuses."""

from typing import Any

from vtid.simulator.facts import Deployment, DeploymentStatus
from vtid.simulator.github.people import user_json
from vtid.simulator.github.urls import Place, node_id
from vtid.simulator.schedule import moment


def deployment_json(place: Place, deployment: Deployment) -> dict[str, Any]:
    url = f"{place.api}/deployments/{deployment.id}"
    newest = deployment.statuses[-1].at if deployment.statuses else deployment.at
    return {
        "url": url,
        "id": deployment.id,
        "node_id": node_id("DE", deployment.id),
        "task": deployment.task,
        "original_environment": deployment.environment,
        "environment": deployment.environment,
        "description": deployment.description,
        "created_at": moment(deployment.at),
        "updated_at": moment(newest),
        "statuses_url": f"{url}/statuses",
        "repository_url": place.api,
        "creator": user_json(place, deployment.creator),
        "sha": deployment.sha,
        "ref": deployment.ref,
        "payload": deployment.payload,
        "transient_environment": False,
        "production_environment": deployment.environment == "production",
    }


def status_json(place: Place, deployment: Deployment, status: DeploymentStatus) -> dict[str, Any]:
    url = f"{place.api}/deployments/{deployment.id}"
    return {
        "url": f"{url}/statuses/{status.id}",
        "id": status.id,
        "node_id": node_id("DES", status.id),
        "state": status.state,
        "creator": user_json(place, status.creator),
        "description": status.description,
        "environment": status.environment,
        "target_url": status.log_url,
        "created_at": moment(status.at),
        "updated_at": moment(status.at),
        "deployment_url": url,
        "repository_url": place.api,
        "environment_url": status.environment_url,
        "log_url": status.log_url,
    }
