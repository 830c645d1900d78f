"""What GitHub tells without being asked: signed, numbered, and sent once the world has moved."""

import asyncio
import hashlib
import hmac
import json
import logging
import uuid
from collections import deque
from dataclasses import dataclass
from typing import Any

from vtid.simulator.facts import CheckRun, DeploymentStatus, MergeGroup, PullRequest, Repository, WorkflowRun
from vtid.simulator.github.actions import run_json
from vtid.simulator.github.checks import check_json
from vtid.simulator.github.commits import simple_commit_json
from vtid.simulator.github.deployments import deployment_json, status_json
from vtid.simulator.github.people import user_json
from vtid.simulator.github.pulls import pull_json
from vtid.simulator.github.repositories import full_repository_json
from vtid.simulator.github.urls import Place
from vtid.simulator.world import World

log = logging.getLogger(__name__)
ANSWER_WITHIN_S = 5.0


@dataclass(frozen=True)
class Delivery:
    url: str
    secret: str
    event: str
    id: str
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        signature = hmac.new(self.secret.encode(), self.body, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/simulator",
            "X-GitHub-Event": self.event,
            "X-GitHub-Delivery": self.id,
            "X-Hub-Signature-256": f"sha256={signature}",
        }


class Webhooks:
    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: deque[Delivery] = deque(maxlen=10_000)
        self._sending: set[asyncio.Task[None]] = set()
        self.origin = "http://127.0.0.1"
        world.told = self.note

    def note(self, repository: Repository, event: str, action: str, fact: Any) -> None:
        """Written down at the moment of the event, because the facts move on before it is sent."""
        wish = self._world.behaviours.of(repository.full_name).webhooks
        if wish is None:
            return
        place = Place(self.origin, repository)
        payload = {
            "action": action,
            **subject(self._world, place, event, fact),
            "repository": full_repository_json(place),
            "sender": user_json(place, repository.owner),
        }
        delivery = Delivery(wish.url, wish.secret, event, str(uuid.uuid4()), json.dumps(payload).encode())
        self._waiting.extend([delivery] * wish.repeat)

    async def send(self) -> None:
        """Start what waits. A slow receiver must not hold up the world, and GitHub does not try twice."""
        while self._waiting:
            task = asyncio.create_task(deliver(self._waiting.popleft()))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)


async def deliver(delivery: Delivery) -> None:
    # Late, because a simulator without webhooks should start without a client.
    import httpx

    try:
        async with httpx.AsyncClient(timeout=ANSWER_WITHIN_S, trust_env=False) as client:
            await client.post(delivery.url, content=delivery.body, headers=delivery.headers)
    except httpx.HTTPError as cause:
        log.info("webhook %s to %s was lost: %r", delivery.event, delivery.url, cause)


def subject(world: World, place: Place, event: str, fact: Any) -> dict[str, Any]:
    if isinstance(fact, PullRequest):
        return {"number": fact.number, "pull_request": pull_json(world, place, fact, computes=False)}
    if isinstance(fact, MergeGroup):
        return {"merge_group": group_json(place, fact)}
    if isinstance(fact, CheckRun):
        return {"check_run": check_json(place, fact)}
    if isinstance(fact, WorkflowRun):
        return {"workflow_run": run_json(place, fact)}
    if isinstance(fact, tuple) and isinstance(fact[1], DeploymentStatus):
        deployment, status = fact
        return {
            "deployment": deployment_json(place, deployment),
            "deployment_status": status_json(place, deployment, status),
        }
    raise TypeError(f"no webhook for {event}")


def group_json(place: Place, group: MergeGroup) -> dict[str, Any]:
    return {
        "head_sha": group.head_sha,
        "head_ref": f"refs/heads/{group.branch}",
        "base_sha": group.base_sha,
        "base_ref": f"refs/heads/{group.base}",
        "head_commit": simple_commit_json(place.repository.history.commits[group.head_sha]),
    }
