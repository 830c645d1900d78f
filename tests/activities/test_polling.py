from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.polling import NOT_READY, another_look, is_last_look, not_ready
from tests.activities.looking import LONG, last_try, try_of
from vtid.domain.limits import LIMITS, activities


def pause_of(attempt: int, pauses: tuple[float, float, float] = (5, 2, 20)) -> float:
    error: ApplicationError = try_of(attempt, pauses=pauses).run(not_ready, "not yet")
    assert error.next_retry_delay is not None
    return error.next_retry_delay.total_seconds()


def test_not_ready_is_no_failure_of_anybody() -> None:
    error: ApplicationError = try_of().run(not_ready, "checks still run: ci")

    assert (error.type, error.message) == (NOT_READY, "checks still run: ci")
    assert error.category is ApplicationErrorCategory.BENIGN
    assert not error.non_retryable


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 5), (2, 10), (3, 20), (4, 20), (400, 20)])
def test_the_pause_grows_to_its_longest_with_a_fifth_of_jitter(attempt: int, seconds: float) -> None:
    pauses = [pause_of(attempt) for _ in range(20)]

    assert all(0.8 * seconds <= pause <= 1.2 * seconds for pause in pauses)
    assert len(set(pauses)) > 1


@given(st.integers(1, 100_000))
def test_no_pause_of_the_shipped_limits_is_out_of_bounds(attempt: int) -> None:
    for name in activities():
        limit = LIMITS[name]
        if limit.back_off:
            first, longest = limit.back_off[0].total_seconds(), limit.back_off[-1].total_seconds()
            growth = (longest / first) ** (1 / max(len(limit.back_off) - 1, 1))
            assert first * 0.8 <= pause_of(attempt, (first, growth, longest)) <= longest * 1.2


@pytest.mark.parametrize("left", [1, 2, 4])
def test_a_look_after_which_no_other_fits_is_the_last(left: float) -> None:
    assert try_of(spent=LONG - timedelta(seconds=left)).run(is_last_look)


def test_a_look_with_time_left_is_not_the_last() -> None:
    assert not try_of(spent=LONG - timedelta(seconds=10)).run(is_last_look)


def test_a_step_without_a_budget_has_no_last_look() -> None:
    assert not try_of(400, budget=None).run(is_last_look)


@pytest.mark.parametrize(
    ("attempt", "looks", "again"), [(1, 1, False), (1, 2, True), (2, 2, False), (4, 5, True)]
)
def test_a_bounded_number_of_looks(attempt: int, looks: int, again: bool) -> None:
    assert try_of(attempt).run(another_look, looks) is again


def test_there_is_no_other_look_at_the_end_of_the_budget() -> None:
    assert not last_try().run(another_look, 99)


def test_a_steep_back_off_of_an_environment_does_not_break_the_poll() -> None:
    assert pause_of(30, (1, 60, 60)) <= 72
