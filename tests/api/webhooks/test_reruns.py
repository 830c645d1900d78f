"""The re-run button of our check: a blocked run is tried again, and nothing else is moved by it."""

from typing import Any

from tests.api.stage import SHA
from tests.api.webhooks.conftest import Hook, check_run
from vtid.domain.commands import Rescue
from vtid.domain.failures import RunStopped, failure_of
from vtid.domain.stages import Move, Stage
from vtid.ledger.codec import failure_to_data


def pressed(name: str = "vtid", sha: str = SHA) -> dict[str, Any]:
    payload = check_run(sha, action="rerequested")
    payload["check_run"]["name"] = name
    return payload | {"sender": {"login": "ann"}}


async def block(hook: Hook, vtid: str) -> None:
    at = (await hook.play.ledger.runs.current(vtid)).created_at
    failure = failure_of(RunStopped("CHECKS_FAILED"), Stage.VALIDATOR, "judge", 1, at)
    await hook.play.tell(
        vtid, "run.blocked", stage=Stage.VALIDATOR, failure=failure_to_data(failure), until=None
    )


async def says(hook: Hook) -> str:
    await hook.settle()
    return str((await hook.deliveries())[0]["says"])


async def test_a_blocked_run_is_tried_again_in_the_name_of_who_pressed(hook: Hook) -> None:
    vtid = await hook.waiting_run()
    await block(hook, vtid)

    await hook.send("check_run", pressed())

    assert await says(hook) == f"{vtid} is tried again"
    [decision] = hook.heard(vtid)
    assert isinstance(decision, Rescue)
    assert (decision.move, decision.by) == (Move.RETRY, "github:ann")
    assert "github:ann" in {entry.who for entry in await hook.play.ledger.audit.list(target=vtid)}


async def test_a_run_under_way_is_not_moved(hook: Hook) -> None:
    vtid = await hook.waiting_run()

    await hook.send("check_run", pressed())

    assert (await says(hook)).startswith(f"{vtid} is not tried again: ")
    assert hook.heard(vtid) == []


async def test_the_button_of_another_check_is_not_ours(hook: Hook) -> None:
    vtid = await hook.waiting_run()
    await block(hook, vtid)

    await hook.send("check_run", pressed("ci"))
    await hook.settle()

    assert hook.heard(vtid) == []


async def test_a_head_that_no_open_run_has_moves_nothing(hook: Hook) -> None:
    vtid = await hook.waiting_run()
    await block(hook, vtid)

    await hook.send("check_run", pressed(sha="f" * 40))

    assert await says(hook) == "no open run has this head"
    assert hook.heard(vtid) == []
