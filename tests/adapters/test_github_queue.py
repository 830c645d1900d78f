"""The merge queue by the same protocol: entered once with the validated head, read, and left with the truth."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from vtid.domain.change import MergeAnswer, MergeKind, PullRequest, QueuePlace
from vtid.domain.errors import Conflict, Denied, Missing, OutsideError, Refused, Unavailable

if TYPE_CHECKING:
    from tests.adapters.conftest import Sim

GRAPHQL = r"/api/graphql$"
HOUR = {"checks": {"after_s": 3600}}


@pytest.fixture
def queued(sim: Sim) -> PullRequest:
    """A green pull request whose branch has a queue, whose groups take an hour to be checked."""
    pull = sim.opens_pull()
    sim.behaves(queue={"enabled": True}, **HOUR)
    return pull


def merges(sim: Sim, pull: PullRequest) -> MergeAnswer:
    return sim.git_hub.merge(sim.merge_command(pull))


def place(sim: Sim, pull: PullRequest) -> QueuePlace:
    return sim.git_hub.queue_place("acme/shop", pull.number)


def until(sim: Sim, pull: PullRequest, holds: Callable[[QueuePlace], bool]) -> QueuePlace:
    """The simulated queue looks at its groups ten times a second."""
    deadline = time.monotonic() + 20
    while not holds(seen := place(sim, pull)):
        assert time.monotonic() < deadline, seen
        time.sleep(0.02)
    return seen


def says(*errors: dict[str, Any]) -> dict[str, Any]:
    return {"status": 200, "body": {"data": None, "errors": list(errors)}}


def test_a_branch_with_a_queue_is_not_merged_but_queued_with_the_validated_head(
    sim: Sim, queued: PullRequest
) -> None:
    answer = merges(sim, queued)

    assert (answer.kind, answer.queued_before) == (MergeKind.QUEUED, False)
    assert answer.entry is not None
    assert answer.entry.position == 1
    assert sim.requests("PUT", "/merge") == 0, "a token that may pass by the queue must not"
    assert sim.effects("enqueue") == 1


def test_one_that_is_queued_already_is_found_and_not_queued_again(sim: Sim, queued: PullRequest) -> None:
    first = merges(sim, queued)

    again = merges(sim, queued)

    assert again.queued_before
    assert again.entry is not None
    assert first.entry is not None
    assert again.entry.entered_at == first.entry.entered_at
    assert sim.effects("enqueue") == 1


def test_a_queue_that_only_the_refusal_tells_of_is_entered_too(sim: Sim) -> None:
    pull = sim.opens_pull()
    sim.behaves(queue={"enabled": True}, **HOUR)
    sim.breaks("GET", "/rules/branches/main$", {"status": 200, "body": []})

    assert merges(sim, pull).kind is MergeKind.QUEUED
    assert (sim.requests("PUT", "/merge"), sim.effects("enqueue")) == (1, 1)


def test_a_lost_answer_is_reconciled_by_reading(sim: Sim, queued: PullRequest) -> None:
    sim.breaks("POST", GRAPHQL, {"lose_answer": True}, times=1, after=1)

    assert merges(sim, queued).kind is MergeKind.QUEUED
    assert sim.effects("enqueue") == 1


def test_an_entry_that_never_arrived_is_made_by_the_next_try(sim: Sim, queued: PullRequest) -> None:
    sim.breaks("POST", GRAPHQL, {"reset": True}, times=1, after=1)

    with pytest.raises(Unavailable):
        merges(sim, queued)

    assert merges(sim, queued).kind is MergeKind.QUEUED
    assert sim.effects("enqueue") == 1


def test_a_head_that_moves_between_reading_and_queueing_is_not_queued(sim: Sim, queued: PullRequest) -> None:
    stale = sim.shows("pulls/1")
    command = sim.merge_command(queued)
    moved_to = sim.pushes(1)
    sim.breaks("GET", r"/pulls/1$", {"status": 200, "body": stale}, times=1)

    answer = sim.git_hub.merge(command)

    assert (answer.kind, answer.head_sha) == (MergeKind.HEAD_MOVED, moved_to)
    assert sim.effects("enqueue") == 0


def test_a_refusal_of_the_queue_carries_githubs_reason(sim: Sim) -> None:
    pull = sim.opens_pull(draft=True)
    sim.behaves(queue={"enabled": True}, **HOUR)

    answer = merges(sim, pull)

    assert answer.kind is MergeKind.REFUSED
    assert "draft" in answer.reason


def test_a_conflict_is_told_as_one(sim: Sim, queued: PullRequest) -> None:
    command = sim.merge_command(queued)
    sim.commits("services/shop/main.py", "print('something else')\n")
    sim.reads(1)  # this look makes GitHub compute whether it merges

    assert sim.git_hub.merge(command).kind is MergeKind.CONFLICT


def test_the_queue_merges_a_green_group_and_the_pull_request_tells_its_commit(sim: Sim) -> None:
    pull = sim.opens_pull()
    sim.behaves(queue={"enabled": True})
    merges(sim, pull)

    left = until(sim, pull, lambda seen: seen.entry is None)

    assert left.exit is not None
    assert left.exit.merged
    merged = merges(sim, pull)
    assert (merged.kind, merged.merged_before) == (MergeKind.MERGED, True)
    assert merged.sha == left.exit.group, "the queue squashes: its group is the commit on the base"


def test_a_red_group_is_dropped_with_the_commit_that_was_checked(sim: Sim) -> None:
    pull = sim.opens_pull()
    sim.behaves(queue={"enabled": True, "conclusion": "failure"})
    merges(sim, pull)

    left = until(sim, pull, lambda seen: seen.entry is None).exit

    assert left is not None
    assert (left.reason, left.merged) == ("failed_checks", False)
    assert [check.conclusion for check in sim.git_hub.checks("acme/shop", str(left.group))] == ["failure"]
    assert sim.reads(1).is_open


def test_what_is_taken_out_is_not_merged(sim: Sim, queued: PullRequest) -> None:
    merges(sim, queued)

    answer = sim.git_hub.leave_queue("acme/shop", queued.number)

    assert answer.kind is MergeKind.DROPPED
    assert place(sim, queued).entry is None
    assert sim.git_hub.leave_queue("acme/shop", queued.number).kind is MergeKind.DROPPED
    assert sim.effects("dequeue") == 1


def test_what_the_queue_merged_first_is_told_as_merged(sim: Sim) -> None:
    pull = sim.opens_pull()
    sim.behaves(queue={"enabled": True})
    merges(sim, pull)
    until(sim, pull, lambda seen: seen.entry is None)

    answer = sim.git_hub.leave_queue("acme/shop", pull.number)

    assert answer.kind is MergeKind.MERGED
    assert answer.sha == sim.reads(1).merge_sha
    assert sim.effects("dequeue") == 0


def test_while_the_queue_is_merging_it_nothing_is_said(sim: Sim) -> None:
    pull = sim.opens_pull()
    still_open = sim.shows("pulls/1")
    sim.behaves(queue={"enabled": True})
    merges(sim, pull)
    until(sim, pull, lambda seen: seen.entry is None)
    sim.breaks("GET", r"/pulls/1$", {"status": 200, "body": still_open}, times=2)

    with pytest.raises(Unavailable, match="still open"):
        sim.git_hub.leave_queue("acme/shop", pull.number)

    assert sim.git_hub.leave_queue("acme/shop", pull.number).kind is MergeKind.MERGED


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"type": "NOT_FOUND", "message": "Could not resolve to a Repository"}, Missing),
        ({"type": "FORBIDDEN", "message": "Resource not accessible by integration"}, Denied),
        ({"type": "INSUFFICIENT_SCOPES", "message": "Your token has not been granted"}, Denied),
        ({"type": "RATE_LIMITED", "message": "API rate limit exceeded"}, Unavailable),
        ({"message": "Something went wrong while executing your query."}, Unavailable),
        ({"type": "UNPROCESSABLE", "message": "Pull request is in draft state"}, Conflict),
        ({"message": "Field 'x' doesn't exist", "extensions": {"code": "undefinedField"}}, Refused),
    ],
)
def test_an_error_under_a_200_is_sorted_by_its_type(
    sim: Sim, queued: PullRequest, error: dict[str, Any], expected: type[OutsideError]
) -> None:
    sim.breaks("POST", GRAPHQL, says(error))

    with pytest.raises(expected) as caught:
        place(sim, queued)

    assert type(caught.value) is expected


def test_an_answer_without_what_was_asked_for_cannot_be_read(sim: Sim, queued: PullRequest) -> None:
    sim.breaks("POST", GRAPHQL, {"status": 200, "body": {"data": {"repository": None}}})

    with pytest.raises(Refused, match="cannot be read"):
        place(sim, queued)


def test_a_pull_request_that_is_not_there_is_missing(sim: Sim, queued: PullRequest) -> None:
    with pytest.raises(Missing):
        sim.git_hub.queue_place("acme/shop", 99)
