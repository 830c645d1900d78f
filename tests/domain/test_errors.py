from collections.abc import Iterator

import pytest

from vtid.domain.errors import (
    FINAL_ERRORS,
    BadReply,
    Conflict,
    Denied,
    Missing,
    OutsideError,
    Refused,
    Unavailable,
)


def family(error: type[Exception]) -> Iterator[str]:
    """The names of the tree; adapters may add kinds of Unavailable of their own, which are not the domain's."""
    yield error.__name__
    for child in error.__subclasses__():
        if child.__module__ == OutsideError.__module__:
            yield from family(child)


def test_every_refusal_is_final() -> None:
    """Temporal compares names, not ancestors: one that is left out would be retried for ever."""
    assert set(family(Refused)) == set(FINAL_ERRORS)
    assert len(FINAL_ERRORS) == len(set(FINAL_ERRORS))


def test_only_the_unavailable_is_worth_another_try() -> None:
    assert set(family(OutsideError)) - set(FINAL_ERRORS) == {"OutsideError", "Unavailable"}


@pytest.mark.parametrize("error", [Unavailable, Refused, Denied, Missing, Conflict, BadReply])
def test_an_error_says_who_did_not_answer(error: type[OutsideError]) -> None:
    raised = error("GITHUB", "no", status=500)

    assert (raised.system, raised.status, str(raised)) == ("GITHUB", 500, "no")
