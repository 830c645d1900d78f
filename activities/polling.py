"""Long waits are polls by retry: an activity looks once and says "not ready yet"; Temporal looks again."""

import random
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

NOT_READY = "NOT_READY"
_LOOK_TAKES = timedelta(seconds=1)  # the time that the next look itself is given before the deadline


def not_ready(what: str) -> ApplicationError:
    """The error that makes Temporal look again after the step's next pause, with jitter."""
    return ApplicationError(
        what, type=NOT_READY, category=ApplicationErrorCategory.BENIGN, next_retry_delay=_next_pause()
    )


def is_last_look() -> bool:
    """Whether no further look fits into the budget, so that this one must return what it sees."""
    info = activity.info()
    if info.schedule_to_close_timeout is None:
        return False
    deadline = info.scheduled_time + info.schedule_to_close_timeout
    return datetime.now(UTC) + _next_pause() + _LOOK_TAKES >= deadline


def is_last_try() -> bool:
    """Whether neither budget nor tries leave another one."""
    policy = activity.info().retry_policy or RetryPolicy()
    return is_last_look() or 0 < policy.maximum_attempts <= activity.info().attempt


def another_look(looks: int) -> bool:
    """Whether this look, one of so many, may say "not ready yet"."""
    return activity.info().attempt < looks and not is_last_look()


def _next_pause() -> timedelta:
    policy = activity.info().retry_policy or RetryPolicy()
    longest = policy.maximum_interval or policy.initial_interval * 100
    # Bounded twice: a poll of days would overflow long after the pause has reached its longest.
    steepest = longest / policy.initial_interval
    growth = min(policy.backoff_coefficient ** min(activity.info().attempt - 1, 30), steepest)
    return min(policy.initial_interval * growth, longest) * random.uniform(0.8, 1.2)  # noqa: S311
