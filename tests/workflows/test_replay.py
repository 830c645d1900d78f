"""Histories of real runs, kept beside the code: a change of the workflow that they do not survive is caught here.

A run under way replays its history on whatever worker comes next, so the order of its commands is a promise.
Where a change of that order is meant and no run of before is under way any more, record the stories anew:

    RECORD_HISTORIES=1 .venv/bin/python -m pytest tests/workflows/test_replay.py
"""

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHandle, WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from tests.workflows.conftest import VTID, Story
from tests.workflows.test_sentinel import gone_back_and_come_again
from tests.workflows.world import NEXT_HEAD
from vtid.domain.change import CheckState
from vtid.domain.commands.messages import CancelRun
from vtid.domain.commands.run import RunReport, RunRequest
from vtid.domain.stages import Move
from workflows.connection import VtidPlugin
from workflows.sentinel import Sentinel
from workflows.vtid_run import VtidRun

HISTORIES = Path(__file__).with_name("histories")


async def happy_path(story: Story) -> None:
    story.github.check_states = [CheckState.PENDING, CheckState.PENDING, CheckState.GREEN]
    await story.start()
    await story.work_honestly()


async def rescued_run(story: Story) -> None:
    await story.start()
    await story.fail(await story.claim(), "the spec is not clear", retryable=False)
    await story.decide(Move.RETRY)
    await story.work_honestly(nth=1)


async def cancelled_run(story: Story) -> None:
    await story.start()
    terms = await story.claim()
    await story.until_told("step.started lease")
    await story.run.execute_update(VtidRun.request_cancel, CancelRun("ann", "changed my mind"))
    await story.run.cancel()
    await story.until_told("run.cancelling")
    await story.release(terms)


async def lost_worker(story: Story) -> None:
    await story.start()
    await story.claim("w1")
    await story.until_told("attempt.ended")
    finisher = await story.claim("w2", nth=1)
    story.github.open_pull()
    await story.hand_in(finisher, "w2")


async def head_moved(story: Story) -> None:
    story.github.moves_to = NEXT_HEAD
    await story.start()
    await story.work_honestly()


# Name of the file -> (the story, an event that only this course has)
STORIES: dict[str, tuple[Callable[[Story], Awaitable[None]], str]] = {
    "happy-path": (happy_path, "run.finished completed"),
    "rescued-run": (rescued_run, "run.resumed"),
    "cancelled-run": (cancelled_run, "run.finished cancelled"),
    "lost-worker": (lost_worker, "attempt.ended"),
    "head-moved": (head_moved, "change.head_moved"),
}

SENTINEL = "sentinel"  # of a deployment that went back and came again

if os.environ.get("RECORD_HISTORIES"):

    async def test_record_sentinel(story: Story) -> None:
        await keep(SENTINEL, await gone_back_and_come_again(story))

    @pytest.mark.parametrize("name", STORIES)
    async def test_record(name: str, story: Story) -> None:
        live, told = STORIES[name]
        await live(story)
        await story.ends()
        assert told in story.ledger.told()
        await keep(name, story.run)

    async def keep(name: str, run: WorkflowHandle[Any, Any]) -> None:
        history = json.loads((await run.fetch_history()).to_json())
        text = json.dumps(_without_this_machine(history), indent=1) + "\n"
        (HISTORIES / f"{name}.json").write_text(text, encoding="utf-8")


def _without_this_machine(part: Any) -> Any:
    """The same history without process ids, host names and file paths."""
    if isinstance(part, list):
        return [_without_this_machine(each) for each in part]
    if isinstance(part, dict):
        kept = {key: _without_this_machine(value) for key, value in part.items() if key != "stackTrace"}
        return kept | {key: "recorded" for key in ("identity", "binaryChecksum", "buildId") if kept.get(key)}
    return part


def stored(name: str) -> WorkflowHistory:
    return WorkflowHistory.from_json(VTID, (HISTORIES / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [*STORIES, SENTINEL])
async def test_a_stored_history_still_replays(name: str) -> None:
    await Replayer(workflows=[VtidRun, Sentinel], plugins=[VtidPlugin()]).replay_workflow(stored(name))


def test_every_stored_history_has_its_story() -> None:
    assert {file.stem for file in HISTORIES.glob("*.json")} == {*STORIES, SENTINEL}


@pytest.mark.parametrize("name", [*STORIES, SENTINEL])
def test_a_stored_history_tells_nothing_of_the_machine_that_made_it(name: str) -> None:
    text = (HISTORIES / f"{name}.json").read_text(encoding="utf-8")

    assert os.uname().nodename not in text
    assert str(HISTORIES.parents[2]) not in text


@workflow.defn(name="VtidRun")
class Hasty(VtidRun):
    """VtidRun with one command moved: it rests before it plans."""

    @workflow.init
    def __init__(self, request: RunRequest) -> None:
        super().__init__(request)

    @workflow.run
    async def run(self, request: RunRequest) -> RunReport:
        await workflow.sleep(1)
        return await super().run(request)


@pytest.mark.parametrize("name", STORIES)
async def test_a_changed_order_of_commands_is_caught(name: str) -> None:
    # Outside the sandbox: it would load this module, and pytest with it, once more.
    replayer = Replayer(
        workflows=[Hasty], plugins=[VtidPlugin()], workflow_runner=UnsandboxedWorkflowRunner()
    )

    with pytest.raises(NondeterminismError):
        await replayer.replay_workflow(stored(name))


async def test_the_sandbox_is_not_what_catches_it() -> None:
    replayer = Replayer(
        workflows=[VtidRun], plugins=[VtidPlugin()], workflow_runner=UnsandboxedWorkflowRunner()
    )

    await replayer.replay_workflow(stored("happy-path"))
