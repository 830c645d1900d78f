"""What stands on GitHub of a run is one check run and one comment, however often and however badly it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator.oracle import judge_github
from vtid.adapters.github import GitHub
from vtid.domain.change import MergeKind, PullRequest
from vtid.domain.errors import Denied, Unavailable
from vtid.domain.notice import Conclusion, Notice

if TYPE_CHECKING:
    from tests.adapters.conftest import Sim

SHOP = "acme/shop"
VALIDATED = Notice("VTID-01227", "validated", Conclusion.SUCCESS, "13 rules", "https://vtid.test/x")
BLOCKED = Notice("VTID-01227", "blocked", Conclusion.ACTION_REQUIRED, "ci is red", "https://vtid.test/x")
NO_APP = {"status": 403, "body": {"message": "Resource not accessible by personal access token"}}


@pytest.fixture
def pull(sim: Sim) -> PullRequest:
    return sim.opens_pull()


def own_checks(sim: Sim, pull: PullRequest) -> list[dict[str, Any]]:
    runs = sim.shows(f"commits/{pull.head_sha}/check-runs")["check_runs"]
    return [run for run in runs if run["name"] == "vtid"]


def comments(sim: Sim, pull: PullRequest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sim.shows(f"issues/{pull.number}/comments")
    return found


def test_told_twice_and_then_otherwise_it_is_one_check_run_and_one_comment(
    sim: Sim, pull: PullRequest
) -> None:
    for notice in (VALIDATED, VALIDATED, BLOCKED):
        sim.git_hub.write_check(SHOP, pull.head_sha, notice)
        sim.git_hub.write_comment(SHOP, pull.number, notice)

    (check,), (comment,) = own_checks(sim, pull), comments(sim, pull)
    judge_github("CheckRun", check)
    judge_github("IssueComment", comment)
    assert (check["conclusion"], check["output"]["title"]) == ("action_required", "blocked")
    assert check["details_url"] == "https://vtid.test/x"
    assert "ci is red" in comment["body"]
    assert [sim.effects(each) for each in ("check_run", "check_run_edit", "comment", "comment_edit")] == [
        1,
        1,
        1,
        1,
    ]


@pytest.mark.parametrize("path", ["/check-runs$", "/comments$"])
def test_an_answer_that_was_lost_makes_no_second_one(sim: Sim, pull: PullRequest, path: str) -> None:
    sim.breaks("POST", path, {"lose_answer": True}, times=1)

    def tell() -> None:
        sim.git_hub.write_check(SHOP, pull.head_sha, VALIDATED)
        sim.git_hub.write_comment(SHOP, pull.number, VALIDATED)

    with pytest.raises(Unavailable):
        tell()
    tell()

    assert (len(own_checks(sim, pull)), len(comments(sim, pull))) == (1, 1)


def test_the_comment_is_found_on_a_later_page(sim: Sim, pull: PullRequest) -> None:
    for n in range(101):
        sim.control.post(
            f"/api/v3/repos/{SHOP}/issues/{pull.number}/comments",
            json={"body": f"chatter {n}"},
            headers={"authorization": "Bearer somebody-else"},
        )
    sim.git_hub.write_comment(SHOP, pull.number, VALIDATED)

    sim.git_hub.write_comment(SHOP, pull.number, BLOCKED)

    assert sim.effects("comment") == 102
    assert sim.effects("comment_edit") == 1


def test_a_comment_that_somebody_else_marked_as_ours_is_not_taken_for_ours(
    sim: Sim, pull: PullRequest, git_hub_with: Callable[[str], GitHub]
) -> None:
    git_hub_with("somebody-else").write_comment(SHOP, pull.number, replace(VALIDATED, title="all proven"))

    sim.git_hub.write_comment(SHOP, pull.number, BLOCKED)

    assert sorted(each["user"]["login"] for each in comments(sim, pull)) == ["somebody-else", "vtid-bot"]


def test_two_tasks_on_one_pull_request_do_not_write_over_each_other(sim: Sim, pull: PullRequest) -> None:
    for notice in (VALIDATED, replace(BLOCKED, vtid="VTID-01228")):
        sim.git_hub.write_comment(SHOP, pull.number, notice)

    assert len(comments(sim, pull)) == 2


def test_a_token_that_may_not_write_check_runs_says_it_by_a_status_and_says_so(
    sim: Sim, pull: PullRequest
) -> None:
    sim.breaks("POST", "/check-runs$", NO_APP)

    first = sim.git_hub.write_check(SHOP, pull.head_sha, BLOCKED)
    sim.git_hub.write_check(SHOP, pull.head_sha, BLOCKED)

    statuses = sim.shows(f"commits/{pull.head_sha}/status")["statuses"]
    assert [(each["context"], each["state"]) for each in statuses] == [("vtid", "pending")]
    assert "not accessible by personal access token" in first.degraded
    assert sim.effects("commit_status") == 1


def test_a_token_that_may_write_nothing_is_denied(sim: Sim, pull: PullRequest) -> None:
    sim.breaks("POST", "/(check-runs|statuses/.*)$", NO_APP)

    with pytest.raises(Denied):
        sim.git_hub.write_check(SHOP, pull.head_sha, BLOCKED)


@pytest.mark.parametrize("as_status", [False, True])
def test_our_own_word_is_no_check_of_the_change(sim: Sim, pull: PullRequest, as_status: bool) -> None:
    if as_status:
        sim.breaks("POST", "/check-runs$", NO_APP)
    sim.git_hub.write_check(SHOP, pull.head_sha, BLOCKED)

    assert [check.name for check in sim.git_hub.checks(SHOP, pull.head_sha)] == ["ci"]


def test_a_check_run_of_our_name_that_names_no_task_counts_as_any_other(sim: Sim, pull: PullRequest) -> None:
    sim.checks(pull.head_sha, "failure", name="vtid")

    assert [check.name for check in sim.git_hub.checks(SHOP, pull.head_sha)] == ["ci", "vtid"]


def test_a_branch_that_requires_our_check_takes_the_merge_once_it_is_written(sim: Sim) -> None:
    sim.behaves(protection={"required_checks": ["ci", "vtid"]})
    pull = sim.opens_pull()
    before = sim.git_hub.merge(sim.merge_command(pull))

    sim.git_hub.write_check(SHOP, pull.head_sha, VALIDATED)

    assert before.kind is MergeKind.REFUSED
    assert sim.git_hub.required_checks(SHOP, "main") == ("ci",)
    assert sim.git_hub.merge(sim.merge_command(pull)).kind is MergeKind.MERGED
