"""A branch with a merge queue: entered, waited for, dropped, left. Nothing of a run that ended stays in it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.workflows.conftest import Story, shortened
from tests.workflows.world import HEAD, MERGED, NEXT_HEAD, REPOSITORY
from vtid.domain.change import MergeAnswer
from vtid.domain.commands.messages import CancelRun, SwitchChanged
from vtid.domain.commands.pull_requests import MergePullRequest
from vtid.domain.errors import Denied, Unavailable
from vtid.domain.hints import Hint
from vtid.domain.limits import LIMITS
from vtid.domain.stages import Move
from vtid.domain.task import TaskStatus
from workflows.vtid_run import VtidRun

IN_QUEUE = "step.started await_queue"


@pytest.fixture
def queued(story: Story) -> Story:
    story.github.queue = True
    return story


async def in_queue(story: Story) -> None:
    await story.start()
    await story.work_honestly()
    await story.until_told(IN_QUEUE)


async def kept_too_long(story: Story) -> None:
    second = timedelta(seconds=1)
    story.limits = shortened(
        await_queue=replace(LIMITS["await_queue"], budget=3 * second, one_try=second, back_off=(second,))
    )
    await in_queue(story)
    await story.until_told("run.blocked")


async def test_the_run_waits_for_the_queue_and_takes_what_it_merged(queued: Story) -> None:
    await in_queue(queued)
    waiting = queued.ledger.view().waiting or {}
    queued.github.queue_merges()

    view = await queued.ends()

    assert waiting["for"] == f"the merge queue to merge {HEAD[:12]} (entered at position 1)"
    assert (waiting["who"], bool(waiting["until"])) == ("GitHub's merge queue", True)
    assert (view.status, view.merged) == (TaskStatus.COMPLETED, MERGED)
    assert (queued.github.entered, queued.github.merges, queued.github.left) == (1, 0, 0)


async def test_what_the_queue_drops_blocks_the_run_with_the_reason_and_a_retry_enters_again(
    queued: Story,
) -> None:
    await in_queue(queued)
    queued.github.queue_drops("failed_checks")
    await queued.until_told("run.blocked")
    failure = queued.ledger.view().failure or {}
    await queued.decide(Move.RETRY)
    await queued.until(lambda: queued.github.entered == 2)
    queued.github.queue_merges()

    assert (await queued.ends()).status is TaskStatus.COMPLETED
    assert failure["code"] == "MERGE_REFUSED"
    assert "failed_checks" in failure["message"]
    assert queued.ledger.told().count("change.dequeued") == 1


async def test_a_conflict_in_the_queue_has_its_own_code(queued: Story) -> None:
    await in_queue(queued)
    queued.github.queue_drops("merge_conflict")
    await queued.until_told("run.blocked")

    assert (queued.ledger.view().failure or {})["code"] == "MERGE_CONFLICT"


async def test_a_new_head_goes_back_to_validation(queued: Story) -> None:
    await in_queue(queued)
    queued.github.queue_drops("new_commits")
    queued.github.pulls[7] = replace(queued.github.pulls[7], head_sha=NEXT_HEAD)
    await queued.until(lambda: queued.github.entered == 2)
    queued.github.queue_merges()

    assert (await queued.ends()).status is TaskStatus.COMPLETED
    assert "change.head_moved" in queued.ledger.told()


async def test_a_hint_makes_the_waiting_run_look_at_once(queued: Story) -> None:
    hour = timedelta(hours=1)
    patient = replace(LIMITS["await_queue"], budget=10 * hour, back_off=(hour,))
    queued.limits = shortened(await_queue=patient)
    await in_queue(queued)
    await queued.until_retried("await_queue")
    queued.github.queue_merges()
    await queued.run.signal(VtidRun.look_now, Hint(REPOSITORY, "merge_group", pull_number=7))

    await queued.until_told("change.merged")  # no time is skipped here: without the hint it would be an hour
    assert (await queued.ends()).status is TaskStatus.COMPLETED


async def test_a_cancel_takes_it_out(queued: Story) -> None:
    await in_queue(queued)
    await queued.run.execute_update(VtidRun.request_cancel, CancelRun("ann", "changed my mind"))
    await queued.run.cancel()

    view = await queued.ends()

    assert (view.status, view.merged) == (TaskStatus.CANCELLED, None)
    assert (queued.github.left, queued.github.entries) == (1, {})
    assert "taken out of the merge queue" in (view.note or "")


async def test_a_merge_that_is_quicker_than_the_cancel_is_told(queued: Story) -> None:
    leave = queued.github.leave_queue

    def too_late(repository: str, number: int) -> MergeAnswer:
        queued.github.queue_merges()
        return leave(repository, number)

    queued.github.leave_queue = too_late  # type: ignore[method-assign]
    await in_queue(queued)
    await queued.run.cancel()

    view = await queued.ends()

    assert (view.status, view.merged) == (TaskStatus.CANCELLED, MERGED)
    assert f"merged as {MERGED}" in (view.note or "")


async def test_what_cannot_be_taken_out_is_told(queued: Story) -> None:
    queued.github.leave_error = Denied("GITHUB", "the token ran out meanwhile")
    await in_queue(queued)
    await queued.run.cancel()

    view = await queued.ends()

    assert view.status is TaskStatus.CANCELLED
    assert "it may be merged yet" in (view.note or "")


async def test_the_deadline_leaves_it_in_the_queue_and_giving_up_takes_it_out(queued: Story) -> None:
    await kept_too_long(queued)
    message = (queued.ledger.view().failure or {})["message"]
    left_while_blocked = queued.github.left
    await queued.decide(Move.ABANDON, reason="not wanted any more")

    view = await queued.ends()

    assert "still at position 1 of the merge queue" in message
    assert (left_while_blocked, queued.github.left) == (0, 1)
    assert view.status is TaskStatus.REJECTED


async def test_another_change_that_is_adopted_takes_the_place_of_the_queued_one(queued: Story) -> None:
    await kept_too_long(queued)
    queued.github.pulls[7] = replace(queued.github.pulls[7], title="closed soon", vtids=())
    queued.github.open_pull(8, branch="ann/fix")
    await queued.decide(Move.ADOPT, pr_url=f"https://github.test/{REPOSITORY}/pull/8")
    await queued.until(lambda: queued.github.left)

    assert 7 not in queued.github.entries


async def test_the_emergency_stop_takes_it_out_until_the_system_is_armed(queued: Story) -> None:
    await in_queue(queued)
    queued.ledger.armed = False
    await queued.run.signal(VtidRun.switch_changed, SwitchChanged(False))
    await queued.until_told("wait.started")
    while_stopped = dict(queued.github.entries)
    queued.ledger.armed = True
    await queued.run.signal(VtidRun.switch_changed, SwitchChanged(True))
    await queued.until(lambda: queued.github.entered == 2)
    queued.github.queue_merges()

    assert (await queued.ends()).status is TaskStatus.COMPLETED
    assert while_stopped == {}
    assert queued.github.left == 1


async def test_a_spec_that_was_edited_behind_the_emergency_stop_enters_no_queue(queued: Story) -> None:
    await in_queue(queued)
    queued.ledger.armed = False
    await queued.run.signal(VtidRun.switch_changed, SwitchChanged(False))
    await queued.until_told("wait.started")
    await queued.env.sleep(timedelta(seconds=2))
    queued.ledger.armed, queued.ledger.spec_hash = True, "5" * 64
    await queued.run.signal(VtidRun.switch_changed, SwitchChanged(True))
    await queued.until_told("run.blocked")

    assert (queued.ledger.view().failure or {})["code"] == "SPEC_HASH_MISMATCH"
    assert (queued.github.entered, queued.github.merges) == (1, 0)


async def test_an_entry_whose_answer_never_came_is_taken_out_by_a_run_that_ends(queued: Story) -> None:
    merge, second = queued.github.merge, timedelta(seconds=1)

    def answers_nothing(command: MergePullRequest) -> MergeAnswer:
        merge(command)
        raise Unavailable("GITHUB", "the connection broke")

    queued.github.merge = answers_nothing  # type: ignore[method-assign]
    queued.limits = shortened(
        merge_pull_request=replace(LIMITS["merge_pull_request"], tries=1, back_off=(second,))
    )
    await queued.start()
    await queued.work_honestly()
    await queued.decide(Move.ABANDON, reason="not wanted any more")

    assert (await queued.ends()).status is TaskStatus.REJECTED
    assert (queued.github.left, queued.github.entries) == (1, {})
