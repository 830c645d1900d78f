"""The re-run button at our check tries a blocked run again, by the name of whoever pressed it."""

from typing import Any

import pytest

from tests.api.stage import SHA
from tests.api.webhooks.conftest import Hook, check_run
from vtid.domain.commands.messages import Rescue
from vtid.domain.stages import Move

FAILURE = {
    "code": "CHECKS_FAILED",
    "stage": "WORKER",
    "outcome": "failure",
    "message": "red",
    "moves": ["retry"],
}


def pressed(name: str = "vtid", sha: str = SHA) -> dict[str, Any]:
    payload = check_run(sha, action="rerequested")
    payload["check_run"]["name"] = name
    return payload | {"sender": {"login": "ann"}}


async def blocked(hook: Hook) -> str:
    vtid = await hook.waiting_run()
    await hook.play.tell(vtid, "run.blocked", failure=FAILURE, until=None)
    return vtid


def rescues(hook: Hook, vtid: str) -> list[Rescue]:
    return [told for told in hook.heard(vtid) if isinstance(told, Rescue)]


async def says(hook: Hook) -> str:
    return str((await hook.deliveries())[0]["says"])


async def test_a_blocked_run_tries_again_by_the_name_of_whoever_pressed(hook: Hook) -> None:
    vtid = await blocked(hook)

    await hook.send("check_run", pressed())
    await hook.settle()

    assert [(each.move, each.by) for each in rescues(hook, vtid)] == [(Move.RETRY, "github:ann")]
    assert f"{vtid} tries again" in await says(hook)


async def test_pressed_twice_by_one_delivery_it_is_one_try(hook: Hook) -> None:
    vtid = await blocked(hook)

    for _ in range(2):
        await hook.send("check_run", pressed(), delivery="the-same")
    await hook.settle()

    assert len(rescues(hook, vtid)) == 1


@pytest.mark.parametrize("payload", [pressed(name="ci"), pressed(sha="e" * 40)])
async def test_another_check_or_another_head_moves_nothing(hook: Hook, payload: dict[str, Any]) -> None:
    vtid = await blocked(hook)

    await hook.send("check_run", payload)
    await hook.settle()

    assert rescues(hook, vtid) == []


async def test_a_run_that_is_not_blocked_is_left_alone_and_that_is_said(hook: Hook) -> None:
    vtid = await hook.waiting_run()

    await hook.send("check_run", pressed())
    await hook.settle()

    assert rescues(hook, vtid) == []
    assert "is not blocked" in await says(hook)
