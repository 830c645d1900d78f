"""The one way to call a step. Timeouts, retries and lane come from the limits that the run carries."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar, overload

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    FailureError,
    TimeoutType,
    is_cancelled_exception,
)
from temporalio.exceptions import TimeoutError as TemporalTimeout
from temporalio.workflow import ActivityCancellationType as Cancellation

from vtid.domain.errors import FINAL_ERRORS
from vtid.domain.failures import MAX_MESSAGE, Cause, RunStopped
from vtid.domain.limits import LATE_AFTER, LOCAL_BUDGET, LOCAL_PAUSE, LOCAL_TRIES, MORE_WINDOWS, Lane, Limit
from workflows.connection import GITHUB_QUEUE
from workflows.hints import Hints, LookAgain

C = TypeVar("C")
R = TypeVar("R")


@overload
async def perform(
    step: Callable[[Any, C], Awaitable[R]],
    command: C,
    limits: dict[str, Limit],
    summary: str = "",
    hints: Hints | None = None,
    cancellation: Cancellation = Cancellation.TRY_CANCEL,
) -> R: ...
@overload
async def perform(
    step: Callable[[Any, C], R],
    command: C,
    limits: dict[str, Limit],
    summary: str = "",
    hints: Hints | None = None,
    cancellation: Cancellation = Cancellation.TRY_CANCEL,
) -> R: ...
async def perform(
    step: Any,
    command: Any,
    limits: dict[str, Limit],
    summary: str = "",
    hints: Hints | None = None,
    cancellation: Cancellation = Cancellation.TRY_CANCEL,
) -> Any:
    """Do the step within its limits. Raises RunStopped with a code of the catalogue when it cannot be done.

    hints: what makes a poll look at once; None for a step that is no poll. cancellation: whether a cancel waits
    for a try that is under way; such a step then gives what it gave, and hides the cancel from its caller.
    """
    limit = limits[step.__name__]
    if limit.lane is Lane.BOOKKEEPING:
        try:
            return await _as_local_activity(step, command, limit)
        except FailureError as error:  # a local activity's own error comes bare, not as an ActivityError
            if is_cancelled_exception(error):
                raise
            # Its seconds did not suffice: the same step goes on below, where its retries are seen.
    return await _as_activity(step, command, limit, summary, hints, cancellation)


async def _as_local_activity(step: Any, command: Any, limit: Limit) -> Any:
    return await workflow.execute_local_activity_method(
        step,
        command,
        start_to_close_timeout=min(limit.one_try or LOCAL_BUDGET, LOCAL_BUDGET),
        schedule_to_close_timeout=LOCAL_BUDGET,
        retry_policy=RetryPolicy(
            initial_interval=LOCAL_PAUSE,
            maximum_attempts=LOCAL_TRIES,
            non_retryable_error_types=list(FINAL_ERRORS),
        ),
    )


async def _as_activity(
    step: Any, command: Any, limit: Limit, summary: str, hints: Hints | None, cancellation: Cancellation
) -> Any:
    for window in range(1 + MORE_WINDOWS):
        opened = workflow.now()
        try:
            return await _within(step, command, limit, summary, hints or Hints(), cancellation)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            if window < MORE_WINDOWS and _ended_late(error, limit, opened):
                continue
            raise _stopped_by(error, step.__name__, limit) from error
    raise AssertionError("the last window returns or raises")


async def _within(
    step: Any, command: Any, limit: Limit, summary: str, hints: Hints, cancellation: Cancellation
) -> Any:
    """One window of the step's budget. A hint cuts a poll short, and the rest of the same window goes on."""
    until = workflow.now() + limit.budget if limit.budget else None
    hints.wait_begins()
    while True:
        poll = workflow.start_activity_method(
            step,
            command,
            task_queue=GITHUB_QUEUE if limit.lane is Lane.GITHUB else None,
            start_to_close_timeout=limit.one_try,
            schedule_to_close_timeout=until - workflow.now() if until else None,
            retry_policy=_retry_policy(limit),
            cancellation_type=cancellation,
            summary=summary[:200] or None,
        )
        try:
            return await hints.outcome_of(poll, until)
        except LookAgain:
            continue


def _retry_policy(limit: Limit) -> RetryPolicy:
    """The back-off of the table as Temporal's own: same first and last pause, same number of steps between."""
    pauses = limit.back_off
    if not pauses:
        return RetryPolicy(maximum_attempts=limit.tries)
    growth = (pauses[-1] / pauses[0]) ** (1 / (len(pauses) - 1)) if len(pauses) > 1 else 1.0
    return RetryPolicy(
        initial_interval=pauses[0],
        backoff_coefficient=max(growth, 1.0),
        maximum_interval=pauses[-1],
        maximum_attempts=limit.tries,
        non_retryable_error_types=list(FINAL_ERRORS),
    )


def _ended_late(error: ActivityError, limit: Limit, opened: datetime) -> bool:
    """Whether the budget ran out because nobody was there to use it: server or worker were down."""
    if limit.budget is None or not isinstance(error.cause, TemporalTimeout):
        return False
    if error.cause.type is TimeoutType.SCHEDULE_TO_START:
        return True  # not one try began: it was not the other side that was away
    return workflow.now() - opened > limit.budget + LATE_AFTER


_LANE_CODES = {
    Lane.GITHUB: "GITHUB_UNAVAILABLE",
    Lane.OUTSIDE: "CLOUD_RUN_UNAVAILABLE",
    Lane.BOOKKEEPING: "DISPATCH_FAILED",
}


def _stopped_by(error: ActivityError, step: str, limit: Limit) -> RunStopped:
    """The stop that a failed step means. str(ActivityError) only says "Activity task failed"; causes know."""
    causes = _causes_of(error.cause)
    code = _LANE_CODES[limit.lane]
    for cause in _chain(error.cause):
        if isinstance(cause, ApplicationError) and cause.details and isinstance(cause.details[0], dict):
            system = cause.details[0].get("system")
            if system in ("GITHUB", "CLOUD_RUN"):
                code = f"{system}_DENIED" if cause.type == "Denied" else f"{system}_UNAVAILABLE"
                break
    told = causes[-1].message if causes else str(error)
    return RunStopped(code, f"{step}: {told}", causes=causes)


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and len(chain) < 10:
        chain.append(error)
        error = error.__cause__ or getattr(error, "cause", None)
    return chain


def _causes_of(error: BaseException | None) -> tuple[Cause, ...]:
    return tuple(
        Cause(getattr(each, "type", None) or type(each).__name__, str(each)[:MAX_MESSAGE])
        for each in _chain(error)
    )
