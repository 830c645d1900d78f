"""Sequences that once ended in a lie: each is a bug that was found, told as a story."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from tests.workflows.conftest import Story, shortened
from tests.workflows.world import LONG_AGO, MERGED, OLD, REPOSITORY
from vtid.domain.change import ChangedFiles, CheckState, MergeAnswer, MergeKind
from vtid.domain.commands.ledger import RecordEvents
from vtid.domain.commands.pull_requests import MergePullRequest
from vtid.domain.commands.work_orders import Workers
from vtid.domain.environment import Policy
from vtid.domain.errors import Unavailable
from vtid.domain.events import RunEvent
from vtid.domain.limits import LIMITS
from vtid.domain.merged_before import Approval
from vtid.domain.stages import Move
from vtid.domain.task import TaskStatus
from workflows.vtid_run import VtidRun

SECOND = timedelta(seconds=1)


async def test_a_retry_never_merges_a_head_that_no_verdict_is_about(story: Story) -> None:
    heads = [digit * 40 for digit in "1234"]
    honest = story.github.merge

    def merge(command: MergePullRequest) -> MergeAnswer:
        if not heads:
            return honest(command)
        head = heads.pop(0)
        story.github.pulls[7] = replace(story.github.pulls[7], head_sha=head)
        if not heads:
            story.github.files = ("secrets/prod.env",)
        return MergeAnswer(MergeKind.HEAD_MOVED, head_sha=head)

    story.github.merge = merge  # type: ignore[method-assign]
    story.policy = Policy(deny_paths=("secrets/**",))
    await story.start()
    await story.work_honestly()
    await story.decide(Move.RETRY)
    await story.until(lambda: story.ledger.told().count("run.blocked") == 2)

    assert (story.ledger.view().failure or {})["code"] == "SCOPE_VIOLATION"
    assert story.github.merges == 0


async def test_an_adopted_change_is_deployed_by_its_own_paths(story: Story) -> None:
    story.github.files = ("README.md",)
    story.github.check_states = [CheckState.RED]
    story.cloud_run.serves = OLD
    await story.start()
    await story.work_honestly()
    await story.until_told("run.blocked")
    story.github.files = ("services/shop/app.py",)
    story.github.open_pull(8, "ann/fix", merged=True, is_open=False, merge_sha=MERGED)
    await story.decide(Move.ADOPT, pr_url=f"https://github.test/{REPOSITORY}/pull/8")
    await story.until(lambda: story.ledger.told().count("run.blocked") == 2)

    assert (story.ledger.view().failure or {})["code"] == "WRONG_COMMIT_SERVING"


async def test_files_that_cannot_be_read_are_not_no_files(story: Story) -> None:
    story.github.open_pull(merged=True, is_open=False, merge_sha=MERGED)
    story.github.changed_files = lambda *_: ChangedFiles(("README.md",), complete=False)  # type: ignore[method-assign]
    await story.start()
    await story.until_told("run.blocked")

    assert (story.ledger.view().failure or {})["code"] == "PROOF_INCOMPLETE"


async def test_a_change_that_only_cites_the_vtid_is_not_its_work(story: Story) -> None:
    revert = 'Revert "VTID-01227: do it"'
    story.github.open_pull(branch="revert-7", title=revert, merged=True, is_open=False, merge_sha=MERGED)
    await story.start()
    await story.until(lambda: story.ledger.offers)

    assert "change.found_merged" not in story.ledger.told()


async def test_a_change_that_was_merged_for_an_earlier_spec_is_not_the_work_of_a_later_one(
    story: Story,
) -> None:
    merged_at = LONG_AGO + timedelta(hours=2)
    story.ledger.approvals = (
        Approval("5" * 64, LONG_AGO + timedelta(hours=1)),
        Approval(story.ledger.spec_hash or "", LONG_AGO + timedelta(hours=3)),
    )
    story.github.open_pull(merged=True, is_open=False, merge_sha=MERGED, merged_at=merged_at)
    await story.start()
    await story.until(lambda: story.ledger.offers)

    passed = next(each for each in story.ledger.events if each.type == "change.passed_over")
    assert "merged for the spec 555555555555" in passed.data["reason"]
    assert "change.found_merged" not in story.ledger.told()


@pytest.mark.parametrize("ledger", [{"status": "rejected"}, {"current": "another run"}])
async def test_a_run_that_the_ledger_has_as_over_merges_nothing(story: Story, ledger: dict[str, str]) -> None:
    """It was told to be over while Temporal did not know it, and then Temporal knew it again."""
    story.github.merge_answers = [MergeAnswer(MergeKind.CONFLICT, "it conflicts")]
    await story.start()
    await story.work_honestly()
    await story.until_told("run.blocked")
    for name, value in ledger.items():
        setattr(story.ledger, name, value)
    await story.env.sleep(5 * SECOND)
    await story.decide(Move.RETRY)

    assert ((await story.ends()).failure or {})["code"] == "ENGINE_TERMINATED"
    assert story.github.merges == 0


async def test_a_cancel_during_a_merge_that_fails_is_still_a_cancel(story: Story) -> None:
    sent, cancelled = Event(), Event()

    def merge(command: MergePullRequest) -> MergeAnswer:
        sent.set()
        cancelled.wait(5)
        raise Unavailable("GITHUB", "down", status=503)

    story.github.merge = merge  # type: ignore[method-assign]
    story.limits = shortened(
        merge_pull_request=replace(LIMITS["merge_pull_request"], tries=2, back_off=(SECOND,))
    )
    await story.start()
    await story.work_honestly()
    await story.until(sent.is_set)
    await story.run.cancel()
    cancelled.set()

    view = await story.ends()
    assert view.status is TaskStatus.CANCELLED
    assert "whether GitHub merged is not known" in (view.note or "")


async def test_nothing_is_sent_to_merge_after_a_cancel(story: Story) -> None:
    story.ledger.away_for = lambda event: event.data.get("step") == "merge_pull_request"
    await story.start()
    await story.work_honestly()
    await story.until_retried("record_events")
    await story.cancel_and_let_it_hear()
    story.ledger.away_for = None

    view = await story.ends()
    assert view.status is TaskStatus.CANCELLED
    assert story.github.merges == 0


async def test_a_cancel_that_comes_after_the_end_was_told_is_too_late(story: Story) -> None:
    story.ledger.away_for = lambda event: event.type == "run.finished"
    await story.start()
    await story.work_honestly()
    await story.until_retried("record_events")
    await story.cancel_and_let_it_hear()
    story.ledger.away_for = None

    assert (await story.ends()).status is TaskStatus.COMPLETED
    assert (await story.run.describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_no_order_stays_open_behind_a_blocked_run(story: Story) -> None:
    async def away(_: float) -> Workers:
        raise ConnectionError("the ledger is away")

    story.ledger.workers = away  # type: ignore[method-assign,assignment]
    story.limits = shortened(read_workers=replace(LIMITS["read_workers"], budget=2 * SECOND))
    await story.start()
    await story.until_told("run.blocked")

    assert "work_order.withdrawn" in story.ledger.told()
    with pytest.raises(WorkflowUpdateFailedError):
        await story.claim()


async def test_a_cancel_ends_the_run_also_when_the_order_cannot_be_taken_back(story: Story) -> None:
    async def away(order_id: str, reason: str) -> None:
        raise ConnectionError("the ledger is away")

    story.limits = shortened(withdraw_order=replace(LIMITS["withdraw_order"], budget=2 * SECOND))
    await story.start()
    await story.until_told("step.started pickup")
    story.ledger.withdraw = away  # type: ignore[method-assign]
    await story.run.cancel()

    assert (await story.ends()).status is TaskStatus.CANCELLED


async def test_what_its_worker_disowned_is_not_taken(story: Story) -> None:
    await story.start()
    terms = await story.claim()
    story.github.open_pull()
    await story.fail(terms, "not done", retryable=False)
    await story.until_told("run.blocked")

    assert (story.ledger.view().failure or {})["code"] == "WORKER_FAILED"


async def test_disarming_while_nobody_may_claim_blames_nobody(story: Story) -> None:
    await story.start()
    await story.until_told("step.started pickup")
    story.ledger.armed = False  # and the hint is lost

    await story.until(lambda: (story.ledger.view().waiting or {}).get("who") == "approver")
    assert "run.blocked" not in story.ledger.told()


def before(story: Story, kind: str, strays: Callable[[RunEvent], tuple[RunEvent, ...]]) -> None:
    """Let the ledger have `strays` already, under the numbers of the batch that begins to tell of `kind`."""
    honest = story.ledger.record_events
    done = Event()

    async def record(command: RecordEvents) -> tuple[RunEvent, ...]:
        if any(event.type == kind for event in command.events) and not done.is_set():
            done.set()
            story.ledger.events += strays(command.events[0])
        return await honest(command)

    story.ledger.record_events = record  # type: ignore[method-assign]


async def test_what_a_lost_task_told_stays_told_and_the_run_goes_on_after_it(story: Story) -> None:
    def gave_up(first: RunEvent) -> tuple[RunEvent, ...]:
        failure = {"code": "PICKUP_TIMEOUT", "message": "nobody came", "moves": ["retry"]}
        unclaimed = replace(first, type="work_order.unclaimed", actor="system", data={})
        blocked = replace(first, seq=first.seq + 1, type="run.blocked", data={"failure": failure})
        return unclaimed, blocked

    before(story, "work_order.claimed", gave_up)
    await story.start()
    await story.work_honestly()

    view = await story.ends()
    told = story.ledger.events
    assert view.status is TaskStatus.COMPLETED
    assert [event.seq for event in told] == list(range(1, len(told) + 1))
    kinds = [event.type for event in told]
    for kind in ("work_order.unclaimed", "run.blocked", "work_order.claimed", "run.retold"):
        assert kinds.count(kind) == 1
    (retold,) = (event for event in told if event.type == "run.retold")
    assert retold.data["strays"] == [
        told[kinds.index("work_order.unclaimed")].seq,
        kinds.index("run.blocked") + 1,
    ]
    assert await story.run.query(VtidRun.view) == view


async def test_a_run_that_a_lost_task_told_to_be_over_does_nothing_more(story: Story) -> None:
    def over(first: RunEvent) -> tuple[RunEvent, ...]:
        failure = {"code": "CANCELLED", "message": "cancelled by ann: not wanted"}
        end = {"status": "cancelled", "outcome": "cancellation", "failure": failure}
        return (replace(first, type="run.finished", data=end),)

    before(story, "evidence.claimed", over)
    await story.start()
    await story.work_honestly()

    with pytest.raises(WorkflowFailureError) as ended:
        await story.run.result()
    assert isinstance(ended.value.cause, ApplicationError)
    assert ended.value.cause.type == "CANCELLED"
    assert story.github.merges == 0
    assert story.ledger.events[-1].type == "run.finished"
