"""Who is told what, in which words, and how often it is tried."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vtid.domain.events import EVENT_TYPES
from vtid.domain.moment import moment
from vtid.domain.notifications import (
    PAUSES,
    SAYS,
    SOURCES,
    SUBSCRIBABLE,
    Answer,
    Kind,
    Subject,
    Told,
    kind_of,
    message,
    pause_after,
    slack,
)

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
FAILURE = {
    "code": "CHECKS_FAILED",
    "stage": "VALIDATOR",
    "outcome": "failure",
    "message": "ci is red <https://evil|click>",
    "advice": "mend the change",
    "moves": ["retry", "abandon"],
}


def told(kind: str = "run.blocked", **data: Any) -> Told:
    return Told(kind, NOON, "VTID-01227", 7, data or {"failure": FAILURE})


def body(kind: Kind = Kind.RUN_BLOCKED, event: Told | None = None) -> dict[str, Any]:
    subject = Subject(
        "r1", "A shop & more", "dev", "acme/shop", "VALIDATOR", {"pr": "https://github.com/p/1"}
    )
    return message(kind, event or told(), subject, "https://vtid.example")


def test_every_source_is_an_event_of_the_ledger_and_every_kind_has_words() -> None:
    assert set(SOURCES) <= set(EVENT_TYPES)
    assert set(SAYS) == set(Kind)
    assert Kind.TEST not in SUBSCRIBABLE


@pytest.mark.parametrize(
    ("event", "data", "kind"),
    [
        ("run.blocked", {}, Kind.RUN_BLOCKED),
        ("run.finished", {"status": "completed"}, Kind.RUN_COMPLETED),
        ("run.finished", {"status": "rejected"}, Kind.RUN_FAILED),
        ("run.finished", {"status": "cancelled"}, Kind.RUN_CANCELLED),
        ("engine.terminated", {"status": "terminated"}, Kind.RUN_FAILED),
        ("engine.terminated", {"status": "canceled"}, Kind.RUN_CANCELLED),
        ("engine.stuck", {}, Kind.RUN_STUCK),
        ("work_order.unclaimed", {"present": 0, "free": 0, "busy": 0}, Kind.WORKER_MISSING),
        ("work_order.unclaimed", {"present": 2, "free": 1, "busy": 1}, Kind.WORKER_MISSING),
        ("work_order.unclaimed", {"present": 2, "free": 0, "busy": 2}, None),
        ("stage.started", {}, None),
    ],
)
def test_an_event_is_told_as_what_it_means_to_people(
    event: str, data: dict[str, Any], kind: Kind | None
) -> None:
    assert kind_of(event, data) is kind


def test_a_message_says_what_happened_why_and_what_can_be_done() -> None:
    made = body()

    assert (made["type"], made["timestamp"]) == ("run.blocked", moment(NOON))
    data = made["data"]
    assert (data["vtid"], data["code"], data["moves"]) == (
        "VTID-01227",
        "CHECKS_FAILED",
        ["retry", "abandon"],
    )
    assert data["links"] == {"pr": "https://github.com/p/1", "page": "https://vtid.example/#VTID-01227"}


def test_nothing_that_a_worker_wrote_can_make_links_or_call_people_in_slack() -> None:
    shaped = slack(body())

    section = shaped["blocks"][0]["text"]["text"]
    assert "&lt;https://evil|click&gt;" in section
    assert "A shop &amp; more" in section
    assert "<https://github.com/p/1|pr>" in section
    assert "`vtid run rescue VTID-01227 retry | abandon`" in section
    assert shaped["text"] == "VTID-01227 (A shop &amp; more) is blocked and needs a decision"


@pytest.mark.parametrize("kind", SUBSCRIBABLE)
def test_every_kind_has_a_slack_line_even_of_an_event_that_says_nothing(kind: Kind) -> None:
    bare = message(kind, Told("x", NOON, None, 1, {}), Subject(), "")

    assert slack(bare)["text"]


def test_a_long_message_fits_into_a_slack_section() -> None:
    long = told("run.blocked", failure=FAILURE | {"message": "x" * 8_000, "advice": "<" * 8_000})

    assert len(slack(body(event=long))["blocks"][0]["text"]["text"]) <= 3_000


def test_ten_tries_last_three_days_and_the_last_failure_ends_it() -> None:
    failed = Answer(500, "answered 500")

    pauses = [pause_after(tries, failed, 0.0) for tries in range(1, len(PAUSES) + 1)]

    assert pauses == list(PAUSES)
    assert timedelta(days=3) < sum(PAUSES, timedelta()) < timedelta(days=4)
    assert pause_after(len(PAUSES) + 1, failed, 0.0) is None


def test_a_receiver_that_asks_for_more_time_gets_it() -> None:
    busy = Answer(429, "answered 429", retry_after=timedelta(minutes=2))

    assert pause_after(1, busy, 0.0) == timedelta(minutes=2)
    assert pause_after(3, busy, 0.0) == PAUSES[2]
    assert PAUSES[1] < (pause_after(2, busy, 1.0) or timedelta()) <= PAUSES[1] * 1.1
