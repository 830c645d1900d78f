"""Going back is policy's word, and a person's pin is stronger."""

import pytest

from tests.workflows.conftest import Story
from tests.workflows.world import MERGED, OLD
from vtid.domain.change import MergeAnswer
from vtid.domain.commands.pull_requests import MergePullRequest
from vtid.domain.environment import Policy
from vtid.domain.stages import Move
from vtid.domain.view import RunView


async def deployed_badly(story: Story, *, rollback: bool = True, pinned: tuple[str, ...] = ()) -> RunView:
    """The merge brings a revision that lacks a variable which the story's service requires."""
    story.policy = Policy(rollback=rollback)
    story.required_env = ("DATABASE_NAME",)
    story.cloud_run.serves, story.cloud_run.env = OLD, {OLD: ("DATABASE_NAME",)}
    merge = story.github.merge

    def deploys(command: MergePullRequest) -> MergeAnswer:
        answer = merge(command)
        story.cloud_run.serves, story.cloud_run.pinned = MERGED, pinned
        return answer

    story.github.merge = deploys  # type: ignore[method-assign]
    await story.start()
    await story.work_honestly()
    await story.until_told("run.blocked")
    view = story.ledger.view()
    await story.decide(Move.ABANDON, reason="told enough")
    await story.ends()
    return view


async def test_what_cannot_be_proven_goes_back_to_what_served_before(story: Story) -> None:
    view = await deployed_badly(story)

    assert story.cloud_run.shifts == ["shop-000"]
    assert view.failure is not None
    assert view.failure["code"] == "ROLLED_BACK"
    assert "ENVIRONMENT_MISMATCH" in view.failure["message"]
    assert view.proof is not None
    assert [(each["held"], each["commit"]) for each in view.proof["rollback"]] == [(False, OLD)]


@pytest.mark.parametrize(("rollback", "pinned"), [(False, ()), (True, ("shop-bbb",))])
async def test_without_policy_or_against_a_pin_traffic_stays(
    story: Story, rollback: bool, pinned: tuple[str, ...]
) -> None:
    view = await deployed_badly(story, rollback=rollback, pinned=pinned)

    assert story.cloud_run.shifts == []
    assert view.failure is not None
    assert view.failure["code"] == "ENVIRONMENT_MISMATCH"
    assert ("rollback.held" in story.ledger.told()) is bool(pinned)
