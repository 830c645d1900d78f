"""The repair bench: what is shown of a blocked run, and the same move for many."""

from typing import Any

import pytest

from vtid.domain.stages import Stage

from .stage import PULL, SHA, Play


async def block(play: Play, code: str = "PICKUP_TIMEOUT", since: str = "2026-01-02T03:04:05Z") -> str:
    vtid = await play.run()
    failure = {"code": code, "stage": "WORKER", "step": "pickup", "message": "no worker", "outcome": "timeout",
               "retryable": True, "advice": "start a worker", "since": since,
               "moves": ["retry", "adopt", "abandon"],
               "causes": [{"type": "ReadTimeout", "message": "no answer"}]}  # fmt: skip
    await play.tell(vtid, "run.blocked", stage=Stage.WORKER, failure=failure, until=None)
    return vtid


async def bulk(play: Play, role: str = "operator", **body: Any) -> dict[str, Any]:
    answer = await play.post("/dead-letters/bulk", body, role=role)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_an_entry_has_all_that_a_decision_needs(play: Play) -> None:
    vtid = await block(play)

    (letter,) = (await play.get("/dead-letters")).json()["items"]

    assert (letter["vtid"], letter["stage"], letter["step"], letter["code"]) == (
        vtid, "WORKER", "pickup", "PICKUP_TIMEOUT",
    )  # fmt: skip
    assert letter["causes"] == [{"type": "ReadTimeout", "message": "no answer"}]
    assert letter["inputs"]["started_by"] == "admin-1"
    assert letter["inputs"]["spec_version"] == 1
    assert [move["move"] for move in letter["moves"]] == ["retry", "adopt", "abandon"]
    assert (await play.get(f"/dead-letters/{vtid}")).json()["id"] == letter["id"]


async def test_what_an_entry_says_of_a_move_is_what_a_dry_run_of_it_says(play: Play) -> None:
    vtid = await block(play)

    (letter,) = (await play.get("/dead-letters")).json()["items"]
    dry = await play.post(f"/runs/{vtid}/rescue", {"move": "retry", "dry_run": True})

    assert letter["moves"][0]["effects"] == dry.json()["effects"]


async def test_side_effects_are_those_until_the_block(play: Play) -> None:
    vtid = await play.run()
    pull = {"url": PULL, "number": 7, "head_sha": SHA}
    await play.tell(vtid, "evidence.observed", stage=Stage.WORKER, source="found", pull_request=pull)
    failure = {"code": "CHECKS_FAILED", "stage": "VALIDATOR", "message": "red", "moves": ["retry"]}
    await play.tell(vtid, "run.blocked", stage=Stage.VALIDATOR, failure=failure, until=None)

    letter = (await play.get(f"/dead-letters/{vtid}")).json()

    assert [(effect["kind"], effect["url"]) for effect in letter["side_effects"]] == [("pull_request", PULL)]
    assert letter["inputs"]["evidence"]["observed"]["head_sha"] == SHA


async def test_entries_are_found_by_stage_code_and_environment(play: Play) -> None:
    await block(play)

    for query, number in (
        ("stage=WORKER", 1), ("stage=DEPLOY", 0), ("environment=dev", 1), ("environment=staging", 0),
        ("code=PICKUP_TIMEOUT", 1), ("code=WORKER_LOST", 0), ("state=resolved", 0),
    ):  # fmt: skip
        assert len((await play.get(f"/dead-letters?{query}")).json()["items"]) == number, query


async def test_a_dry_bulk_move_lists_what_it_would_do_to_each_and_does_nothing(play: Play) -> None:
    vtids = [await block(play) for _ in range(2)]
    await block(play, "WORKER_LOST")

    told = await bulk(play, code="PICKUP_TIMEOUT", move="retry", dry_run=True)

    assert (told["matched"], told["would"], told["remaining"]) == (2, 2, 0)
    assert [item["vtid"] for item in told["items"]] == vtids
    assert all("fresh budget" in item["effects"][0] for item in told["items"])
    assert [play.engine.run_of(vtid).told for vtid in vtids] == [[], []]


async def test_a_bulk_move_is_told_to_each_run_of_that_code_in_the_persons_name(play: Play) -> None:
    vtids, other = [await block(play) for _ in range(3)], await block(play, "WORKER_LOST")

    told = await bulk(play, code="PICKUP_TIMEOUT", move="retry", limit=2)

    assert (told["matched"], told["done"], told["remaining"]) == (3, 2, 1)
    heard = [[each.by for each in play.engine.run_of(vtid).told] for vtid in (*vtids, other)]  # type: ignore[attr-defined]
    assert heard == [["operator-1"], ["operator-1"], [], []]
    verbs = [entry.verb for entry in await play.ledger.audit.list()]
    assert verbs.count("run.rescue") == 2
    assert "dead_letters.bulk" in verbs


async def test_what_one_entry_refuses_does_not_stop_the_others(play: Play) -> None:
    over, well = await block(play), await block(play)
    play.engine.run_of(over).status = "completed"

    told = await bulk(play, code="PICKUP_TIMEOUT", move="retry")

    assert {item["vtid"]: item["result"] for item in told["items"]} == {over: "refused", well: "done"}
    problem = next(item["problem"] for item in told["items"] if item["vtid"] == over)
    assert (problem["code"], problem["status"]) == ("ILLEGAL_TRANSITION", 409)


async def test_a_run_that_was_blocked_anew_is_not_decided_about_by_its_old_entry(play: Play) -> None:
    vtid = await block(play)
    old = (await play.get(f"/dead-letters/{vtid}")).json()["id"]
    await play.tell(vtid, "run.resumed", stage=Stage.WORKER, move="retry", by="ann")

    told = await bulk(play, ids=[old], move="retry")

    assert (told["matched"], told["items"]) == (0, [])


async def test_without_temporal_nothing_is_done_and_it_is_said_of_each(play: Play) -> None:
    for _ in range(12):
        await block(play)
    play.engine.down = True

    told = await bulk(play, code="PICKUP_TIMEOUT", move="retry")

    assert told["done"] == 0
    assert told["failed"] + told["not_tried"] == 12
    assert told["not_tried"] >= 2
    assert {item["problem"]["code"] for item in told["items"] if item["problem"]} == {"TEMPORAL_UNAVAILABLE"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"move": "retry"}, "name a code or ids"),
        ({"move": "retry", "ids": []}, "name a code or ids"),
        ({"move": "retry", "code": "NO_SUCH"}, "code"),
        ({"move": "adopt", "code": "PICKUP_TIMEOUT"}, "move"),
        ({"move": "retry", "code": "PICKUP_TIMEOUT", "limit": 101}, "limit"),
    ],
)
async def test_a_bulk_move_that_is_not_clear_is_refused(play: Play, body: dict[str, Any], field: str) -> None:
    answer = await play.post("/dead-letters/bulk", body)

    assert (answer.status_code, answer.json()["code"]) == (422, "VALIDATION")
    assert field in answer.json()["detail"]


async def test_giving_many_up_needs_a_reason(play: Play) -> None:
    vtid = await block(play)

    told = await bulk(play, code="PICKUP_TIMEOUT", move="abandon")

    assert told["items"][0]["problem"]["code"] == "VALIDATION"
    assert play.engine.run_of(vtid).told == []
