"""The world of the `dev` section, as it stands before the first run: its repository and its services."""

from typing import Any

import httpx

from vtid.domain.environment import Environment, Service


async def seed(simulator: str, environment: Environment) -> None:
    """Post the environment's repository, and each service with one serving revision, to the simulator.

    Raises httpx.HTTPError when it refuses: a world that is not as declared would make every run lie.
    """
    async with httpx.AsyncClient(base_url=simulator, timeout=10) as client:
        repository = environment.repository
        wish = {"full_name": repository, "default_branch": environment.base_branch}
        made = (await client.post("/_sim/repos", json=wish)).raise_for_status()
        head = made.json()["head_sha"]
        for service in environment.services:
            name = _simulated_name(service, repository)
            answer = await client.put(
                f"/_sim/services/{name}", json=_serving(name, service, environment, head)
            )
            answer.raise_for_status()


def _simulated_name(service: Service, repository: str) -> str:
    """Under which the simulator knows it: what the declared address ends with, where there is one."""
    address = service.address(repository)
    return address.rstrip("/").rpartition("/")[2] if address else service.cloud_run_name(repository)


def _serving(name: str, service: Service, environment: Environment, commit: str) -> dict[str, Any]:
    """A service that has everything its environment requires, so that a healthy run finds nothing missing."""
    revision = f"{name}-00001-{commit[:3]}"
    return {
        "project": environment.project,
        "region": environment.region,
        "revisions": [
            {
                "name": revision,
                "commit_sha": commit,
                "labels": {"commit-sha": commit},
                "env": {name: service.env.get(name, "set") for name in service.required_env},
                "secrets": {name: service.binding_of(name) for name in service.required_secrets},
                "ready": True,
            }
        ],
        "traffic": [{"revision": revision, "percent": 100}],
    }
