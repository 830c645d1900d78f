"""A task's life, in a closed world: the steps that the design names, and the few that we add."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtid.domain.task import CLOSED, TRANSITIONS, IllegalTransition, TaskStatus, check_transition

S = TaskStatus

# Design of the product, "Task status".
DESIGNED = {
    (S.ALLOCATED, S.SCHEDULED),
    (S.SCHEDULED, S.IN_PROGRESS),
    (S.IN_PROGRESS, S.VALIDATING),
    (S.VALIDATING, S.COMPLETED),
    (S.VALIDATING, S.REJECTED),
    (S.VALIDATING, S.CANCELLED),
    (S.IN_PROGRESS, S.BLOCKED),
    (S.VALIDATING, S.BLOCKED),
    (S.BLOCKED, S.IN_PROGRESS),
    (S.BLOCKED, S.VALIDATING),
    (S.VALIDATING, S.IN_PROGRESS),
    (S.BLOCKED, S.REJECTED),
    (S.BLOCKED, S.CANCELLED),
    (S.REJECTED, S.SCHEDULED),
    (S.CANCELLED, S.SCHEDULED),
    (S.SCHEDULED, S.ALLOCATED),
}
# What the design's one line leaves out, each with its reason.
ADDED = {
    (S.SCHEDULED, S.BLOCKED): "PLANNER can block before the run is admitted: the spec changed",
    (S.BLOCKED, S.SCHEDULED): "and a retry of PLANNER asks its gates again",
    (S.SCHEDULED, S.REJECTED): "a gate refuses for good, or the run is ended in Temporal",
    (S.SCHEDULED, S.CANCELLED): "cancelled while it waits for the system to be armed",
    (S.IN_PROGRESS, S.REJECTED): "on_failure: fail, or the run is ended in Temporal",
    (S.IN_PROGRESS, S.CANCELLED): "cancelled while a worker works",
    (S.REJECTED, S.ALLOCATED): "the spec is edited after a failure, and needs a new approval",
    (S.CANCELLED, S.ALLOCATED): "the spec is edited after a cancel, and needs a new approval",
}


def test_the_legal_steps_are_those_of_the_design_and_the_named_ones() -> None:
    legal = {(old, new) for old, news in TRANSITIONS.items() for new in news}

    assert legal == DESIGNED | set(ADDED)
    assert not DESIGNED & set(ADDED)


@given(st.sampled_from(S), st.sampled_from(S))
def test_any_other_step_is_refused_with_both_states_named(old: TaskStatus, new: TaskStatus) -> None:
    if new == old or (old, new) in DESIGNED | set(ADDED):
        check_transition(old, new)
        return
    with pytest.raises(IllegalTransition, match=f"from {old} to {new}"):
        check_transition(old, new)


def test_only_completed_is_final() -> None:
    assert {status for status in S if not TRANSITIONS[status]} == {S.COMPLETED}


def test_whatever_is_closed_is_opened_only_by_a_new_start_or_a_new_spec() -> None:
    for status in CLOSED:
        assert TRANSITIONS[status] <= {S.SCHEDULED, S.ALLOCATED}


@given(st.lists(st.sampled_from(S), min_size=1, max_size=12))
def test_nothing_follows_completed(course: list[TaskStatus]) -> None:
    legal = all(new in TRANSITIONS[old] for old, new in pairwise(course))

    assert not legal or S.COMPLETED not in course[:-1]


def test_every_status_can_be_reached_from_a_new_task() -> None:
    reached, new = {S.ALLOCATED}, {S.ALLOCATED}
    while new:
        new = {after for status in new for after in TRANSITIONS[status]} - reached
        reached |= new

    assert reached == set(S)
