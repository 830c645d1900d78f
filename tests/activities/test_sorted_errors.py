"""Errors of the outside reach the workflow with their name, their system and the time of the next try."""

from datetime import timedelta
from typing import Any

import pytest
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
    assert raised.value.__cause__ is error
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


async def test_a_programming_error_passes_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        await run(ZeroDivisionError())


async def test_a_result_passes_as_it_is() -> None:
    assert await run(None) == "done"
