from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.examples import NOON, pull_request
from vtid.domain.change import PullRequest
from vtid.domain.merged_before import Approval, MergedBefore, merged_before

OLD_SPEC, SPEC = "1" * 64, "2" * 64
HOUR = timedelta(hours=1)


def at(hours: float) -> datetime:
    return NOON + hours * HOUR


def merged(number: int, hours: float, **changes: Any) -> PullRequest:
    fields = {"number": number, "url": f"#{number}", "merged": True, "is_open": False, "merged_at": at(hours)}
    return pull_request(**(fields | changes))


def revert(number: int, of: int, hours: float) -> PullRequest:
    return merged(number, hours, branch=f"revert-{of}-claude/vtid-01227-x")


def found(pulls: list[PullRequest], *approvals: Approval, spec: str = SPEC) -> MergedBefore:
    ours = [each for each in pulls if each.reverts is None]
    return merged_before(ours, pulls, spec, approvals)


FIRST, SECOND = Approval(OLD_SPEC, at(1)), Approval(SPEC, at(3))


@pytest.mark.parametrize(
    ("pulls", "approvals", "number"),
    [
        ([], (SECOND,), None),
        ([merged(7, 4)], (SECOND,), 7),
        ([merged(7, 2)], (SECOND,), 7),  # nothing else was ever approved
        ([merged(7, 2)], (), 7),
        ([merged(7, 2)], (FIRST, SECOND), None),
        ([merged(7, 3)], (FIRST, SECOND), 7),
        ([merged(7, 4)], (FIRST, SECOND), 7),
        ([merged(7, 4, merged=False)], (FIRST, SECOND), None),
        # the text of long ago again: the merge of then is its work, unless another came after
        ([merged(7, 2)], (Approval(SPEC, at(1)), Approval(OLD_SPEC, at(3)), Approval(SPEC, at(5))), 7),
        ([merged(7, 2), merged(8, 4)], (Approval(SPEC, at(1)), Approval(OLD_SPEC, at(3)), Approval(SPEC, at(5))), None),
        # the last merge counts, however the pull requests are numbered
        ([merged(7, 5), merged(8, 4)], (SECOND,), 7),
        # reverts
        ([merged(7, 4), revert(8, 7, 5)], (SECOND,), None),
        ([merged(7, 4), revert(8, 7, 5), revert(9, 8, 6)], (SECOND,), 7),
        ([merged(7, 4), replace(revert(8, 7, 5), merged=False)], (SECOND,), 7),
        ([merged(7, 4), merged(8, 5), revert(9, 8, 6)], (SECOND,), 7),
        ([merged(7, 4), revert(9, 70, 6)], (SECOND,), 7),
    ],
)  # fmt: skip
def test_the_last_standing_merge_counts_for_the_spec_it_was_built_for(
    pulls: list[PullRequest], approvals: tuple[Approval, ...], number: int | None
) -> None:
    change = found(pulls, *approvals).pull_request

    assert (change.number if change else None) == number


def test_each_change_that_does_not_count_is_told_with_its_reason() -> None:
    pulls = [merged(7, 2), merged(8, 4), revert(9, 8, 5)]

    told = [(each.url, each.reason) for each in found(pulls, FIRST, SECOND).passed_over]

    assert told == [
        ("#8", "it was reverted by #9"),
        ("#7", "it was merged for the spec 111111111111, and this run is for 222222222222"),
    ]


@given(
    merges=st.lists(st.floats(0, 10), max_size=5),
    approvals=st.lists(st.tuples(st.sampled_from([OLD_SPEC, SPEC, "3" * 64]), st.floats(0, 10)), max_size=6),
    spec=st.sampled_from([OLD_SPEC, SPEC]),
)
def test_a_merge_never_counts_for_another_spec(
    merges: list[float], approvals: list[tuple[str, float]], spec: str
) -> None:
    given_then = [Approval(each, at(hours)) for each, hours in approvals]
    pulls = [merged(number, hours) for number, hours in enumerate(merges, start=1)]

    answer = found(pulls, *given_then, spec=spec)

    last = max((each.merged_at for each in pulls if each.merged_at), default=None)
    before = [each for each in given_then if last and each.at <= last]
    times = [each.at for each in before]
    if last is None:
        assert answer == MergedBefore()
    elif not before:
        assert answer.pull_request is not None
    elif times.count(max(times)) == 1:
        right = max(before, key=lambda each: each.at).spec_hash == spec
        assert (answer.pull_request is not None) == right
        assert bool(answer.passed_over) != right
