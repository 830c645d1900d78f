"""A step in the middle of its budget, as Temporal would run it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from temporalio.common import RetryPolicy
from temporalio.testing import ActivityEnvironment

T = TypeVar("T")

LONG = timedelta(minutes=30)


def try_of(
    attempt: int = 1,
    *,
    budget: timedelta | None = LONG,
    spent: timedelta = timedelta(0),
    pauses: tuple[float, float, float] = (5, 2, 20),
) -> ActivityEnvironment:
    """The environment of this try. pauses: first pause in seconds, growth, longest pause in seconds."""
    first, growth, longest = pauses
    env = ActivityEnvironment()
    env.info = replace(
        env.info,
        attempt=attempt,
        scheduled_time=datetime.now(UTC) - spent,
        schedule_to_close_timeout=budget,
        retry_policy=RetryPolicy(
            initial_interval=timedelta(seconds=first),
            backoff_coefficient=growth,
            maximum_interval=timedelta(seconds=longest),
        ),
    )
    return env


def last_try() -> ActivityEnvironment:
    """A try after which no other one fits into the budget."""
    return try_of(9, budget=LONG, spent=LONG - timedelta(seconds=2))


def there(seen: T | None) -> T:
    """What a step answered, where it must not be None."""
    assert seen is not None
    return seen
