"""The whole course of a good run, as text."""

from tests.workflows.conftest import Story
from tests.workflows.world import MERGED
from vtid.domain.change import CheckState
from vtid.domain.task import TaskStatus


async def test_a_good_run_goes_from_spec_to_proof(story: Story) -> None:
    story.github.check_states = [CheckState.PENDING, CheckState.PENDING, CheckState.GREEN]
    await story.start()
    await story.work_honestly()

    view = await story.ends()

    assert story.ledger.told() == [
        "run.started",
        "stage.started PLANNER",
        "run.admitted",
        "step.started find_merged_change",
        "plan.made",
        "stage.finished PLANNER success",
        "stage.started WORKER",
        "work_order.offered",
        "step.started pickup",
        "work_order.claimed",
        "step.started lease",
        "evidence.claimed",
        "step.started gather_facts",
        "evidence.observed",
        "stage.finished WORKER success",
        "stage.started VALIDATOR",
        "step.started await_checks",
        "verdict.reached",
        "stage.finished VALIDATOR success",
        "stage.started DEPLOY",
        "step.started merge_pull_request",
        "change.merged",
        "step.started await_deploy_run",
        "deploy.run_ended",
        "step.started prove_deployment",
        "proof.recorded",
        "step.started report",
        "deployment.reported",
        "report.written",
        "stage.finished DEPLOY success",
        "run.finished completed",
    ]
    assert view.status is TaskStatus.COMPLETED
    assert view.outcome == "success"
    assert view.merged == MERGED
    assert story.github.merges == 1
    history = await story.run.fetch_history()
    # 75 on a quiet machine. A slow one may need a workflow task more; so may a run that outlives the silence
    # of its closed lease.
    assert len(history.events) <= 80
