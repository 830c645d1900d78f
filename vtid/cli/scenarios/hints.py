"""Scenarios of GitHub's webhooks: they may be lost, doubled or forged, and the run ends the same."""

import json
from uuid import uuid4

import httpx

from vtid.cli.scenarios.calls import Json
from vtid.cli.scenarios.courses import works
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import REPORTED, Promise, Scenario
from vtid.cli.scenarios.seen import Seen
from vtid.domain.task import TaskStatus

_NOBODY = "http://127.0.0.1:9/webhooks/github"  # the port for what is thrown away


async def _work_to_the_end(drill: Drill) -> None:
    await works()(drill)
    drill.notes["deliveries"] = await drill.deliveries()


async def _lost(drill: Drill) -> None:
    await drill.world.behave({"webhooks": {"url": _NOBODY, "secret": drill.stack.webhook_secret}})
    await _work_to_the_end(drill)


def _once(**events: int) -> dict[str, int]:
    return {"run.blocked": 0, "verdict.reached": 1, "change.merged": 1, "proof.recorded": 1, **events}


LOST = Scenario(
    "webhook-lost",
    "Not one webhook arrives: the run looks for itself, and ends right all the same.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events=_once(),
        claims={"none arrived": lambda seen: seen.notes["deliveries"] == []},
    ),
    _lost,
)


async def _twice(drill: Drill) -> None:
    hook = {"url": drill.webhook_url, "secret": drill.stack.webhook_secret, "repeat": 2}
    await drill.world.behave({"checks": {"after_s": 2}, "webhooks": hook})
    await _work_to_the_end(drill)


def _heard(seen: Seen) -> list[Json]:
    return [each for each in seen.notes["deliveries"] if "looks" in each["says"]]


TWICE = Scenario(
    "webhook-twice",
    "Every webhook arrives twice: each is worked once, the waiting run looks, and nothing is done twice.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events=_once(),
        claims={
            "each was kept once": lambda seen: (
                len({each["delivery_id"] for each in seen.notes["deliveries"]})
                == len(seen.notes["deliveries"])
                > 3
            ),
            "the waiting run looked because of one": lambda seen: len(_heard(seen)) > 0,
        },
    ),
    _twice,
)


async def _forged(drill: Drill) -> None:
    await drill.world.behave(
        {"checks": {"after_s": 2}, "webhooks": {"url": drill.webhook_url, "secret": "guessed"}}
    )
    await drill.hire("worker")
    await drill.start()
    observed = await drill.until_event("evidence.observed")
    head = observed["pull_request"]["head_sha"]
    drill.notes["answers"] = [
        await _forge(drill, head, signature) for signature in (None, "sha256=" + "0" * 64)
    ]
    await drill.until_decided()
    drill.notes["deliveries"] = await drill.deliveries()


async def _forge(drill: Drill, head: str, signature: str | None) -> int:
    """Somebody else's word that the checks of this head are green; gives what it is answered with."""
    told = {"head_sha": head, "status": "completed", "conclusion": "success", "check_suite": {}}
    body = {"action": "completed", "check_run": told, "repository": {"full_name": drill.world.repository}}
    headers = {"X-GitHub-Event": "check_run", "X-GitHub-Delivery": str(uuid4())}
    if signature is not None:
        headers["X-Hub-Signature-256"] = signature
    async with httpx.AsyncClient(timeout=10) as client:
        answer = await client.post(drill.webhook_url, content=json.dumps(body), headers=headers)
    return answer.status_code


FORGED = Scenario(
    "webhook-forged",
    "Somebody says that the checks are green, unsigned and wrongly signed: refused, and the run waits for the checks.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events=_once(),
        claims={
            "both were answered with 401": lambda seen: seen.notes["answers"] == [401, 401],
            "nothing was kept of them": lambda seen: seen.notes["deliveries"] == [],
        },
    ),
    _forged,
)

SCENARIOS = (LOST, TWICE, FORGED)
