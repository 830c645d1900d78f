"""Shapes, casing, unknown fields, errors, the emergency stop, and who may call without a key."""

from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from tests.api.conftest import Staging
from tests.api.gateway.clients import Mcp, Old, Runner
from tests.api.stage import Play

ROUTES = "/api/v1/worker/orchestrator"


async def test_casing_and_unknown_fields_do_not_matter(play: Play) -> None:
    vtid = await play.run()
    await play.offer(vtid)
    old = Old(play)

    claim = await old.post(
        f"{ROUTES}/tasks/{vtid.lower()}/claim", {"workerId": "w1", "expiresMinutes": 5, "colour": "red"}
    )
    beat = await old.post(f"{ROUTES}/heartbeat", {"WorkerID": "w1", "ActiveVtid": f" {vtid.lower()} "})
    done = await old.post(f"{ROUTES}/complete", {"VTID": vtid.lower(), "Worker_Id": "w1", "SUCCESS": "true"})

    assert (claim["vtid"], beat["action"], done["claimed_outcome"]) == (vtid, "continue", "success")


@pytest.mark.parametrize("outcome", ["SUCCESS", "Completed", "done", None])
async def test_a_claim_of_success_is_heard_in_any_word(
    play: Play, runner: Runner, outcome: str | None
) -> None:
    vtid = await play.run()

    told = await runner.post("/api/v1/vtid/lifecycle/complete", {"vtid": vtid, "outcome": outcome})

    assert (told["claimed_outcome"], told["is_terminal"], told["verified"]) == ("success", False, False)


async def test_no_claim_of_completion_ends_a_task_not_even_without_a_lease(play: Play) -> None:
    vtid, old = await play.run(), Old(play)

    for path in (
        "/api/v1/vtid/lifecycle/complete",
        "/api/v1/oasis/vtid/terminalize",
        f"/api/v1/oasis/tasks/{vtid}/complete",
    ):
        for outcome in ("success", "failed", "cancelled"):
            told = await old.post(path, {"vtid": vtid, "outcome": outcome})
            assert (told["status"], told["is_terminal"]) == ("scheduled", False)

    assert (await play.get(f"/runs/{vtid}")).json()["outcome"] is None


async def test_a_task_that_its_run_has_ended_is_told_as_terminal(play: Play, runner: Runner) -> None:
    vtid = await play.run()
    await play.tell(vtid, "run.finished", outcome="failure", status="rejected", failure=None)

    told = await runner.terminalize(vtid, "", "success")
    board = await runner.get("/api/v1/commandhub/board?limit=nonsense")

    assert (told["already_terminal"], told["terminal_outcome"]) == (True, "failed")
    assert board["items"][0]["column"] == "COMPLETED"
    assert await runner.pending() == []


async def test_a_refusal_has_its_code_in_text_and_in_fields(play: Play) -> None:
    answer = await Old(play).call("POST", f"{ROUTES}/tasks/VTID-99999/claim", {"worker_id": "w1"})

    body = answer.json()
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert body["ok"] is False
    assert body["error_code"] == body["code"] == "NOT_FOUND"
    assert "NOT_FOUND" in body["error"]
    assert "VTID-99999" in body["message"]


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", f"{ROUTES}/register", b"{", 422),
        ("POST", f"{ROUTES}/register", b"[1]", 422),
        ("POST", f"{ROUTES}/register", b"{}", 422),
        ("POST", f"{ROUTES}/register", b"[" * 5_000, 422),
        ("POST", "/api/v1/oasis/events", b'{"type": "x", "a": NaN, "b": 1e999, "c": "\\ud800\\u0000"}', 200),
        ("POST", "/api/v1/oasis/events", b"", 200),
        ("GET", "/api/v1/vtid/nonsense", b"", 422),
        ("DELETE", "/api/v1/vtid/VTID-0001", b"", 405),
        ("GET", "/api/v1/oasis/nothing", b"", 404),
        ("POST", "/api/v1/oasis/events", b" " * 2_000_001, 413),
    ],
)
async def test_every_answer_has_ok_whichever_layer_gave_it(
    play: Play, method: str, path: str, content: bytes, status: int
) -> None:
    async with play.client(None) as client:
        answer = await client.request(method, path, content=content)

    assert answer.status_code == status
    assert answer.json()["ok"] is (status == 200)


async def test_disarmed_is_told_in_text_and_code(play: Play, runner: Runner, mcp: Mcp) -> None:
    vtid = await play.run()
    await play.offer(vtid)
    await play.post("/system/disarm", {"reason": "fire"}, role="approver")

    for told in (
        await runner.claim(vtid, status=403),
        await runner.route(vtid, status=403),
        await mcp.route(vtid, status=403),
    ):
        assert "EXECUTION_DISARMED" in told["error"]
        assert told["error_code"] == "EXECUTION_DISARMED"


async def test_the_lease_of_an_mcp_client_is_unattended_and_any_call_is_progress(
    play: Play, mcp: Mcp
) -> None:
    vtid = await play.run()
    await play.offer(vtid)
    await mcp.route(vtid)
    (before,) = await play.ledger.orders.held_by("claude-code")

    await mcp.tell(vtid, "vtid.progress", step="half-way")

    (after,) = await play.ledger.orders.held_by("claude-code")
    assert (before.mode, after.mode) == ("unattended", "unattended")
    assert before.last_progress_at is not None
    assert after.last_progress_at is not None
    assert after.last_progress_at > before.last_progress_at
    assert after.progress == {"step": "vtid.progress", "message": "as told"}


async def test_a_stop_reaches_the_heartbeat_and_the_release_confirms_it(play: Play, runner: Runner) -> None:
    vtid = await play.run()
    await play.offer(vtid)
    await runner.claim(vtid)
    await play.post(f"/runs/{vtid}/cancel", {"reason": "wrong task"})

    assert (await runner.beat(vtid))["action"] == "stop"
    assert (await runner.release(vtid))["released"] is True
    assert play.engine.run_of(vtid).told[-1] == "stopped"


async def test_who_holds_nothing_is_told_who_does(play: Play, runner: Runner) -> None:
    vtid = await play.run()
    await play.offer(vtid)
    await runner.claim(vtid)
    other = Runner(play, worker_id="w2")

    refused = [
        await other.beat(vtid, status=409),
        await other.release(vtid, status=409),
        await other.route(vtid, status=409),
    ]

    assert {told["claimed_by"] for told in refused} == {"worker-runner-1"}


async def test_an_event_for_the_database_is_echoed_and_kept_once(play: Play) -> None:
    row = {
        "id": "e-1",
        "vtid": "VTID-01200",
        "topic": "worker_runner.registered",
        "metadata": {"worker_id": "w1"},
    }
    old = Old(play, {"Authorization": "Bearer a key of that database", "apikey": "the same"})

    answers = [await old.call("POST", "/rest/v1/oasis_events", row) for _ in range(2)]

    assert [(answer.status_code, answer.json()) for answer in answers] == [(201, [row]), (201, [row])]
    kept = [each for each in await play.ledger.events.read() if each.type == "worker.said"]
    assert len(kept) == 1


async def test_a_worker_cannot_tell_what_only_a_run_may_tell(play: Play, mcp: Mcp) -> None:
    vtid = await play.run()

    await mcp.tell(vtid, "run.finished", outcome="success")

    assert (await play.get(f"/tasks/{vtid}")).json()["status"] == "scheduled"
    assert (await play.ledger.events.latest(vtid, 1))[0].type == "worker.said"


async def test_a_run_is_started_once_and_only_when_its_spec_is_approved(play: Play) -> None:
    draft, approved = await play.task(approved=False), await play.task()
    old = Old(play)
    body: dict[str, Any] = {"source": "ui", "summary": "go", "approval_reason": "looks good"}

    refused = await old.post("/api/v1/vtid/lifecycle/start", body | {"vtid": draft}, status=409)
    other = await old.post(
        "/api/v1/vtid/lifecycle/start", body | {"vtid": approved, "spec_hash": "0" * 64}, status=409
    )
    started = [
        await old.post("/api/v1/vtid/lifecycle/start", body | {"vtid": approved.lower()}) for _ in range(2)
    ]

    assert (refused["code"], bool(refused["message"])) == ("SPEC_NOT_APPROVED", True)
    assert other["code"] == "SPEC_HASH_MISMATCH"
    assert len({answer["run_id"] for answer in started}) == 1


async def test_what_was_cancelled_is_started_again_by_a_person_only(play: Play) -> None:
    vtid = await play.run()
    await play.tell(vtid, "run.finished", outcome="cancellation", status="cancelled", failure=None)
    play.engine.run_of(vtid).status = "canceled"

    assert (await Old(play).post("/api/v1/vtid/lifecycle/start", {"vtid": vtid}, status=403))[
        "code"
    ] == "FORBIDDEN"
    assert (await play.post("/vtid/lifecycle/start", {"vtid": vtid}, role="operator")).status_code == 200


async def test_a_claim_without_a_run_says_so(play: Play, runner: Runner, mcp: Mcp) -> None:
    vtid = await play.task()

    assert "no run" in (await runner.claim(vtid, status=409))["reason"]
    assert "no run" in (await mcp.route(vtid, status=409))["reason"]


async def test_the_execution_status_tells_stages_and_recent_events(play: Play, runner: Runner) -> None:
    vtid = await play.run()

    told = (await runner.get(f"/api/v1/vtid/{vtid}/execution-status"))["data"]

    assert (told["isActive"], told["totalSteps"], told["currentStep"], told["currentStage"]) == (
        True,
        4,
        1,
        "PLANNER",
    )
    assert 0 < len(told["recentEvents"]) <= 5
    assert told["elapsedMs"] >= 0


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_deprecated_paths_are_gone_and_no_header_opens_them(play: Play, method: str) -> None:
    old = Old(play, {"X-Bypass-Governance": "true", "X-Internal": "1"})

    answer = await old.call(method, "/api/v1/execute/workorder", {})

    assert answer.status_code == 410
    assert answer.json()["new_path"].startswith("/api/v1/")
    assert answer.json()["new_path"] in answer.json()["error"]


async def called(play: Play, host: str, **headers: str) -> httpx.Response:
    async with play.client(None, host=host, **headers) as client:
        return await client.get("/api/v1/oasis/vtid-ledger")


async def test_without_credentials_loopback_in_dev_is_let_in_as_a_worker(play: Play) -> None:
    assert (await called(play, "127.0.0.1")).status_code == 200
    assert (await called(play, "10.1.2.3")).status_code == 401
    assert (await Old(play).call("GET", "/api/v1/tasks")).status_code == 401
    assert (await Old(play).call("GET", "/api/v1/work-orders")).status_code == 401


async def test_elsewhere_only_networks_that_a_setting_names_are_let_in(staging: Staging) -> None:
    play = staging(dev=False, gateway_networks=(ip_network("10.1.0.0/16"),))

    assert (await called(play, "10.1.2.3")).status_code == 200
    assert (await called(play, "10.2.2.3")).status_code == 401
    assert (await called(play, "127.0.0.1")).status_code == 401


async def test_a_page_of_another_site_cannot_speak_as_a_worker(play: Play) -> None:
    assert (await called(play, "127.0.0.1", Origin="https://evil.example")).status_code == 403
    assert (await called(play, "127.0.0.1", Host="evil.example")).status_code == 403
    assert (await called(play, "127.0.0.1", **{"Sec-Fetch-Site": "cross-site"})).status_code == 403


async def test_a_wrong_key_is_no_missing_key(play: Play) -> None:
    old = Old(play, {"Authorization": "Bearer nobody"})

    answer = await old.call("GET", "/api/v1/oasis/vtid-ledger")

    assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/oasis/vtid-ledger", {"viewer", "operator", "approver", "admin", "worker"}),
        ("GET", "/worker/orchestrator/tasks/pending", {"viewer", "operator", "approver", "admin", "worker"}),
        ("POST", "/worker/orchestrator/tasks/VTID-0001/claim", {"admin", "worker"}),
        ("POST", "/worker/orchestrator/route", {"admin", "worker"}),
        ("POST", "/oasis/events", {"admin", "worker"}),
        ("POST", "/oasis/vtid/terminalize", {"admin", "worker"}),
        ("POST", "/vtid/lifecycle/start", {"operator", "approver", "admin", "worker"}),
    ],
)
async def test_keys_open_the_old_paths_for_their_roles(
    play: Play, method: str, path: str, allowed: set[str]
) -> None:
    answers = {role: await play.call(role, method, path, json={}) for role in play.keys}

    assert {role for role, answer in answers.items() if answer.status_code not in (401, 403)} == allowed
