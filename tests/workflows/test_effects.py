"""What is sent to the outside is sent once, for the change that is meant, and told whatever comes meanwhile."""

import threading
from dataclasses import replace

import pytest
from temporalio.client import WorkflowUpdateFailedError

from tests.workflows.conftest import Story
from tests.workflows.world import MERGED, OLD
from vtid.domain.change import CheckState, DeployRun
from vtid.domain.commands.messages import Rescue
from vtid.domain.commands.reports import CheckWritten
from vtid.domain.environment import Deploy, Environment, Policy, Service
from vtid.domain.errors import Denied
from vtid.domain.notice import Notice
from vtid.domain.stages import Move
from vtid.domain.task import TaskStatus
from workflows.vtid_run import VtidRun

DISPATCHED = Deploy(event="workflow_dispatch")


async def test_an_adopted_change_gets_a_deploy_run_of_its_own(story: Story) -> None:
    story.deploy = DISPATCHED
    story.cloud_run.serves = OLD
    await story.start()
    await story.work_honestly()
    await story.until_told("run.blocked")
    story.cloud_run.serves = MERGED
    story.github.open_pull(8, branch="ann/fix")
    await story.decide(Move.ADOPT, pr_url="https://github.test/acme/shop/pull/8")

    assert (await story.ends()).status is TaskStatus.COMPLETED
    assert story.github.merges == 2
    assert len(set(story.github.nonces)) == 2


async def test_a_dispatch_whose_answer_was_lost_is_found_again_by_a_persons_retry(story: Story) -> None:
    story.deploy = DISPATCHED
    story.github.dispatch_errors = [Denied("GITHUB", "the token ran out meanwhile")]
    await story.start()
    await story.work_honestly()
    await story.until_told("run.blocked")
    await story.decide(Move.RETRY)

    assert (await story.ends()).status is TaskStatus.COMPLETED
    assert story.github.dispatches == 1


async def test_a_dispatched_run_that_failed_is_started_anew_by_a_retry(story: Story) -> None:
    story.deploy = DISPATCHED
    story.github.deploy_conclusion = "failure"
    await story.start()
    await story.work_honestly()
    await story.until_told("run.blocked")
    story.github.deploy_conclusion = "success"
    await story.decide(Move.RETRY)

    assert (await story.ends()).status is TaskStatus.COMPLETED
    assert len(set(story.github.nonces)) == 2


async def test_a_cancel_that_comes_while_a_deploy_is_started_hides_nothing(story: Story) -> None:
    story.deploy = DISPATCHED
    cancelled, dispatch = threading.Event(), story.github.dispatch

    def slowly(repository: str, workflow: str, ref: str, inputs: dict[str, str]) -> DeployRun | None:
        run = dispatch(repository, workflow, ref, inputs)
        cancelled.wait(10)
        return run

    story.github.dispatch = slowly  # type: ignore[method-assign]
    await story.start()
    await story.work_honestly()
    await story.until(lambda: story.github.dispatches)
    await story.cancel_and_let_it_hear()
    cancelled.set()

    view = await story.ends()

    assert view.status is TaskStatus.CANCELLED
    assert "deploy.dispatched" in story.ledger.told()
    assert "https://github.test/run/1" in (view.note or "")


async def test_a_cancel_that_comes_while_traffic_goes_back_hides_nothing(story: Story) -> None:
    story.policy = Policy(rollback=True)
    story.required_env = ("DATABASE_NAME",)
    story.cloud_run.serves, story.cloud_run.env = OLD, {OLD: ("DATABASE_NAME",)}
    merge, shift, cancelled = story.github.merge, story.cloud_run.shift_traffic, threading.Event()

    def deploys(command):  # type: ignore[no-untyped-def]
        answer = merge(command)
        story.cloud_run.serves = MERGED
        return answer

    def slowly(environment: Environment, service: Service, repository: str, revision: str, etag: str) -> None:
        shift(environment, service, repository, revision, etag)
        cancelled.wait(10)

    story.github.merge, story.cloud_run.shift_traffic = deploys, slowly  # type: ignore[method-assign]
    await story.start()
    await story.work_honestly()
    await story.until(lambda: story.cloud_run.shifts)
    await story.cancel_and_let_it_hear()
    cancelled.set()

    view = await story.ends()

    assert view.status is TaskStatus.CANCELLED
    assert "rollback.done" in story.ledger.told()
    assert "shop is back on shop-000" in (view.note or "")


async def test_a_decision_is_not_taken_by_a_run_that_ends_already(story: Story) -> None:
    story.policy = Policy(repair_rounds=0)
    story.github.check_states = [CheckState.RED]
    told, write = threading.Event(), story.github.write_check

    def slowly(repository: str, sha: str, notice: Notice) -> CheckWritten:
        if notice.conclusion == "cancelled":
            told.wait(10)
        return write(repository, sha, notice)

    story.github.write_check = slowly  # type: ignore[method-assign]
    await story.start()
    await story.work_honestly()
    await story.until_told("run.blocked")
    await story.run.cancel()
    await story.until_told("step.started report")

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await story.run.execute_update(VtidRun.rescue, Rescue(Move.RETRY, by="ann"))
    told.set()

    assert getattr(refused.value.cause, "type", None) == "MOVE_NOT_OFFERED"
    assert (await story.ends()).status is TaskStatus.CANCELLED


async def test_the_commit_of_a_change_that_was_merged_before_is_in_the_view(story: Story) -> None:
    story.github.open_pull(merged=True, is_open=False, merge_sha=MERGED)
    await story.start()

    view = await story.ends()

    assert view.status is TaskStatus.COMPLETED
    assert view.merged == MERGED
    assert story.github.commented[-1].title == "bbbbbbbbbbbb serves: proven"


async def test_what_was_merged_before_is_not_said_of_a_change_that_is_adopted_instead(story: Story) -> None:
    story.policy = Policy(repair_rounds=0)
    story.cloud_run.serves = OLD
    await story.start()
    await story.work_honestly()
    await story.until_told("run.blocked")
    story.github.check_states = [CheckState.RED]
    story.github.pulls[8] = replace(story.github.open_pull(8, branch="ann/fix"), title="VTID-01227: mended")
    await story.decide(Move.ADOPT, pr_url="https://github.test/acme/shop/pull/8")
    await story.until(lambda: story.ledger.told().count("run.blocked") == 2)

    assert story.ledger.view().merged is None
