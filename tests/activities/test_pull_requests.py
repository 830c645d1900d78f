"""One look each: a red check is a result, "not yet" is said until the last look, and no look does harm."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.polling import NOT_READY
from activities.pull_requests import PullRequests
from tests.activities.looking import last_try, there, try_of
from tests.domain.examples import ENVIRONMENT, VTID
from tests.workflows.world import HEAD, LONG_AGO, MERGED, NEXT_HEAD, REPOSITORY, GitHub
from vtid.domain.change import CheckState, MergeKind, QueueEntry
from vtid.domain.commands.pull_requests import (
    AwaitChecks,
    AwaitMerge,
    AwaitQueue,
    FindEvidence,
    FindMergedChange,
    GatherFacts,
    MergePullRequest,
)
from vtid.domain.evidence import ClaimedEvidence
from vtid.domain.merged_before import MergedBefore

URL = "https://github.test/acme/shop/pull/7"


def steps(github: GitHub) -> PullRequests:
    return PullRequests(github)


def find(**more: Any) -> FindEvidence:
    return replace(FindEvidence(VTID, REPOSITORY, ENVIRONMENT), **more)


def ago(**time: float) -> datetime:
    return datetime.now(UTC) - timedelta(**time)


def checks_of(sha: str = HEAD, since: datetime | None = None) -> AwaitChecks:
    return AwaitChecks(
        REPOSITORY, 7, sha, "main", ENVIRONMENT, missing_after_seconds=180, since=since or ago(seconds=0)
    )


def says_not_ready(env: Any, step: Any, command: Any) -> str:
    with pytest.raises(ApplicationError) as told:
        env.run(step, command)
    assert told.value.type == NOT_READY
    return str(told.value.message)


def test_the_merged_change_of_a_vtid_is_found() -> None:
    github = GitHub()
    look = FindMergedChange(VTID, REPOSITORY, ENVIRONMENT, ago(seconds=0), "hash", ())
    assert try_of().run(steps(github).find_merged_change, look) == MergedBefore()
    github.open_pull()
    assert try_of().run(steps(github).find_merged_change, look) == MergedBefore()
    github.open_pull(8, merged=True, is_open=False, merge_sha=MERGED)

    assert there(try_of().run(steps(github).find_merged_change, look).pull_request).number == 8


def test_a_claimed_pull_request_is_read_again() -> None:
    github = GitHub()
    github.open_pull()
    claim = ClaimedEvidence(URL, HEAD)

    assert there(try_of().run(steps(github).find_evidence, find(claimed=claim)).pull_request).number == 7


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("not a url", "no pull request address"),
        ("https://github.test/other/shop/pull/7", "is in other/shop, not in acme/shop"),
        ("https://github.test/acme/shop/pull/99", "has no pull request"),
    ],
)
def test_a_claim_that_does_not_hold_is_a_result_with_its_reason(url: str, reason: str) -> None:
    github = GitHub()
    github.open_pull()
    search = try_of().run(steps(github).find_evidence, find(claimed=ClaimedEvidence(url)))

    assert search.pull_request is None
    assert reason in there(search.refused)


def test_a_pull_request_is_found_by_the_branch_convention_alone() -> None:
    github = GitHub()
    github.open_pull(7, branch="somebody/else")
    github.open_pull(8, head_repository="mallory/shop")
    github.open_pull(9, is_open=False)
    assert try_of().run(steps(github).find_evidence, find()).pull_request is None
    github.open_pull(10)

    assert there(try_of().run(steps(github).find_evidence, find()).pull_request).number == 10


def test_a_pull_request_named_in_a_late_answer_is_looked_at_first() -> None:
    github = GitHub()
    github.open_pull(8)
    github.open_pull(7, branch="somebody/else")
    named = ("https://github.test/acme/shop/pull/99", URL)

    assert there(try_of().run(steps(github).find_evidence, find(named=named)).pull_request).number == 7


def test_nothing_there_yet_is_looked_at_again_as_often_as_told() -> None:
    assert says_not_ready(try_of(1), steps(GitHub()).find_evidence, find(looks=2)).startswith(
        "no pull request"
    )
    assert try_of(2).run(steps(GitHub()).find_evidence, find(looks=2)).pull_request is None


def test_all_facts_are_gathered_in_one_step() -> None:
    github = GitHub()
    github.open_pull()
    github.open_pull(8)
    facts = try_of().run(steps(github).gather_facts, GatherFacts(VTID, REPOSITORY, 7, "", ENVIRONMENT))

    assert there(facts.pull_request).number == 7
    assert there(facts.files).paths == github.files
    assert (there(facts.checks).sha, there(facts.checks).required) == (HEAD, ("ci",))
    assert facts.other_open == ("https://github.test/acme/shop/pull/8",)
    assert facts.task is None  # the ledger is asked when it is judged


def test_facts_of_a_pull_request_that_is_not_there_are_missing_and_not_invented() -> None:
    look = GatherFacts(VTID, REPOSITORY, 7, HEAD, ENVIRONMENT, looks=2)
    says_not_ready(try_of(1), steps(GitHub()).gather_facts, look)
    facts = try_of(2).run(steps(GitHub()).gather_facts, look)

    assert (facts.pull_request, facts.files, facts.checks) == (None, None, None)


@pytest.mark.parametrize("state", [CheckState.GREEN, CheckState.RED, CheckState.SKIPPED])
def test_decided_checks_are_a_result_also_when_they_are_red(state: CheckState) -> None:
    github = GitHub(check_states=[state])
    github.open_pull()
    checked = try_of().run(steps(github).await_checks, checks_of())

    assert [check.state for check in checked.checks.runs] == [state]


def test_running_checks_are_looked_at_again_until_the_last_look() -> None:
    github = GitHub(check_states=[CheckState.PENDING])
    github.open_pull()

    assert says_not_ready(try_of(), steps(github).await_checks, checks_of()) == "checks still run: ci"
    assert last_try().run(steps(github).await_checks, checks_of()).checks.runs[0].state is CheckState.PENDING


def test_a_pull_request_of_which_nobody_knows_whether_it_merges_is_waited_for() -> None:
    github = GitHub()
    github.open_pull(mergeable=None)

    says_not_ready(try_of(), steps(github).await_checks, checks_of())


class Checkless(GitHub):
    """A repository in which no CI runs."""

    def checks(self, repository: str, sha: str) -> tuple[()]:
        return ()


def test_checks_that_never_register_end_the_wait_without_being_green() -> None:
    github = Checkless()
    github.open_pull()
    says_not_ready(try_of(), steps(github).await_checks, checks_of())

    assert try_of().run(steps(github).await_checks, checks_of(since=ago(seconds=200))).checks.runs == ()


def test_a_head_that_moved_ends_the_wait() -> None:
    github = GitHub(check_states=[CheckState.PENDING])
    github.open_pull(head_sha=NEXT_HEAD)

    assert try_of().run(steps(github).await_checks, checks_of()).pull_request.head_sha == NEXT_HEAD


def test_a_merge_that_is_repeated_merges_once() -> None:
    github = GitHub()
    github.open_pull()
    merge = MergePullRequest(VTID, REPOSITORY, 7, HEAD, "do it", ENVIRONMENT)
    answers = [try_of().run(steps(github).merge_pull_request, merge) for _ in range(3)]

    assert {answer.sha for answer in answers} == {MERGED}
    assert github.merges == 1


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"merged": True, "is_open": False, "merge_sha": MERGED}, MergeKind.MERGED),
        ({"head_sha": NEXT_HEAD}, MergeKind.HEAD_MOVED),
        ({"is_open": False}, MergeKind.CLOSED),
        ({"merged": True, "is_open": False, "merge_sha": MERGED, "head_sha": NEXT_HEAD}, MergeKind.REFUSED),
        ({"merged": True, "is_open": False, "merge_sha": MERGED, "base": "release"}, MergeKind.REFUSED),
        ({"base": "release"}, MergeKind.REFUSED),  # no verdict is about a merge into that
    ],
)
def test_what_a_person_did_instead_of_us_is_seen(changes: dict[str, Any], kind: MergeKind) -> None:
    github = GitHub()
    github.open_pull(**changes)

    assert try_of().run(steps(github).await_merge, AwaitMerge(REPOSITORY, 7, HEAD, "main")).kind is kind


def test_a_person_who_has_not_merged_yet_is_waited_for_until_the_last_look() -> None:
    github = GitHub()
    github.open_pull()
    says_not_ready(try_of(), steps(github).await_merge, AwaitMerge(REPOSITORY, 7, HEAD, "main"))

    assert (
        last_try().run(steps(github).await_merge, AwaitMerge(REPOSITORY, 7, HEAD, "main")).kind
        is MergeKind.REFUSED
    )
    assert github.merges == 0


WAIT = AwaitQueue(REPOSITORY, 7, HEAD, "main", LONG_AGO)


def queued() -> GitHub:
    github = GitHub(queue=True)
    github.open_pull()
    github.entries[7] = QueueEntry(2, "awaiting_checks", LONG_AGO, group=NEXT_HEAD)
    return github


def test_what_waits_in_the_queue_is_waited_for_and_told_to_be_in_it_still_at_the_last_look() -> None:
    github = queued()
    says_not_ready(try_of(), steps(github).await_queue, WAIT)

    last = last_try().run(steps(github).await_queue, WAIT)

    assert last.kind is MergeKind.REFUSED
    assert "position 2 of the merge queue (awaiting_checks)" in last.reason


def test_a_merge_by_the_queue_is_ours_and_is_waited_for_while_the_pull_request_does_not_show_it() -> None:
    github = queued()
    still_open = github.pulls[7]
    github.queue_merges()
    merged, github.pulls[7] = github.pulls[7], still_open
    says_not_ready(try_of(), steps(github).await_queue, WAIT)
    github.pulls[7] = merged

    answer = try_of().run(steps(github).await_queue, WAIT)

    assert (answer.kind, answer.sha, answer.merged_before) == (MergeKind.MERGED, MERGED, False)


def test_a_drop_names_the_red_and_the_missing_checks_of_its_group() -> None:
    github = queued()
    github.check_states, github.required = [CheckState.RED], ("security",)
    github.queue_drops("failed_checks", group=NEXT_HEAD)

    answer = try_of().run(steps(github).await_queue, WAIT)

    assert answer.kind is MergeKind.DROPPED
    for said in ("failed_checks", "ci", NEXT_HEAD[:12], "security never came", "merge_group"):
        assert said in answer.reason


def test_a_drop_from_before_this_entry_says_nothing() -> None:
    github = queued()
    github.queue_drops("failed_checks")

    later = replace(WAIT, entered_at=LONG_AGO + timedelta(minutes=1))

    says_not_ready(try_of(), steps(github).await_queue, later)
    assert last_try().run(steps(github).await_queue, later).kind is MergeKind.DROPPED
