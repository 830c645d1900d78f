"""Which move may be made now, and what is said of one that may not."""

from dataclasses import replace

import pytest

from vtid.domain.moves import refuse_offer, refuse_parameters
from vtid.domain.stages import Move
from vtid.domain.view import MOVES, RunView

BLOCKED = replace(
    RunView("VTID-01227", "run-1"),
    failure={"code": "SCOPE_VIOLATION", "skippable": ["VAL-RULE-009", "VAL-RULE-012"]},
    moves=tuple(MOVES.values()),
)


def refused(
    move: Move, *, rule: str | None = None, reason: str = "seen", pr_url: str | None = None
) -> tuple[str, str]:
    no = refuse_parameters(BLOCKED, move, rule=rule, reason=reason, pr_url=pr_url)
    assert no is not None
    return no.code, no.message


def test_an_open_run_that_is_not_blocked_offers_no_move() -> None:
    no = refuse_offer(RunView("VTID-01227", "run-1"), "skip")

    assert no is not None
    assert (no.code, no.offered) == ("MOVE_NOT_OFFERED", ())


@pytest.mark.parametrize("move", Move)
def test_an_offered_move_with_what_it_needs_is_allowed(move: Move) -> None:
    url = "https://github.com/acme/shop/pull/7"

    assert refuse_offer(BLOCKED, move) is None
    assert refuse_parameters(BLOCKED, move, rule="VAL-RULE-012", reason="seen", pr_url=url) is None


def test_skip_names_the_rules_that_it_can_let_be() -> None:
    code, message = refused(Move.SKIP)

    assert code == "VALIDATION"
    assert "VAL-RULE-009 or VAL-RULE-012" in message


def test_a_rule_that_does_not_exist_is_a_wrong_value() -> None:
    assert refused(Move.SKIP, rule="VAL-RULE-099")[0] == "VALIDATION"


def test_a_rule_that_holds_nobody_up_cannot_be_skipped() -> None:
    assert refused(Move.SKIP, rule="VAL-RULE-010") == (
        "MOVE_NOT_OFFERED",
        "VAL-RULE-010 cannot be skipped: it does not hold this run up; VAL-RULE-009 or VAL-RULE-012 can",
    )


def test_a_rule_that_says_whose_change_this_is_can_never_be_skipped() -> None:
    code, message = refused(Move.SKIP, rule="VAL-RULE-004")

    assert code == "MOVE_NOT_OFFERED"
    assert "no person may skip it" in message


@pytest.mark.parametrize("move", [Move.SKIP, Move.ABANDON])
def test_who_lets_something_go_says_why(move: Move) -> None:
    assert refused(move, rule="VAL-RULE-009", reason=" ")[0] == "VALIDATION"
