"""The table of limits, held against the design's, and against the steps that the worker registers."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import worker
from tests.workflows.world import CloudRun, Databases, GitHub, Ledger
from vtid.domain.limits import (
    FOREVER,
    HEARTBEAT_DUE,
    LIMITS,
    SUSPECT_AFTER_SHARE,
    Lane,
    Limit,
    activities,
    carried,
)

SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=each) for each in (1, 60, 3600, 86_400))
OURS = {"one_try": 10 * SECOND, "budget": 5 * MINUTE, "tries": FOREVER}

# Design of the run, 3.2: what it says of each row.
DESIGNED: dict[str, dict[str, Any]] = {
    **dict.fromkeys(
        ("load_task", "find_merged_change", "read_workers", "read_progress", "offer_work_order", "withdraw_order"),
        OURS,
    ),
    "record_events": {"one_try": 10 * SECOND, "budget": None, "tries": FOREVER},
    "await_armed": {"budget": 7 * DAY},
    "pickup": {"one_try": 60 * SECOND, "tries": 3, "back_off": (5 * SECOND, 20 * SECOND, 60 * SECOND)},
    "busy_workers": {"budget": 24 * HOUR, "one_try": 60 * SECOND},
    "hold_lease": {"one_try": 30 * MINUTE, "budget": 30 * MINUTE, "tries": 1, "heartbeat": 90 * SECOND},
    "progress": {"one_try": 5 * MINUTE},
    "progress_unattended": {"one_try": 20 * MINUTE},
    "find_evidence": {
        "one_try": 30 * SECOND,
        "budget": 2 * MINUTE,
        "back_off": (5 * SECOND, 10 * SECOND, 20 * SECOND, 40 * SECOND),
    },
    "gather_facts": {"one_try": 30 * SECOND, "budget": 5 * MINUTE, "tries": 5},
    "judge": {"one_try": 30 * SECOND, "budget": 5 * MINUTE, "tries": 5},
    "await_checks": {"one_try": 20 * SECOND, "budget": 30 * MINUTE, "tries": FOREVER},
    "checks_missing": {"one_try": 3 * MINUTE},
    "merge_pull_request": {"one_try": 30 * SECOND, "budget": 5 * MINUTE, "tries": 5},
    "dispatch_deploy": {"one_try": 30 * SECOND, "budget": 2 * MINUTE, "tries": 5},
    "await_deploy_run": {"one_try": 20 * SECOND, "budget": 10 * MINUTE, "tries": FOREVER},
    "prove_deployment": {"one_try": 30 * SECOND, "budget": 5 * MINUTE, "tries": FOREVER},
    "report": {"one_try": 30 * SECOND, "budget": 10 * MINUTE, "tries": 10},
    "blocked": {"budget": 72 * HOUR},
    "attempts": {"tries": 3},  # 3.1: attempts, and how often a moved head is judged again
    "head_rounds": {"tries": 3},
}  # fmt: skip
# Rows that the design's table does not have.
ADDED = {
    "verify_migrations": "database migrations, where an environment declares them",
    "read_armed": "the emergency stop, read like any other row of our ledger",
    "read_late_claims": "pull requests named in answers that came too late",
    "await_merge": "automerge is off: a person merges, and the run sees it",
    "await_queue": "the branch's merge queue, which the design does not know",
    "leave_queue": "a run that ends takes its change out of the merge queue",
    "deploy_run_missing": "no deploy run at all for this long, as for the checks",
    "read_logs": "what red checks say, for the worker that is to mend them",
    "read_serving": "what a rollback goes back to",
    "roll_back": "traffic is shifted back once, and proven like any deployment",
    "watch_deployment": "after the proof: does it still hold",
    "tell_serving": "what became of a deployment, told like any event",
    "stop_confirmed": "how long a cancelled worker has to confirm",
}


def test_the_table_has_the_rows_of_the_design_and_the_named_ones() -> None:
    assert set(LIMITS) == set(DESIGNED) | set(ADDED)


@pytest.mark.parametrize("name", DESIGNED)
def test_each_row_holds_the_designs_values(name: str) -> None:
    row = LIMITS[name]

    assert {key: getattr(row, key) for key in DESIGNED[name]} == DESIGNED[name]


def test_every_activity_has_a_limit_and_every_limit_an_activity() -> None:
    ledger, github, cloud_run = Ledger("VTID-01227", "5" * 64), GitHub(), CloudRun()
    registered = [
        step.__name__ for step in worker.steps(ledger, ledger, github, cloud_run, cloud_run, Databases())
    ]

    assert set(registered) == activities()
    assert len(registered) == len(set(registered))


@pytest.mark.parametrize("name", sorted(activities()))
def test_every_step_is_bounded(name: str) -> None:
    row = LIMITS[name]

    assert row.one_try is not None
    assert row.budget is not None or name == "record_events"
    assert row.back_off or row.lane is Lane.LEASE
    assert row.budget is None or row.one_try <= row.budget


@pytest.mark.parametrize("name", LIMITS)
def test_every_row_says_why_and_never_pauses_less_than_before(name: str) -> None:
    row = LIMITS[name]

    assert row.why
    assert list(row.back_off) == sorted(row.back_off)


@pytest.mark.parametrize(
    "name", [name for name, row in LIMITS.items() if row.why.startswith("our own ledger")]
)
def test_our_own_ledger_is_asked_again_within_ten_seconds(name: str) -> None:
    assert max(LIMITS[name].back_off) <= 10 * SECOND


def test_a_lease_is_due_suspect_and_lost_in_this_order() -> None:
    silence = LIMITS["hold_lease"].heartbeat

    assert silence is not None
    assert silence == 90 * SECOND
    assert silence * SUSPECT_AFTER_SHARE == 60 * SECOND
    assert HEARTBEAT_DUE == 30 * SECOND


@given(st.integers(1, 500))
def test_the_last_pause_is_repeated(tries: int) -> None:
    row = LIMITS["pickup"]

    assert row.pause_after(tries) == row.back_off[min(tries, 3) - 1]


def test_a_run_carries_the_overrides_and_no_prose() -> None:
    short = replace(LIMITS["blocked"], budget=SECOND)
    table = carried({"blocked": short, "unknown": short})

    assert set(table) == set(LIMITS)
    assert table["blocked"] == replace(short, why="")
    assert table["judge"] == replace(LIMITS["judge"], why="")
    assert not any(row.why for row in table.values())


def test_a_step_that_must_have_a_budget_says_so() -> None:
    with pytest.raises(ValueError, match="no budget"):
        Limit(Lane.TIMER).whole_budget()
