"""Everything that the world knows, for the eyes of whoever debugs a scenario."""

from dataclasses import asdict
from typing import Any

from vtid.simulator.facts import Repository
from vtid.simulator.faults import Faults
from vtid.simulator.world import World


def dump(world: World, faults: Faults) -> dict[str, Any]:
    return {
        "repositories": {it.full_name: repository_dump(it) for it in world.repositories.values()},
        "services": {
            it.path: {**asdict(it), "reconciling": it.reconciling} for it in world.services.values()
        },
        "id_tokens": world.id_tokens,
        "faults": [{"id": it.id, "left": it.left, **it.wish.model_dump()} for it in faults.active],
        "behaviour": {
            it.full_name: world.behaviours.of(it.full_name).model_dump() for it in world.repositories.values()
        },
    }


def repository_dump(repository: Repository) -> dict[str, Any]:
    history = repository.history
    commits = [
        {"sha": it.sha, "parents": it.parents, "message": it.message} for it in history.commits.values()
    ]
    return {
        "default_branch": repository.default_branch,
        "branches": history.branches,
        "commits": commits,
        "pulls": [asdict(it) for it in repository.pulls.values()],
        "checks": [asdict(it) for it in repository.checks],
        "statuses": [asdict(it) for it in repository.statuses],
        "runs": [asdict(it) for it in repository.runs],
        "deployments": [asdict(it) for it in repository.deployments],
        "queue": [asdict(it) for it in repository.queue],
        "removals": [asdict(it) for it in repository.removals],
        "comments": [asdict(it) for it in repository.comments],
    }
