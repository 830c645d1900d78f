"""Errors of the outside reach the workflow with their name, their system and the time of the next try."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter, DefaultPayloadConverter
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.errors import SortedErrors
from vtid.domain.errors import FINAL_ERRORS, OutsideError, Refused, Unavailable
from vtid.domain.failures import MAX_MESSAGE


class Raising(ActivityInboundInterceptor):
    """The step itself, at the end of the chain of interceptors."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        if self._error is not None:
            raise self._error
        return "done"


async def run(error: Exception | None) -> Any:
    step = ExecuteActivityInput(fn=lambda: None, args=[], executor=None, headers={})
    return await SortedErrors().intercept_activity(Raising(error)).execute_activity(step)


async def sorted_error(error: OutsideError) -> ApplicationError:
    with pytest.raises(ApplicationError) as raised:
        await run(error)
    cause = raised.value.__cause__
    assert isinstance(cause, ApplicationError)
    assert cause.type == type(error).__name__
    return raised.value


def family(error: type[OutsideError]) -> list[type[OutsideError]]:
    own = [child for child in error.__subclasses__() if child.__module__ == error.__module__]
    return [error, *(each for child in own for each in family(child))]


@pytest.mark.parametrize("kind", family(OutsideError))
async def test_each_error_keeps_its_name_and_only_refusals_are_final(kind: type[OutsideError]) -> None:
    told = await sorted_error(kind("GITHUB", "no such thing", status=404))

    assert told.type == kind.__name__
    assert told.message == "no such thing"
    assert told.details == ({"system": "GITHUB", "status": 404},)
    assert told.non_retryable == issubclass(kind, Refused) == (kind.__name__ in FINAL_ERRORS)


async def test_who_asks_for_patience_gets_it() -> None:
    told = await sorted_error(Unavailable("GITHUB", "slow down", retry_after=timedelta(seconds=42)))

    assert told.next_retry_delay == timedelta(seconds=42)


@pytest.mark.parametrize("error", [Unavailable("GITHUB", "502"), Refused("GITHUB", "no")])
async def test_otherwise_the_tables_pauses_hold(error: OutsideError) -> None:
    assert (await sorted_error(error)).next_retry_delay is None


async def test_a_long_message_is_bounded() -> None:
    assert len((await sorted_error(Refused("GITHUB", "x" * 50_000))).message) == MAX_MESSAGE


async def test_a_programming_error_keeps_its_name_and_is_tried_again() -> None:
    with pytest.raises(ApplicationError) as raised:
        await run(ZeroDivisionError("division by zero"))

    assert (raised.value.type, raised.value.message) == ("ZeroDivisionError", "division by zero")
    assert not raised.value.non_retryable


# What an outside may say back, or a library may quote: with the part of it that must not be kept.
QUOTED = {
    "a token of a known shape": ("Bad credentials: {}", "ghp_" + "a1B2" * 9),
    "a token of ours without any shape": ("is {} really yours", "correct-horse-battery-staple"),
    "an address that lets in who has it": ("url: /log.txt?sv=1&sig={}&se=2", "q1w2e3r4t5y6u7i8"),
    "a header": ("{{'Authorization': 'Bearer {}'}}", "q1w2e3r4t5y6u7i8"),
    "a variable": ("started with DATABASE_PASSWORD={}", "q1w2e3r4t5y6u7i8"),
    "a password in an address": ("cannot reach postgresql://shop:{}@db:5432/shop", "q1w2e3r4t5y6u7i8"),
}
OURS = ("correct-horse-battery-staple",)


def chained(kinds: list[str], deepest: str) -> Exception:
    """Errors that led to each other, the last one with these words."""
    made: Exception = OSError(deepest)
    for kind in reversed(kinds):
        outer: Exception = {
            "outside": Unavailable("GITHUB", f"asked: {deepest}"),
            "library": ConnectionError(f"HTTPSConnectionPool: {deepest}"),
            "ours": ApplicationError("not ready yet", type="NotReady"),
        }[kind]
        outer.__cause__ = made
        made = outer
    return made


@given(
    kinds=st.lists(st.sampled_from(["outside", "library", "ours"]), max_size=5),
    quoted=st.sampled_from(list(QUOTED)),
)
async def test_no_secret_that_was_quoted_goes_into_the_history(kinds: list[str], quoted: str) -> None:
    words, secret = QUOTED[quoted]
    step = ExecuteActivityInput(fn=lambda: None, args=[], executor=None, headers={})
    raising = Raising(chained(kinds, words.format(secret)))

    with pytest.raises(ApplicationError) as raised:
        await SortedErrors(OURS).intercept_activity(raising).execute_activity(step)

    failure = Failure()
    DefaultFailureConverter().to_failure(raised.value, DefaultPayloadConverter(), failure)
    assert secret not in str(failure)
    assert "cause" in str(failure) or not kinds  # and what led to it is still there


async def test_a_result_passes_as_it_is() -> None:
    assert await run(None) == "done"
