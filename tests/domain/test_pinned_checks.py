"""A check of the right name by the wrong app is another check."""

import pytest

from vtid.domain.change import Check, Checks, CheckState, is_met_by, pinned_check
from vtid.domain.checks import checks_state

OURS = Check("ci", CheckState.GREEN, app="github-actions", app_id=15368)
STRANGE = Check("ci", CheckState.GREEN, app="somebody-else", app_id=7)
STATUS = Check("ci", CheckState.GREEN)


@pytest.mark.parametrize("required", ["ci", "ci@github-actions", "ci@15368", "ci@*"])
def test_a_required_check_is_met_by_its_name_and_its_app(required: str) -> None:
    assert is_met_by(required, OURS)


@pytest.mark.parametrize("check", [STRANGE, STATUS])
def test_a_pinned_check_is_not_met_by_another_app_or_a_status(check: Check) -> None:
    assert not is_met_by("ci@github-actions", check)
    assert checks_state((check,), ("ci@github-actions",), ()) is CheckState.PENDING
    assert Checks("a" * 40, (check,), ("ci@github-actions",)).missing == ("ci@github-actions",)


def test_a_check_that_is_named_like_a_pin_is_not_taken_for_it() -> None:
    liar = Check("ci@github-actions", CheckState.GREEN, app="somebody-else", app_id=7)

    assert not is_met_by("ci@github-actions", liar)
    assert is_met_by(pinned_check("ci@github-actions", None), liar)


def test_a_green_of_another_app_does_not_hide_a_red() -> None:
    red = Check("ci", CheckState.RED, app="github-actions", app_id=15368)

    assert checks_state((red, STRANGE), ("ci",), ()) is CheckState.RED
