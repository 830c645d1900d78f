"""A model does a worker's work through the tools, over HTTP and over stdio alike."""

from mcp_types import TextResourceContents

from tests.api.stage import PULL, SHA, SPEC, Play
from vtid.domain.commands.messages import ReportFailure

from .conftest import Meeting

TOOLS = {
    "list_work_orders",
    "claim_work",
    "heartbeat",
    "report_progress",
    "submit_evidence",
    "fail_work",
    "release_work",
    "get_spec",
}


async def test_a_model_takes_an_order_from_the_list_to_the_pull_request(meeting: Meeting, play: Play) -> None:
    vtid = await play.run()
    order_id = await play.offer(vtid)

    async with meeting() as model:
        (listed,) = (await model.call("list_work_orders"))["items"]
        claim = await model.call("claim_work", worker_id="claude-1")
        lease = {"order_id": claim["order_id"], "lease": claim["lease"]}
        beat = await model.call("heartbeat", **lease)
        moved = await model.call("report_progress", **lease, progress="tests are green", commit_sha=SHA)
        handed_in = await model.call("submit_evidence", **lease, pr_url=PULL, head_sha=SHA, summary="done")

    assert (listed["order_id"], listed["vtid"], listed["state"]) == (order_id, vtid, "offered")
    assert (claim["claimed"], claim["spec"], claim["required_markers"]) == (True, SPEC, [vtid])
    assert (beat["action"], moved["action"], handed_in["accepted"]) == ("continue", "continue", True)
    handed = play.engine.run_of(vtid).evidence
    assert handed is not None
    assert (handed.worker, handed.evidence.pr_url, handed.evidence.head_sha) == ("claude-1", PULL, SHA)
    order = await play.ledger.orders.get(order_id)
    assert order.progress == {"note": "tests are green", "commit_sha": SHA}


async def test_the_tools_say_what_they_take_and_give(meeting: Meeting) -> None:
    async with meeting() as model:
        tools = (await model.client.list_tools()).tools
        (template,) = (await model.client.list_resource_templates()).resource_templates
        told = model.client.instructions or ""

    assert {tool.name for tool in tools} == TOOLS
    assert all(tool.description and tool.output_schema for tool in tools)
    assert template.uri_template == "vtid://{vtid}/spec"
    assert "claim_work" in told


async def test_no_work_is_no_error_and_says_how_to_wait(meeting_over_http: Meeting) -> None:
    async with meeting_over_http() as model:
        claim = await model.call("claim_work", worker_id="claude-1", wait_seconds=0.1)

    assert claim["claimed"] is False
    assert "wait_seconds=30" in claim["next_step"]


async def test_a_model_that_claims_again_gets_the_order_that_it_holds(
    meeting_over_http: Meeting, play: Play
) -> None:
    await play.offer(await play.run())

    async with meeting_over_http() as model:
        first = await model.call("claim_work", worker_id="claude-1")
        second = await model.call("claim_work", worker_id="claude-1")

    assert (first["order_id"], first["attempt"]) == (second["order_id"], second["attempt"])


async def test_a_model_is_held_to_progress_and_not_to_heartbeats_unless_it_asks(
    meeting_over_http: Meeting, play: Play
) -> None:
    first, second = await play.run(), await play.run()
    await play.offer(first)
    await play.offer(second)

    async with meeting_over_http() as model:
        usual = await model.call("claim_work", worker_id="claude-1")
        beating = await model.call("claim_work", worker_id="agent-1", mode="attended")

    assert (usual["mode"], usual["deadlines"]["progress_seconds"]) == ("unattended", 1200)
    assert (beating["mode"], beating["deadlines"]["progress_seconds"]) == ("attended", 300)


async def test_a_cancelled_run_stops_the_model_which_confirms_it(meeting: Meeting, play: Play) -> None:
    vtid = await play.run()
    await play.offer(vtid)

    async with meeting() as model:
        claim = await model.call("claim_work", worker_id="claude-1")
        lease = {"order_id": claim["order_id"], "lease": claim["lease"]}
        play.engine.run_of(vtid).stopping = True
        beat = await model.call("heartbeat", **lease)
        released = await model.call("release_work", **lease, reason="told to stop")

    assert (beat["action"], released["accepted"]) == ("stop", True)
    assert "release_work" in beat["next_step"]
    assert play.engine.run_of(vtid).told[-1] == "stopped"


async def test_a_model_that_cannot_do_it_says_why(meeting_over_http: Meeting, play: Play) -> None:
    vtid = await play.run()
    await play.offer(vtid)

    async with meeting_over_http() as model:
        claim = await model.call("claim_work", worker_id="claude-1")
        lease = {"order_id": claim["order_id"], "lease": claim["lease"]}
        first = await model.call("fail_work", **lease, message="the spec contradicts itself", retryable=False)
        second = await model.call(
            "fail_work", **lease, message="the spec contradicts itself", retryable=False
        )

    assert first == second
    assert play.engine.run_of(vtid).told[-1] == ReportFailure(
        1, "claude-1", "the spec contradicts itself", retryable=False
    )


async def test_a_model_reads_the_spec_that_its_run_works_with(meeting: Meeting, play: Play) -> None:
    vtid = await play.run()
    newer = SPEC.replace("Ship it", "Ship something else")
    changed = await play.call("admin", "PUT", f"/tasks/{vtid}/spec", json={"markdown": newer})
    assert changed.status_code == 200, changed.text

    async with meeting() as model:
        spec = await model.call("get_spec", vtid=vtid)
        (content,) = (await model.client.read_resource(f"vtid://{vtid}/spec")).contents

    assert (spec["markdown"], spec["pinned"]) == (SPEC, True)
    assert isinstance(content, TextResourceContents)
    assert (content.text, content.mime_type) == (SPEC, "text/markdown")
