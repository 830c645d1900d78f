"""A refusal is advice: what happened, and what to do next."""

import pytest
from mcp import MCPError

from api.engine import RunRef
from tests.api.conftest import Staging, serving
from tests.api.engine import FakeEngine
from tests.api.stage import PULL, SHA, Play
from vtid.domain.commands.messages import Acknowledge, LeaseTerms
from vtid.domain.failures import API_CODES
from vtid.mcp.advice import ADVICE, advise_on

from .conftest import Meeting, over_http, over_stdio


async def test_a_lost_lease_names_who_holds_the_task_and_says_stop(meeting: Meeting, play: Play) -> None:
    grant = await play.claimed("slow")
    run = play.engine.run_of(grant["vtid"])
    await play.ledger.orders.ended(grant["order_id"], "lost")
    run.holder = None
    await play.offer(grant["vtid"])

    async with meeting() as model:
        await model.call("claim_work", worker_id="quick", vtid=grant["vtid"])
        said = await model.refusal(
            "submit_evidence", order_id=grant["order_id"], lease=grant["lease"], pr_url=PULL, head_sha=SHA
        )

    assert (
        "LEASE_LOST: the lease is over; quick holds attempt 2 now. Next: stop working on this order" in said
    )


async def test_a_wrong_argument_is_named_and_costs_no_lease(meeting_over_http: Meeting, play: Play) -> None:
    grant = await play.claimed("claude-1")
    lease = {"order_id": grant["order_id"], "lease": grant["lease"]}

    async with meeting_over_http() as model:
        said = await model.refusal("submit_evidence", **lease, pr_url="my branch", head_sha=SHA)
        shape = await model.refusal("claim_work", worker_id="claude-1", wait_seconds=600)
        beat = await model.call("heartbeat", **lease)

    assert "VALIDATION: pr_url: " in said
    assert "Next: correct the argument that is named" in said
    assert "wait_seconds" in shape
    assert beat["action"] == "continue"


async def test_while_disarmed_nothing_is_claimed_and_the_model_is_told_to_wait(
    meeting: Meeting, play: Play
) -> None:
    await play.offer(await play.run())
    await play.post("/system/disarm", {"reason": "an incident"})

    async with meeting() as model:
        said = await model.refusal("claim_work", worker_id="claude-1")

    assert "EXECUTION_DISARMED: the emergency stop is on: an incident. Next: do nothing now" in said


async def test_an_unknown_task_is_told_by_tool_and_resource_alike(meeting: Meeting) -> None:
    async with meeting() as model:
        said = await model.refusal("get_spec", vtid="VTID-99999")
        with pytest.raises(MCPError, match="NOT_FOUND") as refused:
            await model.client.read_resource("vtid://VTID-99999/spec")

    assert "NOT_FOUND: there is no task VTID-99999. Next: check the id" in said
    assert "list_work_orders" in str(refused.value)


async def test_an_outage_says_that_repeating_is_safe(meeting_over_http: Meeting, play: Play) -> None:
    await play.offer(await play.run())
    play.engine.down = True

    async with meeting_over_http() as model:
        said = await model.refusal("claim_work", worker_id="claude-1")
        play.engine.down = False
        claim = await model.call("claim_work", worker_id="claude-1")

    assert "TEMPORAL_UNAVAILABLE: " in said
    assert "repeating is safe" in said
    assert claim["claimed"]


async def test_over_stdio_a_missing_key_is_told_at_the_first_call(url: str) -> None:
    async with over_stdio(url, None) as model:
        said = await model.refusal("list_work_orders")

    assert "UNAUTHENTICATED: " in said
    assert "tell the person who set you up" in said


async def test_over_stdio_an_api_that_is_not_there_is_told(unused_tcp_port: int) -> None:
    async with over_stdio(f"http://127.0.0.1:{unused_tcp_port}", "key") as model:
        said = await model.refusal("claim_work", worker_id="claude-1")

    assert "UNREACHABLE: the API is out of reach" in said
    assert "start the API" in said


class Crashing(FakeEngine):
    """An engine with a defect."""

    async def acknowledge(self, run: RunRef, command: Acknowledge) -> LeaseTerms:
        raise RuntimeError("the secret of the engine")


async def test_a_crash_of_ours_tells_nothing_but_its_request_id(staging: Staging) -> None:
    play = staging(Crashing())
    await play.offer(await play.run())

    async with serving(play.app) as url, over_http(url, play.keys["worker"]) as model:
        said = await model.refusal("claim_work", worker_id="claude-1")

    assert "INTERNAL: something went wrong on our side" in said
    assert "request id " in said
    assert "secret" not in said


def test_every_code_of_the_api_has_advice() -> None:
    assert set(API_CODES) <= set(ADVICE)


def test_what_is_no_answer_of_ours_is_told_as_such() -> None:
    assert advise_on(None, 502).startswith(
        "UNREACHABLE: something that is not our API answered with HTTP 502"
    )
    assert advise_on(["a proxy"], 404).startswith("NOT_FOUND: something that is not our API answered")
