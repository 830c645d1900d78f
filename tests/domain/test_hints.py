"""Whom a hint is about."""

from dataclasses import replace

import pytest

from vtid.domain.hints import Hint, concerns
from vtid.domain.limits import FOREVER, LIMITS, POLLS
from vtid.domain.view import RunView

HEAD, MERGED = "a" * 40, "b" * 40
SEEN = {"number": 7, "head_sha": HEAD, "branch": "claude/vtid-1-x"}
VIEW = RunView(
    "VTID-0001",
    "run-1",
    repository="acme/shop",
    evidence={"claimed": None, "observed": SEEN},
    merged=MERGED,
    links={"deploy_run": "https://github.test/run/1"},
)
NOTHING = Hint("acme/shop", "check_run")


@pytest.mark.parametrize(
    ("named", "is_ours"),
    [
        ({"sha": HEAD}, True),
        ({"sha": MERGED}, True),
        ({"pull_number": 7}, True),
        ({"branch": "claude/vtid-1-x"}, True),
        ({"url": "https://github.test/run/1"}, True),
        ({"sha": "c" * 40}, False),
        ({"pull_number": 8}, False),
        ({"branch": "main"}, False),
        ({}, False),
    ],
)
def test_a_hint_concerns_whose_change_it_names(named: dict[str, object], is_ours: bool) -> None:
    hint = replace(NOTHING, **named)  # type: ignore[arg-type]

    assert concerns(VIEW, hint) is is_ours
    assert concerns(VIEW, replace(hint, repository="ACME/Shop")) is is_ours
    assert not concerns(VIEW, replace(hint, repository="acme/other"))


def test_a_hint_that_names_nothing_concerns_no_run_that_knows_nothing() -> None:
    assert not concerns(RunView("VTID-0001", "run-1", repository="acme/shop"), NOTHING)


def test_every_poll_is_a_step_that_is_tried_until_its_budget_ends() -> None:
    assert {LIMITS[name].tries for name in POLLS} == {FOREVER}
    assert all(LIMITS[name].budget for name in POLLS)
