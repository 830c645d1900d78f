"""What a run has done to the world, read from its events."""

from datetime import UTC, datetime, timedelta
from typing import Any

from vtid.domain.events import EVENT_TYPES, RunEvent
from vtid.domain.side_effects import EFFECTS, side_effects

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
PULL = "https://github.com/acme/shop/pull/7"


def events(*told: tuple[str, dict[str, Any]]) -> list[RunEvent]:
    return [
        RunEvent("r1", seq, "VTID-0001", kind, NOON + timedelta(seconds=seq), data=data)
        for seq, (kind, data) in enumerate(told, start=1)
    ]


def test_every_kind_of_event_that_leaves_something_behind_is_in_the_catalogue() -> None:
    assert set(EFFECTS) <= set(EVENT_TYPES) | {"report.written"}


def test_a_thing_that_is_seen_again_is_told_once_with_the_last_word_and_the_first_time() -> None:
    (attempt,) = side_effects(
        events(
            ("work_order.claimed", {"attempt": 1, "worker": "w1", "order_id": "o1"}),
            ("attempt.ended", {"attempt": 1, "worker": "w1", "code": "WORKER_LOST"}),
        )
    )

    assert attempt.says.endswith("it ended with WORKER_LOST")
    assert attempt.at == NOON + timedelta(seconds=1)


def test_the_way_to_a_failed_deployment_is_told_in_order() -> None:
    told = side_effects(
        events(
            ("run.started", {}),
            ("evidence.observed", {"pull_request": {"url": PULL, "head_sha": "a" * 40}}),
            ("change.merged", {"sha": "b" * 40, "pull_request": PULL, "merged_before": False}),
            ("deploy.dispatched", {"url": None}),
            ("deploy.run_ended", {"url": "https://ci/1", "conclusion": "failure"}),
        )
    )

    assert [effect.kind for effect in told] == ["pull_request", "merge", "dispatch", "deploy_run"]
    assert told[0].url == told[1].url == PULL
    assert "b" * 40 in told[1].says


def test_a_refused_claim_that_names_nothing_is_no_side_effect() -> None:
    assert side_effects(events(("evidence.refused", {"pr_url": "", "reason": "no pull request"}))) == ()
