"""The two clients of old, replayed from first call to last."""

import asyncio

from tests.api.gateway.clients import HEAD, Forge, Mcp, Runner
from tests.api.stage import SPEC, Play
from vtid.domain.commands.messages import Acknowledge, SubmitEvidence


async def test_the_polling_worker_runs_unchanged(play: Play, runner: Runner) -> None:
    vtid = await play.run()
    await play.offer(vtid)

    await runner.register()
    await runner.beat()
    (task,) = await runner.pending()
    assert (task["vtid"], task["spec_status"], task["is_terminal"], task["claimed_by"]) == (
        vtid,
        "approved",
        False,
        None,
    )
    assert task["status"] in ("scheduled", "in_progress")
    assert task["spec_content"] == SPEC
    claim = await runner.claim(vtid)
    assert (claim["claimed"], claim["worker_id"], claim["title"]) == (True, "worker-runner-1", "Ship it")
    assert claim["spec_content"] == claim["summary"] == SPEC
    assert claim["expires_at"]
    assert claim["metadata"]["branch"]
    decision = await runner.route(vtid)
    assert decision["run_id"] == claim["run_id"]
    assert decision["dispatched_to"] == "worker-frontend"
    assert "stages" not in decision
    run_id = decision["run_id"]
    await runner.subagent("start", vtid, run_id)
    assert (await runner.beat(vtid))["action"] == "continue"
    (mine,) = await runner.pending()
    assert mine["claimed_by"] == "worker-runner-1"
    await runner.subagent("complete", vtid, run_id)
    done = await runner.complete(vtid, run_id)
    assert (done["verified"], done["is_terminal"]) == (False, False)
    terminal = await runner.terminalize(vtid, run_id)
    assert (terminal["is_terminal"], terminal["already_terminal"]) == (False, False)
    assert (await runner.beat(vtid))["action"] == "stop"
    assert (await runner.release(vtid))["released"] is False

    submitted = play.engine.run_of(vtid).evidence
    assert submitted is not None
    assert submitted.evidence.pr_url == ""  # nothing was named, so the run looks on GitHub
    assert (await play.get(f"/tasks/{vtid}")).json()["status"] != "completed"


async def test_the_mcp_client_runs_unchanged(play: Play, mcp: Mcp, forge: Forge) -> None:
    vtid = await play.run()
    await play.offer(vtid)
    pull = forge.open(vtid)

    listed = await mcp.get("/api/v1/oasis/vtid-ledger?limit=50")
    assert listed["count"] == len(listed["data"])
    (row,) = listed["data"]
    assert (row["vtid"], row["is_terminal"], row["assigned_to"]) == (vtid, False, None)
    order = await mcp.get(f"/api/v1/vtid/{vtid}")
    assert order["summary"] == order["data"]["spec_content"] == SPEC
    assert [entry["stage"] for entry in order["stageTimeline"]] == [
        "PLANNER",
        "WORKER",
        "VALIDATOR",
        "DEPLOY",
    ]
    decision = await mcp.route(vtid)
    assert decision["assigned_subagents"]
    assert 0 <= decision["confidence"] <= 100
    assert decision["rationale"]
    await mcp.tell(vtid, "vtid.progress", step="tests written")
    told = await mcp.evidence(vtid, pull.url)
    assert told["evidence"]["state"] == "handed_in"
    done = await mcp.complete(vtid)
    assert done["is_terminal"] is False

    run = play.engine.run_of(vtid)
    assert run.told == [Acknowledge(f"{claim_order(run.told)}", "claude-code", "unattended")]
    assert run.evidence is not None
    assert (run.evidence.evidence.pr_url, run.evidence.evidence.head_sha) == (pull.url, HEAD)


def claim_order(told: list[object]) -> str:
    (first,) = [each for each in told if isinstance(each, Acknowledge)]
    return first.order_id


async def test_an_order_that_is_being_prepared_is_waited_for(play: Play, runner: Runner, mcp: Mcp) -> None:
    first, second = await play.run(), await play.run()
    waiting = [asyncio.create_task(runner.claim(first)), asyncio.create_task(mcp.route(second))]
    await asyncio.sleep(0.1)

    await play.offer(first)
    await play.offer(second)

    claim, decision = await asyncio.gather(*waiting)
    assert (claim["claimed"], decision["vtid"]) == (True, second)


async def test_four_identical_calls_make_one_transition_and_all_get_a_true_answer(
    play: Play, runner: Runner
) -> None:
    vtid = await play.run()
    await play.offer(vtid)

    claims = await asyncio.gather(*(runner.claim(vtid) for _ in range(4)))
    run_id = claims[0]["run_id"]
    completes = await asyncio.gather(*(runner.complete(vtid, run_id) for _ in range(4)))
    terminals = await asyncio.gather(*(runner.terminalize(vtid, run_id) for _ in range(4)))

    assert {(claim["claimed"], claim["attempt"]) for claim in claims} == {(True, 1)}
    assert {answer["is_terminal"] for answer in [*completes, *terminals]} == {False}
    assert len({answer["event_id"] for answer in completes}) == 1
    run = play.engine.run_of(vtid)
    assert [type(each) for each in run.told] == [Acknowledge]
    assert isinstance(run.evidence, SubmitEvidence)


async def test_of_four_workers_one_wins_and_the_others_hear_who(play: Play) -> None:
    vtid = await play.run()
    await play.offer(vtid)
    workers = [Runner(play, worker_id=f"w{n}") for n in range(4)]

    answers = await asyncio.gather(
        *(
            each.call(
                "POST", f"/api/v1/worker/orchestrator/tasks/{vtid}/claim", {"worker_id": each.worker_id}
            )
            for each in workers
        )
    )

    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    lost = [answer.json() for answer in answers if answer.status_code == 409]
    assert len(lost) == 3
    assert {answer["claimed_by"] for answer in lost} == {won["worker_id"]}
    assert all(answer["claimed"] is False and answer["reason"] and answer["expires_at"] for answer in lost)


async def test_a_failed_worker_gives_up_its_attempt_once(play: Play, runner: Runner) -> None:
    vtid = await play.run()
    await play.offer(vtid)
    run_id = (await runner.claim(vtid))["run_id"]

    for _ in range(2):
        await runner.complete(vtid, run_id, success=False, error="no disk")
        await runner.terminalize(vtid, run_id, "failed")
        await runner.release(vtid)

    assert [type(each).__name__ for each in play.engine.run_of(vtid).told] == ["Acknowledge", "ReportFailure"]


async def test_any_order_of_the_last_calls_ends_the_attempt_once(play: Play, runner: Runner) -> None:
    vtid = await play.run()
    await play.offer(vtid)
    run_id = (await runner.claim(vtid))["run_id"]

    await runner.terminalize(vtid, run_id)
    await runner.release(vtid)
    await runner.complete(vtid, run_id)

    run = play.engine.run_of(vtid)
    assert (len(run.told), run.evidence is not None) == (1, True)
