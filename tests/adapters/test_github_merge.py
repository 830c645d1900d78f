"""The merge protocol: whatever GitHub answers or does not answer, there is one merge or a true reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from vtid.adapters.github_merge import commit_title
from vtid.domain.change import MergeKind
from vtid.domain.environment import ChecksPolicy
from vtid.domain.errors import Denied, Missing, Unavailable

if TYPE_CHECKING:
    from tests.adapters.conftest import Sim

MERGE = r"/pulls/1/merge$"


def refusal(status: int, message: str) -> dict[str, Any]:
    return {"status": status, "body": {"message": message}}


def sent(sim: Sim) -> int:
    """How many merges were asked for, done or not."""
    return sim.requests("PUT", "/merge")


def test_a_green_pull_request_is_merged_once_under_its_vtid(sim: Sim) -> None:
    pull = sim.opens_pull(title="Add checkout")

    answer = sim.git_hub.merge(sim.merge_command(pull))

    assert (answer.kind, answer.merged_before) == (MergeKind.MERGED, False)
    assert sim.subject_of(str(answer.sha)) == "Add checkout (VTID-01227)"
    assert sim.reads(1).merge_sha == answer.sha
    assert sim.effects("merge") == 1


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Add checkout", "Add checkout (VTID-01227)"),
        ("VTID-01227: add checkout", "VTID-01227: add checkout"),
        ("Add checkout (VTID-01227)", "Add checkout (VTID-01227)"),
    ],
)
def test_the_commit_title_names_the_vtid_once(title: str, expected: str) -> None:
    assert commit_title(title, "VTID-01227") == expected


def test_a_merged_pull_request_stays_merged_and_nothing_is_sent(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())
    first = sim.git_hub.merge(command)

    again = sim.git_hub.merge(command)

    assert again.sha == first.sha
    assert again.merged_before
    assert sent(sim) == 1


def test_a_lost_answer_after_the_merge_is_reconciled_by_reading(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())
    sim.breaks("PUT", MERGE, {"lose_answer": True})

    answer = sim.git_hub.merge(command)

    assert answer.kind is MergeKind.MERGED
    assert answer.sha == sim.reads(1).merge_sha
    assert (sent(sim), sim.effects("merge")) == (1, 1)


def test_an_error_answered_after_the_merge_is_reconciled_by_reading(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())
    sim.breaks("PUT", MERGE, {"status": 502, "body": "<html>Bad gateway</html>", "apply": True})

    answer = sim.git_hub.merge(command)

    assert answer.kind is MergeKind.MERGED
    assert (sent(sim), sim.effects("merge")) == (1, 1)


def test_an_unreadable_success_is_reconciled_by_reading(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())
    sim.breaks("PUT", MERGE, {"status": 200, "body": {"merged": True}, "apply": True})

    answer = sim.git_hub.merge(command)

    assert answer.sha == sim.reads(1).merge_sha


def test_a_merge_that_never_arrived_is_merged_by_the_next_try(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())
    sim.breaks("PUT", MERGE, {"reset": True}, times=1)

    with pytest.raises(Unavailable):
        sim.git_hub.merge(command)

    assert sim.git_hub.merge(command).kind is MergeKind.MERGED
    assert sim.effects("merge") == 1


def test_a_lost_answer_and_a_github_that_cannot_be_read_is_found_by_the_next_try(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())
    stale = sim.shows("pulls/1")
    sim.breaks("GET", r"/pulls/1$", {"status": 200, "body": stale}, times=1)
    sim.breaks("GET", r"/pulls/1$", {"status": 503, "body": {"message": "no"}}, times=1)
    sim.breaks("PUT", MERGE, {"lose_answer": True}, times=1)

    with pytest.raises(Unavailable):
        sim.git_hub.merge(command)

    assert sim.git_hub.merge(command).merged_before
    assert sent(sim) == 1


def test_a_head_that_moved_is_told_and_nothing_is_sent(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())
    moved_to = sim.pushes(1)

    answer = sim.git_hub.merge(command)

    assert (answer.kind, answer.head_sha) == (MergeKind.HEAD_MOVED, moved_to)
    assert sent(sim) == 0


def test_a_head_that_moves_between_reading_and_merging_is_not_merged(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())
    stale = sim.shows("pulls/1")
    moved_to = sim.pushes(1)
    sim.breaks("GET", r"/pulls/1$", {"status": 200, "body": stale}, times=1)

    answer = sim.git_hub.merge(command)

    assert (answer.kind, answer.head_sha) == (MergeKind.HEAD_MOVED, moved_to)
    assert (sent(sim), sim.effects("merge")) == (1, 0)


def test_a_409_for_an_unmoved_head_is_githubs_lag_and_passes(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())
    sim.breaks(
        "PUT", MERGE, refusal(409, "Head branch was modified. Review and try the merge again."), times=1
    )

    with pytest.raises(Unavailable, match="lags"):
        sim.git_hub.merge(command)

    assert sim.git_hub.merge(command).kind is MergeKind.MERGED


def test_a_race_on_the_base_branch_passes(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())
    sim.breaks(
        "PUT", MERGE, refusal(405, "Base branch was modified. Review and try the merge again."), times=1
    )

    with pytest.raises(Unavailable, match="base moved"):
        sim.git_hub.merge(command)

    assert sim.git_hub.merge(command).kind is MergeKind.MERGED
    assert sim.effects("merge") == 1


def test_a_405_while_mergeability_is_computed_is_asked_again(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())
    computing = {**sim.shows("pulls/1"), "mergeable": None}
    sim.breaks("GET", r"/pulls/1$", {"status": 200, "body": computing})
    sim.breaks("PUT", MERGE, refusal(405, "Pull Request is not mergeable"))

    with pytest.raises(Unavailable, match="computes"):
        sim.git_hub.merge(command)


def test_a_conflict_with_the_base_is_a_conflict(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())
    sim.commits("services/shop/main.py", "print('something else')\n")

    answer = sim.git_hub.merge(command)

    assert answer.kind is MergeKind.CONFLICT


def test_a_refusal_by_policy_carries_githubs_reason(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull(draft=True))

    answer = sim.git_hub.merge(command)

    assert answer.kind is MergeKind.REFUSED
    assert "still a draft" in answer.reason


def test_a_403_that_names_a_rule_is_a_refusal_and_any_other_a_lack_of_rights(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())
    sim.breaks("PUT", MERGE, refusal(403, "Repository rule violations found"), times=1)
    sim.breaks("PUT", MERGE, refusal(403, "Resource not accessible by integration"))

    assert sim.git_hub.merge(command).kind is MergeKind.REFUSED
    with pytest.raises(Denied):
        sim.git_hub.merge(command)


def test_a_check_that_turns_red_right_before_the_merge_stops_it(sim: Sim) -> None:
    pull = sim.opens_pull()
    sim.checks(pull.head_sha, "failure")

    answer = sim.git_hub.merge(sim.merge_command(pull))

    assert answer.kind is MergeKind.CHECKS_CHANGED
    assert "ci failure" in answer.reason
    assert sent(sim) == 0


def test_a_red_commit_status_stops_the_merge_too(sim: Sim) -> None:
    pull = sim.opens_pull()
    sim.reports_status(pull.head_sha, "failure", "licences")

    assert sim.git_hub.merge(sim.merge_command(pull)).kind is MergeKind.CHECKS_CHANGED


def test_a_check_that_only_the_branchs_rules_require_is_required(sim: Sim) -> None:
    pull = sim.opens_pull()
    sim.behaves(protection={"required_checks": ["security"]})

    assert sim.git_hub.merge(sim.merge_command(pull)).kind is MergeKind.CHECKS_CHANGED
    sim.checks(pull.head_sha, "success", "security")
    assert sim.git_hub.merge(sim.merge_command(pull)).kind is MergeKind.MERGED


def test_a_skipped_check_is_green_only_where_the_policy_names_it(sim: Sim) -> None:
    pull = sim.opens_pull()
    sim.checks(pull.head_sha, "skipped", "docs")
    command = sim.merge_command(pull)
    tolerant = replace(command.environment, checks=ChecksPolicy(("ci",), ("docs",)))

    assert sim.git_hub.merge(command).kind is MergeKind.CHECKS_CHANGED
    assert sim.git_hub.merge(replace(command, environment=tolerant)).kind is MergeKind.MERGED


def test_a_closed_pull_request_is_closed(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())
    sim.closes(1)

    assert sim.git_hub.merge(command).kind is MergeKind.CLOSED
    assert sent(sim) == 0


def test_a_pull_request_that_now_goes_elsewhere_is_not_merged(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())
    elsewhere = replace(command.environment, base_branch="release")

    answer = sim.git_hub.merge(replace(command, environment=elsewhere))

    assert answer.kind is MergeKind.REFUSED
    assert "base is main" in answer.reason
    assert sent(sim) == 0


def test_a_pull_request_that_is_not_there_is_missing(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())

    with pytest.raises(Missing, match="no pull request 99"):
        sim.git_hub.merge(replace(command, number=99))


def test_a_merge_whose_event_is_not_there_yet_is_asked_for_again(sim: Sim) -> None:
    command = sim.merge_command(sim.opens_pull())
    sim.git_hub.merge(command)
    sim.breaks("GET", r"/issues/1/events$", {"status": 200, "body": []}, times=1)

    with pytest.raises(Unavailable, match="commit"):
        sim.git_hub.merge(command)

    assert sim.git_hub.merge(command).merged_before
