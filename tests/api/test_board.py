"""The board, what waits for a person, spec versions, statistics: in the shapes that OpenAPI promises."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel

from api import board_shapes, shapes, work_shapes
from api.presenter import Presenter
from vtid.domain.stages import Stage
from vtid.domain.task import spec_hash

from .stage import SPEC, Play

FAILURE: dict[str, Any] = {
    "code": "PICKUP_TIMEOUT", "stage": "WORKER", "message": "no worker took it", "outcome": "timeout",
    "retryable": True, "advice": "start a worker, then retry", "step": "offer_work_order", "attempt": None,
    "since": "2026-01-02T03:04:05Z", "moves": ["retry", "adopt", "abandon"], "causes": [],
}  # fmt: skip


def as_promised(shape: type[BaseModel], answer: dict[str, Any]) -> dict[str, Any]:
    shape.model_validate(answer)
    return answer


async def test_the_board_has_four_columns_and_says_where_the_stream_goes_on(play: Play) -> None:
    draft = await play.task(approved=False)
    running = await play.run()
    blocked = await play.run()
    await play.tell(blocked, "run.blocked", stage=Stage.WORKER, failure=FAILURE, until=None)

    board = as_promised(board_shapes.Board, (await play.get("/board")).json())

    columns = {each["column"]: [card["vtid"] for card in each["items"]] for each in board["columns"]}
    assert list(columns) == ["scheduled", "in_progress", "needs_you", "done"]
    assert (draft in columns["scheduled"], columns["needs_you"]) == (True, [blocked])
    assert running in columns["scheduled"] + columns["in_progress"]
    assert [each["count"] for each in board["columns"]] == [2, 0, 1, 0]
    assert board["position"] == await play.ledger.events.last_position()


async def test_a_card_tells_dots_sentence_failure_and_moves(play: Play) -> None:
    vtid = await play.run()
    await play.tell(vtid, "stage.started", stage=Stage.WORKER)
    await play.tell(vtid, "run.blocked", stage=Stage.WORKER, failure=FAILURE, until=None)

    (card,) = (await play.get("/board", params={"code": "PICKUP_TIMEOUT"})).json()["columns"][2]["items"]

    run = card["run"]
    assert [(dot["stage"], dot["status"]) for dot in run["stages"]] == [
        ("PLANNER", "running"), ("WORKER", "blocked"), ("VALIDATOR", "pending"), ("DEPLOY", "pending"),
    ]  # fmt: skip
    assert run["waiting"]["who"] == "operator"
    assert (run["failure"]["code"], run["moves"]) == ("PICKUP_TIMEOUT", ["retry", "adopt", "abandon"])
    assert "markdown" not in card["spec"]


async def test_more_of_a_column_follows_from_its_cursor(play: Play) -> None:
    for _ in range(3):
        await play.task(approved=False)
    first = (await play.get("/board", params={"limit": 2})).json()["columns"][0]

    asked = {"shape": "card", "column": "scheduled", "limit": "2", "cursor": first["next_cursor"]}
    second = as_promised(shapes.PagedAt[board_shapes.Card], (await play.get("/tasks", params=asked)).json())

    seen = [card["vtid"] for card in first["items"] + second["items"]]
    assert len(set(seen)) == 3 == first["count"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    "asked",
    [
        {"sort": "nicest"}, {"column": "somewhere"}, {"status": "done"}, {"priority": "9"}, {"code": "NOPE"},
        {"limit": "0"}, {"shape": "poem"},
    ],
)  # fmt: skip
async def test_what_a_list_does_not_know_is_named(play: Play, asked: dict[str, str]) -> None:
    answer = await play.get("/tasks", params=asked)

    assert (answer.status_code, answer.json()["code"]) == (422, "VALIDATION")
    assert next(iter(asked)) in answer.json()["detail"]


async def test_a_column_that_the_asked_status_is_not_in_is_empty(play: Play) -> None:
    await play.task(approved=False)

    page = (await play.get("/tasks", params={"column": "done", "status": "allocated"})).json()

    assert page["items"] == []


async def test_whole_tasks_and_their_runs_have_the_promised_shapes(play: Play) -> None:
    vtid = (await play.claimed())["vtid"]
    await play.task(markdown=None)

    as_promised(shapes.PagedAt[shapes.Task], (await play.get("/tasks")).json())
    as_promised(shapes.Task, (await play.get(f"/tasks/{vtid}")).json())
    as_promised(shapes.Run, (await play.get(f"/runs/{vtid}")).json())
    as_promised(shapes.PagedAt[shapes.Run], (await play.get("/runs")).json())
    as_promised(shapes.Paged[shapes.Event], (await play.get("/events")).json())
    as_promised(shapes.System, (await play.get("/system")).json())
    as_promised(shapes.Paged[shapes.LimitRow], (await play.get("/limits")).json())
    as_promised(shapes.FailureCodes, (await play.get("/failure-codes")).json())
    as_promised(shapes.Paged[shapes.RuleRow], (await play.get("/rules")).json())


async def test_a_tasks_position_grows_with_what_happens_to_it(play: Play) -> None:
    vtid = await play.task(approved=False)
    before = (await play.get(f"/tasks/{vtid}")).json()["position"]

    await play.task()
    same = (await play.get(f"/tasks/{vtid}")).json()["position"]
    approval = await play.post(f"/tasks/{vtid}/spec/approve", {"hash": spec_hash(SPEC)})

    assert same == before
    assert approval.json()["position"] > before
    assert approval.json()["position"] == (await play.get(f"/tasks/{vtid}")).json()["position"]


# --- what waits for a person


async def test_what_waits_for_a_person_is_told_in_sections(play: Play) -> None:
    draft = await play.task(approved=False)
    blocked = await play.run()
    await play.tell(blocked, "run.blocked", stage=Stage.WORKER, failure=FAILURE, until=None)

    needs = as_promised(board_shapes.NeedsYou, (await play.get("/needs-you")).json())

    assert needs["total"] == 2
    assert [each["vtid"] for each in needs["approvals"]["items"]] == [draft]
    (parked,) = needs["blocked"]["items"]
    assert (parked["vtid"], parked["says"]) == (blocked, "no worker took the order")


async def test_each_reader_is_told_whether_the_approval_is_theirs_to_give(play: Play) -> None:
    await play.task(approved=False)

    async def approval(role: str) -> dict[str, Any]:
        answer = (await play.get("/needs-you", role=role)).json()
        found: dict[str, Any] = answer["approvals"]["items"][0]
        return found

    assert (await approval("approver"))["you_may"] is True
    viewer = await approval("viewer")
    assert (viewer["you_may"], viewer["why_not"]) == (
        False,
        "this needs the role approver, and you have viewer",
    )


async def test_four_eyes_are_told_before_anybody_presses_the_button(play: Play) -> None:
    body = {"title": "t", "repository": "acme/shop", "environment": "production", "spec": SPEC}
    created = await play.post("/tasks", body, role="approver")
    assert created.status_code == 201, created.text

    (approval,) = (await play.get("/needs-you", role="approver")).json()["approvals"]["items"]

    refused = await play.post(
        f"/tasks/{approval['vtid']}/spec/approve", {"hash": spec_hash(SPEC)}, role="approver"
    )
    assert approval["why_not"] == "in production the author of a spec may not approve it"
    assert refused.json()["detail"] == approval["why_not"]


async def test_a_worker_that_falls_silent_is_told_before_it_is_lost(play: Play) -> None:
    grant = await play.claimed("w1")
    assert (await play.get("/needs-you")).json()["suspects"]["count"] == 0
    vtid = await play.run()
    await play.offer(vtid, lost_seconds=0.001)
    await play.claim("w2", vtid=vtid)

    (suspect,) = (await play.get("/needs-you")).json()["suspects"]["items"]

    assert (suspect["worker"], suspect["vtid"]) == ("w2", vtid)
    assert grant["vtid"] != vtid


# --- spec versions


async def test_spec_versions_are_listed_without_and_read_with_their_text(play: Play) -> None:
    vtid = await play.task()
    await play.call("operator", "PUT", f"/tasks/{vtid}/spec", json={"markdown": "# Second"})

    page = as_promised(
        shapes.Paged[shapes.SpecVersion],
        (await play.get(f"/tasks/{vtid}/spec/versions")).json(),
    )
    first = as_promised(shapes.SpecVersionText, (await play.get(f"/tasks/{vtid}/spec/versions/1")).json())

    assert [(each["version"], each["current"]) for each in page["items"]] == [(2, True), (1, False)]
    assert (first["markdown"], first["state"], first["current"]) == (SPEC, "approved", False)
    assert (await play.get(f"/tasks/{vtid}/spec/versions/9")).status_code == 404


# --- statistics


async def test_statistics_count_from_the_log_every_day_of_the_span(play: Play) -> None:
    vtid = await play.run()
    await play.tell(vtid, "stage.finished", stage=Stage.PLANNER, status="success")
    await play.tell(vtid, "run.finished", status="rejected", outcome="timeout", failure=FAILURE)
    since = (datetime.now(UTC) - timedelta(days=2)).isoformat()

    told = as_promised(
        board_shapes.Statistics, (await play.get("/statistics", params={"since": since})).json()
    )

    assert len(told["days"]) == 3
    assert (told["days"][-1]["started"], told["days"][-1]["rejected"], told["runs"]) == (1, 1, 1)
    assert [each["stage"] for each in told["stages"]] == ["PLANNER", "WORKER", "VALIDATOR", "DEPLOY", "run"]
    assert told["stages"][0]["count"] == 1
    assert told["outcomes"] == [
        {"status": "rejected", "outcome": "timeout", "code": "PICKUP_TIMEOUT", "count": 1}
    ]
    assert {each["name"]: each["limit_seconds"] for each in told["detection"]}["worker_lost"] == 90


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"since": "2020-01-01T00:00:00Z"}, "since"),
        ({"since": "2999-01-01T00:00:00Z"}, "since"),
        ({"since": "2026-01-01T00:00:00"}, "since"),
        ({"environment": "moon"}, "environment"),
    ],
)
async def test_statistics_of_no_time_or_place_are_refused(
    play: Play, asked: dict[str, str], field: str
) -> None:
    answer = await play.get("/statistics", params=asked)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_workers_orders_and_environments_are_answered_as_promised(play: Play) -> None:
    await play.claimed("busy-one")
    await play.claim("free-one")
    await play.offer(await play.run(), requires=("gpu",))

    workers = as_promised(shapes.Paged[work_shapes.Worker], (await play.get("/workers")).json())
    orders = as_promised(shapes.Paged[work_shapes.WorkOrder], (await play.get("/work-orders")).json())
    as_promised(shapes.Paged[work_shapes.Environment], (await play.get("/environments")).json())

    assert {each["worker_id"]: each["state"] for each in workers["items"]} == {
        "busy-one": "busy", "free-one": "free",
    }  # fmt: skip
    assert {each["state"]: each["requires"] for each in orders["items"]} == {
        "claimed": [],
        "offered": ["gpu"],
    }


async def test_a_worker_that_was_not_seen_as_long_as_an_order_is_offered_is_gone(play: Play) -> None:
    await play.claim("w1")
    (seen,) = await play.ledger.workers.list(seen_within_seconds=300)

    states = [
        Presenter(now=partial(seen.last_seen.__add__, timedelta(seconds=late))).worker(seen)["state"]
        for late in (59, 61)
    ]

    assert states == ["free", "gone"]


async def test_every_answer_of_the_page_has_a_schema(play: Play) -> None:
    async with play.client(None) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]

    for path in ("board", "needs-you", "statistics", "session", "tasks", "runs", "tasks/{vtid}", "runs/{vtid}",
                 "tasks/{vtid}/spec/versions", "events", "system", "limits", "failure-codes", "rules", "workers", "work-orders", "environments",
                 "webhooks/deliveries", "unattributed"):  # fmt: skip
        answer = paths[f"/api/v1/{path}"]["get"]["responses"]["200"]
        assert answer["content"]["application/json"]["schema"], path
