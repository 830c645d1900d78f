"""What GitHub is told of a run, and that a deaf GitHub holds nothing up."""

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta

from tests.workflows.conftest import Story
from tests.workflows.world import HEAD, OLD
from vtid.domain.change import CheckState, MergeAnswer
from vtid.domain.commands.pull_requests import MergePullRequest
from vtid.domain.commands.reports import CheckWritten
from vtid.domain.environment import Policy
from vtid.domain.errors import Denied, Unavailable
from vtid.domain.limits import LIMITS
from vtid.domain.notice import Conclusion, Notice
from vtid.domain.stages import Move
from vtid.domain.task import TaskStatus

SOON = replace(LIMITS["report"], budget=timedelta(seconds=30), tries=2, back_off=(timedelta(seconds=1),))


async def test_a_good_run_says_validated_before_the_merge_and_proven_after(story: Story) -> None:
    await story.start()
    await story.work_honestly()

    view = await story.ends()

    assert [notice.title for _, notice in story.github.checked] == [
        "validated, 13 rules hold",
        "bbbbbbbbbbbb serves: proven",
    ]
    assert [notice.title for notice in story.github.commented] == ["bbbbbbbbbbbb serves: proven"]
    assert {sha for sha, _ in story.github.checked} == {HEAD}
    assert view.status is TaskStatus.COMPLETED


async def test_a_blocked_run_asks_on_the_pull_request_and_says_how_it_went_on(story: Story) -> None:
    story.policy = Policy(repair_rounds=0)
    story.github.check_states = [CheckState.RED]
    await story.start()
    await story.work_honestly()
    await story.until(lambda: story.github.commented)
    story.github.check_states = [CheckState.GREEN]
    await story.decide(Move.RETRY)

    await story.ends()

    assert [notice.conclusion for notice in story.github.commented] == [
        Conclusion.ACTION_REQUIRED,
        Conclusion.SUCCESS,
    ]
    assert "CHECKS_FAILED" in story.github.commented[0].title


async def test_a_run_without_a_pull_request_has_nowhere_to_tell_it(story: Story) -> None:
    await story.start()
    await story.fail(await story.claim(), "the spec is not clear", retryable=False)
    await story.decide(Move.ABANDON, reason="no")

    await story.ends()

    assert (story.github.checked, story.github.commented) == ([], [])
    assert "step.started report" not in story.ledger.told()


async def test_a_run_that_is_given_up_says_failed(story: Story) -> None:
    story.policy = Policy(repair_rounds=0)
    story.github.check_states = [CheckState.RED]
    await story.start()
    await story.work_honestly()
    await story.decide(Move.ABANDON, reason="no use")

    view = await story.ends()

    assert story.github.commented[-1].conclusion is Conclusion.FAILURE
    assert "ABANDONED" in story.github.commented[-1].title
    assert view.status is TaskStatus.REJECTED


async def test_a_cancelled_run_says_cancelled(story: Story) -> None:
    story.policy = Policy(repair_rounds=0)
    story.github.check_states = [CheckState.RED]
    await story.start()
    await story.work_honestly()
    await story.until_told("run.blocked")
    await story.run.cancel()

    view = await story.ends()

    assert story.github.checked[-1][1].conclusion is Conclusion.CANCELLED
    assert view.status is TaskStatus.CANCELLED


async def test_a_github_that_refuses_every_word_fails_no_run_and_is_told(story: Story) -> None:
    story.github.deaf = Denied("GITHUB", "may not write")
    await story.start()
    await story.work_honestly()

    view = await story.ends()

    failed = [event.data["what"] for event in story.ledger.events if event.type == "report.failed"]
    assert failed == ["check", "check", "comment"]
    assert view.status is TaskStatus.COMPLETED


async def test_a_decision_does_not_wait_for_a_github_that_is_away(story: Story) -> None:
    honest, before_merge = story.github.merge, []

    def merge(command: MergePullRequest) -> MergeAnswer:
        before_merge.append(list(story.github.commented))
        story.github.deaf = None
        return honest(command)

    story.github.merge = merge  # type: ignore[method-assign]
    story.github.deaf = Unavailable("GITHUB", "away")
    story.policy = Policy(repair_rounds=0)
    story.github.check_states = [CheckState.RED]
    await story.start()
    await story.work_honestly()
    await story.until_told("run.blocked")
    story.github.check_states = [CheckState.GREEN]
    await story.decide(Move.RETRY)

    view = await story.ends()

    assert before_merge == [[]]
    assert view.status is TaskStatus.COMPLETED
    assert story.github.commented[-1].conclusion is Conclusion.SUCCESS


async def test_words_that_never_arrive_are_given_up_within_their_budget(story: Story) -> None:
    story.limits["report"] = SOON
    story.github.deaf = Unavailable("GITHUB", "away")
    story.cloud_run.serves = OLD
    await story.start()
    await story.work_honestly()
    await story.decide(Move.ABANDON, reason="no use")

    view = await story.ends()

    assert "report.failed" in story.ledger.told()
    assert view.status is TaskStatus.REJECTED


async def test_words_that_are_on_their_way_never_arrive_after_newer_ones(story: Story) -> None:
    """GitHub takes longer for the first ones than a decision needs: they must not stand there in the end."""
    story.policy = Policy(repair_rounds=0)
    story.github.check_states = [CheckState.RED]
    decided, write = threading.Event(), story.github.write_check

    def slowly(repository: str, sha: str, notice: Notice) -> CheckWritten:
        if notice.conclusion is Conclusion.ACTION_REQUIRED:
            decided.wait(10)
        return write(repository, sha, notice)

    story.github.write_check = slowly  # type: ignore[method-assign]
    await story.start()
    await story.work_honestly()
    await story.until_told("run.blocked")
    story.github.check_states = [CheckState.GREEN]
    await story.decide(Move.RETRY)
    await asyncio.sleep(4)  # longer than they are waited for
    decided.set()

    assert (await story.ends()).status is TaskStatus.COMPLETED
    conclusions = [notice.conclusion for _, notice in story.github.checked]
    assert conclusions[0] is Conclusion.ACTION_REQUIRED
    assert set(conclusions[1:]) == {Conclusion.SUCCESS}
