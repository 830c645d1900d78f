"""Starting, showing, cancelling and rescuing runs."""

import pytest

from vtid.domain.task import spec_hash

from .conftest import Staging
from .stage import SPEC, Play


async def test_a_start_answers_only_once_the_workflow_exists(play: Play) -> None:
    vtid = await play.task()

    answer = await play.post("/runs", {"vtid": vtid.lower()}, role="operator")

    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/v1/runs/{vtid}"
    assert play.engine.run_of(vtid).run_id == answer.json()["run_id"]
    assert (await play.get(f"/runs/{vtid}")).json()["run_id"] == answer.json()["run_id"]


async def test_the_run_view_has_four_stages_and_a_link_to_temporal_right_after_the_start(play: Play) -> None:
    vtid = await play.task()
    run = (await play.post("/runs", {"vtid": vtid})).json()

    assert [stage["stage"] for stage in run["stages"]] == ["PLANNER", "WORKER", "VALIDATOR", "DEPLOY"]
    assert (run["status"], run["stage"], run["outcome"]) == ("scheduled", "PLANNER", None)
    assert run["links"]["temporal"].endswith(f"/namespaces/default/workflows/{vtid}/{run['run_id']}/history")


async def test_a_run_that_told_of_no_wait_yet_still_says_whom_it_waits_for(play: Play) -> None:
    vtid = await play.task()
    started = (await play.post("/runs", {"vtid": vtid})).json()["waiting"]
    await play.tell(vtid, "run.started")
    between = (await play.get(f"/runs/{vtid}")).json()["waiting"]

    assert (started["for"], started["who"]) == ("a Temporal worker to begin the run", "Temporal worker")
    assert (between["for"], between["until"]) == ("the run's next step", None)
    assert started["since"] <= between["since"]


async def test_starting_twice_joins_the_run_under_way(play: Play) -> None:
    vtid = await play.task()

    first, second = [await play.post("/runs", {"vtid": vtid}) for _ in range(2)]

    assert first.json()["run_id"] == second.json()["run_id"]
    assert len(play.engine.runs) == 1


async def test_a_start_under_way_with_another_spec_is_refused(play: Play) -> None:
    vtid = await play.run()
    other = SPEC + "More.\n"
    await play.call("admin", "PUT", f"/tasks/{vtid}/spec", json={"markdown": other})
    await play.post(f"/tasks/{vtid}/spec/approve", {"hash": spec_hash(other)})

    answer = await play.post("/runs", {"vtid": vtid})

    assert (answer.status_code, answer.json()["code"]) == (409, "ILLEGAL_TRANSITION")


async def test_each_gate_refuses_with_its_code(play: Play) -> None:
    empty = await play.task(None)
    draft = await play.task(approved=False)

    for vtid, code in ((empty, "SPEC_MISSING"), (draft, "SPEC_NOT_APPROVED")):
        answer = await play.post("/runs", {"vtid": vtid})
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    unknown = await play.post("/runs", {"vtid": "VTID-99999"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "NOT_FOUND")


async def test_a_start_whose_answer_was_lost_is_found_again(play: Play) -> None:
    vtid = await play.task()
    play.engine.losing = True

    lost = await play.post("/runs", {"vtid": vtid})
    again = await play.post("/runs", {"vtid": vtid})

    assert (lost.status_code, lost.json()["code"]) == (503, "TEMPORAL_UNAVAILABLE")
    assert again.status_code == 202
    assert again.json()["run_id"] == play.engine.run_of(vtid).run_id


async def test_another_run_under_the_vtid_refuses_the_start_and_leaves_the_task_as_it_was(play: Play) -> None:
    vtid = await play.run()
    other = await play.task()
    play.engine.runs[other] = play.engine.runs[vtid]

    answer = await play.post("/runs", {"vtid": other})

    assert (answer.status_code, answer.json()["code"]) == (409, "ILLEGAL_TRANSITION")
    assert (await play.get(f"/tasks/{other}")).json()["status"] == "scheduled"


async def test_a_backlog_pushes_back_but_joining_is_always_possible(staging: Staging) -> None:
    play = staging(max_unfinished=1)
    running = await play.run()
    waiting = await play.task()

    refused = await play.post("/runs", {"vtid": waiting})

    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
    assert int(refused.headers["retry-after"]) > 0
    assert (await play.post("/runs", {"vtid": running})).status_code == 202


async def test_fresh_asks_the_run_itself(play: Play) -> None:
    vtid = await play.run()

    assert (await play.get(f"/runs/{vtid}?fresh=true")).json()["title"] == "as the run itself says"


async def test_cancel_gives_the_run_its_reason_and_can_be_repeated(play: Play) -> None:
    vtid = await play.run()

    answers = [await play.post(f"/runs/{vtid}/cancel", {"reason": "wrong task"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert play.engine.run_of(vtid).told[0].reason == "wrong task"  # type: ignore[attr-defined]


async def test_a_run_that_is_over_cannot_be_cancelled(play: Play) -> None:
    vtid = await play.run()
    await play.tell(vtid, "run.finished", outcome="failure", status="rejected")

    answer = await play.post(f"/runs/{vtid}/cancel", {})

    assert (answer.status_code, answer.json()["code"]) == (409, "ILLEGAL_TRANSITION")


async def block_by_scope(play: Play) -> str:
    vtid = await play.run()
    failure = {"code": "SCOPE_VIOLATION", "stage": "VALIDATOR", "message": "secrets/", "outcome": "failure",
               "retryable": False, "advice": "take them out", "since": "2026-01-02T03:04:05Z",
               "moves": ["retry", "adopt", "skip", "abandon"], "skippable": ["VAL-RULE-009"], "causes": []}  # fmt: skip
    rules = [{"rule": "VAL-RULE-009", "answer": "fail"}, {"rule": "VAL-RULE-012", "answer": "fail"}]
    await play.tell(vtid, "verdict.reached", passed=False, head_sha="a" * 40, rules=rules)
    await play.tell(vtid, "run.blocked", failure=failure, until=None)
    return vtid


async def test_only_an_approver_skips_a_rule_and_the_audit_keeps_who_and_why(play: Play) -> None:
    vtid = await block_by_scope(play)
    body = {"move": "skip", "rule": "VAL-RULE-009", "reason": "reviewed by hand"}

    refused = await play.post(f"/runs/{vtid}/rescue", body, role="operator")
    taken = await play.post(f"/runs/{vtid}/rescue", body, role="approver")

    assert (refused.status_code, refused.json()["code"], refused.json()["expected"]) == (
        403,
        "FORBIDDEN",
        "approver",
    )
    assert taken.status_code == 200
    (decision,) = play.engine.run_of(vtid).told
    assert (decision.rule, decision.by, decision.reason) == ("VAL-RULE-009", "approver-1", "reviewed by hand")  # type: ignore[attr-defined]


async def test_a_dry_skip_tells_that_other_rules_still_hold_the_run_up(play: Play) -> None:
    vtid = await block_by_scope(play)
    body = {"move": "skip", "rule": "VAL-RULE-009", "dry_run": True}

    answer = await play.post(f"/runs/{vtid}/rescue", body, role="approver")

    told = " ".join(answer.json()["effects"])
    assert "for head aaaaaaaaaaaa only" in told
    assert "it blocks again: VAL-RULE-012" in told
    assert play.engine.run_of(vtid).told == []


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [
        (None, 422, "VALIDATION"),
        ("VAL-RULE-099", 422, "VALIDATION"),
        ("VAL-RULE-007", 409, "MOVE_NOT_OFFERED"),
    ],
)
async def test_a_skip_of_a_wrong_rule_is_refused_with_those_that_can_be(
    play: Play, rule: str | None, status: int, code: str
) -> None:
    vtid = await block_by_scope(play)

    answer = await play.post(
        f"/runs/{vtid}/rescue", {"move": "skip", "rule": rule, "reason": "x"}, role="approver"
    )

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "VAL-RULE-0" in answer.json()["detail"]


async def test_a_skip_says_why(play: Play) -> None:
    vtid = await block_by_scope(play)

    answer = await play.post(
        f"/runs/{vtid}/rescue", {"move": "skip", "rule": "VAL-RULE-009"}, role="approver"
    )

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "reason")


async def block(play: Play) -> str:
    vtid = await play.run()
    failure = {"code": "PICKUP_TIMEOUT", "stage": "WORKER", "message": "no worker", "outcome": "timeout",
               "retryable": True, "advice": "start a worker", "since": "2026-01-02T03:04:05Z",
               "moves": ["retry", "adopt", "abandon"], "causes": []}  # fmt: skip
    await play.tell(vtid, "run.blocked", failure=failure, until=None)
    return vtid


async def test_a_dry_rescue_tells_the_effects_and_does_nothing(play: Play) -> None:
    vtid = await block(play)

    answer = await play.post(f"/runs/{vtid}/rescue", {"move": "retry", "dry_run": True}, role="operator")

    assert answer.json()["dry_run"] is True
    assert "fresh budget" in answer.json()["effects"][0]
    assert play.engine.run_of(vtid).told == []


async def test_a_rescue_is_told_to_the_run_with_the_name_of_the_person(play: Play) -> None:
    vtid = await block(play)
    body = {"move": "adopt", "pr_url": "https://github.com/acme/shop/pull/9"}

    answer = await play.post(f"/runs/{vtid}/rescue", body, role="operator")

    assert answer.status_code == 200
    (decision,) = play.engine.run_of(vtid).told
    assert (decision.by, decision.pr_url) == ("operator-1", body["pr_url"])  # type: ignore[attr-defined]


async def test_a_move_that_is_not_offered_is_refused_with_those_that_are(play: Play) -> None:
    blocked, running = await block(play), await play.run()

    skip = await play.post(f"/runs/{blocked}/rescue", {"move": "skip"})
    retry = await play.post(f"/runs/{running}/rescue", {"move": "retry"})

    assert (skip.status_code, skip.json()["code"]) == (409, "MOVE_NOT_OFFERED")
    assert skip.json()["expected"] == ["retry", "adopt", "abandon"]
    assert (retry.status_code, retry.json()["expected"]) == (409, [])


@pytest.mark.parametrize("reason", [{}, {"reason": " "}])
async def test_giving_a_run_up_needs_a_reason(play: Play, reason: dict[str, str]) -> None:
    vtid = await block(play)

    refused = await play.post(f"/runs/{vtid}/rescue", {"move": "abandon"} | reason)
    told_only = await play.post(f"/runs/{vtid}/rescue", {"move": "abandon", "dry_run": True})

    assert (refused.status_code, refused.json()["code"]) == (422, "VALIDATION")
    assert refused.json()["errors"][0]["field"] == "reason"
    assert "1 to 2,000 characters" in refused.json()["detail"]
    assert told_only.status_code == 200
    assert play.engine.run_of(vtid).told == []


async def test_adopting_needs_a_pull_request_address(play: Play) -> None:
    vtid = await block(play)

    for url in (None, "https://github.com/acme/shop"):
        answer = await play.post(f"/runs/{vtid}/rescue", {"move": "adopt", "pr_url": url})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "pr_url")
