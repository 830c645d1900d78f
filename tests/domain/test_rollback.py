"""What speaks against a deployment, and what only could not be asked."""

import pytest

from vtid.domain.deployment import Link, LinkState
from vtid.domain.rollback import no_reason_in


def live(*answers: tuple[int | None, str | None]) -> Link:
    raw = {"answers": [{"status": status, "commit": commit} for status, commit in answers]}
    return Link("live_answer", LinkState.UNKNOWN, "no commit", "shop", raw)


@pytest.mark.parametrize(
    ("answers", "speaks_against"),
    [
        (((500, None), (503, None)), True),
        (((500, None), (None, None)), True),
        (((500, None), (200, "a" * 40)), False),
        (((404, None), (404, None)), False),
        (((None, None), (None, None)), False),
        ((), False),
    ],
)
def test_only_a_service_that_answers_with_errors_and_nothing_better_speaks_against_itself(
    answers: tuple[tuple[int | None, str | None], ...], speaks_against: bool
) -> None:
    assert (no_reason_in((live(*answers),)) is None) is speaks_against


def test_a_contradiction_speaks_against_it_and_what_is_only_claimed_does_not() -> None:
    claimed = Link("traffic", LinkState.CLAIMED, "100 % claimed", "shop")

    assert "100 % claimed" in (no_reason_in((claimed,)) or "")
    assert no_reason_in((claimed, Link("environment", LinkState.CONTRADICTED, "missing", "shop"))) is None
