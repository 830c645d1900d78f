"""`vtid run watch`: follows through lost connections and ends as the run ends."""

import json
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from tests.cli.conftest import FakeApi, Vtid, run_view
from vtid.cli.exits import Exit
from vtid.cli.faces import board_face, run_face
from vtid.cli.words import span, waiting_sentence

NOW = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


def event(position: int, kind: str, **data: Any) -> dict[str, Any]:
    at = f"2026-01-02T11:00:{position:02}Z"
    return {"position": position, "run_id": "r1", "type": kind, "stage": "WORKER", "at": at, "data": data}


def watched(api: FakeApi) -> None:
    api.says("GET", "/api/v1/runs/VTID-01227", run_view())
    api.says("GET", "/api/v1/events", {"items": [event(3, "stage.started")], "next_cursor": None})


def test_a_cut_stream_goes_on_where_it_was_cut(api: FakeApi, vtid: Vtid) -> None:
    watched(api)
    api.streams = [
        [(4, event(4, "work_order.claimed", worker="w1"), run_view())],
        [],
        [(5, event(5, "run.finished", outcome="success"), run_view("completed", "success"))],
    ]

    ended = vtid("run", "watch", "VTID-01227", "--api-url", api.url)

    resumed = [asked["headers"].get("Last-Event-ID") for asked in api.asked if "stream" in asked["path"]]
    assert resumed == ["3", "4", "4"]
    told = [line.split()[2] for line in ended.out.splitlines()]
    assert told == ["stage.started", "work_order.claimed", "run.finished"]
    assert "reconnecting" in ended.err
    assert ended.code == Exit.OK


def test_the_exit_code_is_the_outcome_of_the_run(api: FakeApi, vtid: Vtid) -> None:
    for outcome, status, expected in (
        ("failure", "rejected", Exit.FAILED),
        ("timeout", "rejected", Exit.TIMED_OUT),
        ("cancellation", "cancelled", Exit.FAILED),
    ):
        watched(api)
        api.streams = [[(4, event(4, "run.finished"), run_view(status, outcome))]]

        assert vtid("run", "watch", "VTID-01227", "--api-url", api.url).code == expected


def test_until_blocked_ends_where_a_person_must_decide(api: FakeApi, vtid: Vtid) -> None:
    watched(api)
    api.streams = [[(4, event(4, "run.blocked"), run_view("blocked"))]]

    ended = vtid("run", "watch", "VTID-01227", "--until", "blocked", "--json", "--api-url", api.url)

    assert ended.code == Exit.BLOCKED
    assert json.loads(ended.out.splitlines()[-1])["run"]["status"] == "blocked"


def test_watching_has_an_end_of_its_own(api: FakeApi, vtid: Vtid) -> None:
    watched(api)

    ended = vtid("run", "watch", "VTID-01227", "--timeout", "0.3", "--api-url", api.url)

    assert ended.code == Exit.TIMED_OUT


def seen(face: Any) -> str:
    console = Console(width=120, force_terminal=False)
    with console.capture() as captured:
        console.print(face)
    return captured.get()


def test_a_blocked_run_shows_what_it_waits_for_and_the_moves() -> None:
    failure = {"code": "PICKUP_TIMEOUT", "message": "no worker took the order", "advice": "start a worker"}
    waiting = {
        "for": "a decision: retry, abandon",
        "since": "2026-01-02T11:59:00Z",
        "until": "2026-01-02T12:00:08Z",
        "who": "operator",
    }
    moves = [{"move": "adopt", "params": ["pr_url"]}]
    view = run_view("blocked", waiting=waiting, failure=failure, moves=moves)

    text = seen(run_face(view, now=NOW))

    assert "waits for a decision: retry, abandon · for 1 min 00 s · 8 s left · moved by operator" in text
    assert "PICKUP_TIMEOUT: no worker took the order → start a worker" in text
    assert "vtid run rescue VTID-01227 adopt --pr-url …" in text
    assert "needs you" in seen(board_face([view], now=NOW))


def test_every_status_has_a_mark_and_not_only_a_colour() -> None:
    statuses = ("pending", "running", "blocked", "success", "error", "skipped", "cancelled")
    marks = set()
    for status in statuses:
        stages = [{"stage": "PLANNER", "status": status}]
        marks.add(seen(run_face(run_view(stages=stages), now=NOW)).split("PLANNER")[0][-2])

    assert len(marks) == len(statuses)


def test_a_time_that_is_up_is_said_and_not_counted_below_zero() -> None:
    waiting = {"for": "it", "until": "2026-01-02T11:00:00Z"}

    assert waiting_sentence(waiting, NOW) == "waits for it · its time is up"
    assert [span(s) for s in (0.4, 59, 61, 3_600, 200_000)] == [
        "0 s",
        "59 s",
        "1 min 01 s",
        "1 h 00 min",
        "2 d 7 h",
    ]
