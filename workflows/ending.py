"""How a run ends: by success, failure or cancel, or because Temporal was told to reset it.

From the moment an end is begun, nothing that comes stops it from being told.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError, is_cancelled_exception

from vtid.domain.commands.messages import CancelRun
from vtid.domain.commands.run import RunReport
from vtid.domain.failures import Failure, RunStopped
from vtid.domain.stages import Outcome
from vtid.domain.task import TaskStatus
from vtid.domain.view import RunView
from workflows.course import Course
from workflows.merging import Merging
from workflows.reporter import Reporter
from workflows.story import ToldOver
from workflows.worker_stage import WorkerStage

T = TypeVar("T")


class Ending:
    def __init__(self, course: Course, reporter: Reporter, merging: Merging, worker: WorkerStage) -> None:
        self._course = course
        self._story = course.story
        self._reporter = reporter
        self._merging = merging
        self._worker = worker
        self.begun = False
        self._cancel: CancelRun | None = None
        self._process: asyncio.Task[Any] | None = None
        self._was_reset = False
        # A reset gives the new execution a new seed, right where it leaves the history that it was given.
        workflow.register_random_seed_callback(lambda _: self._end_as_reset())

    def check_cancel(self, message: CancelRun) -> None:
        """Raise ApplicationError when the run ends in another way already."""
        if self.begun and self._cancel is None:
            raise ApplicationError("the run is ending, so a cancel is too late", type="ILLEGAL_TRANSITION")

    def ask_to_cancel(self, message: CancelRun) -> None:
        """Who cancels and why, the first who asked; Temporal's own cancel follows."""
        self._cancel = self._cancel or message

    async def of(self, process: Callable[[], Awaitable[None]]) -> RunReport:
        """Do the whole process, and tell how it ended.

        Raises ApplicationError with our failure code when it failed, CancelledError when it was cancelled.
        """
        self._process = asyncio.current_task()
        try:
            return await self._told(process)
        except ToldOver as told:
            return _report(told.view)

    async def _told(self, process: Callable[[], Awaitable[None]]) -> RunReport:
        try:
            self._refuse_reset()
            await process()
        except RunStopped as stop:
            await self._failed(stop)
            raise _failed_with(stop.kind.code, stop.message) from None
        except BaseException as error:
            if not (isinstance(error, asyncio.CancelledError) or is_cancelled_exception(error)):
                raise
            self._refuse_reset()
            await self._cancelled()
            raise
        await self._end_whatever_comes(TaskStatus.COMPLETED, Outcome.SUCCESS)
        return _report(self._story.view)

    async def _failed(self, stop: RunStopped) -> None:
        failure = self._story.failure(stop)
        left = await self._leave_queue()
        await self._end_whatever_comes(TaskStatus.REJECTED, stop.kind.outcome, failure, left or None)

    async def _cancelled(self) -> None:
        """Stop the worker, then tell the truth: also about a merge that was under way."""
        self.begun = True
        cancel = self._cancel = self._cancel or CancelRun(by="Temporal", reason="cancelled in Temporal")
        self._story.tell("run.cancelling", actor=f"user:{cancel.by}", reason=cancel.reason)
        left = await self._leave_queue()
        notes = [cancel.reason, await self._stop_worker(), left, *self._course.notes]
        if self._course.merged_sha is not None and not left:
            notes.append(f"merged as {self._course.merged_sha} before the cancel reached the run")
        stop = RunStopped("CANCELLED", f"cancelled by {cancel.by}: {cancel.reason or 'no reason'}")
        note = "; ".join(each for each in notes if each)
        failure = self._story.failure(stop)
        await self._end_whatever_comes(TaskStatus.CANCELLED, Outcome.CANCELLATION, failure, note)

    async def _stop_worker(self) -> str | None:
        try:
            return await self._worker.stop_worker()
        except RunStopped as stop:  # the ledger's own end of the run takes the order back
            return f"the worker could not be told in time: {stop.message}"

    async def _leave_queue(self) -> str:
        """Nothing of a run that ends stays in a merge queue."""
        return await self._whatever_comes(self._merging.leave_queue())

    async def _end_whatever_comes(
        self, status: TaskStatus, outcome: Outcome, failure: Failure | None = None, note: str | None = None
    ) -> None:
        """This is how the run ends: a cancel that comes while it is told and written is too late."""
        await self._whatever_comes(self._end(status, outcome, failure, note))

    async def _whatever_comes(self, work: Coroutine[Any, Any, T]) -> T:
        """Do a part of the end: no cancel stops it any more."""
        self.begun = True
        end = asyncio.ensure_future(work)
        while not end.done():
            try:
                await asyncio.shield(end)
            except asyncio.CancelledError:
                self._refuse_reset()
        return end.result()

    async def _end(
        self, status: TaskStatus, outcome: Outcome, failure: Failure | None, note: str | None
    ) -> None:
        how: dict[str, Any] = {"status": status, "outcome": outcome, "failure": failure, "note": note}
        if status is not TaskStatus.COMPLETED:  # that one was told by DEPLOY
            await self._reporter.report_end(self._story.as_if("run.finished", **how))
        self._story.tell("run.finished", **how)
        await self._story.write()
        await workflow.wait_condition(workflow.all_handlers_finished)
        await self._story.write()  # what the last handlers told

    def _end_as_reset(self) -> None:
        """A reset execution ends where it begins: the ledger follows the old one, and told its end."""
        self._was_reset = True
        if self._process is not None:
            self._process.cancel()

    def _refuse_reset(self) -> None:
        """Raise ApplicationError ENGINE_TERMINATED when this is an execution that nobody would see act."""
        if self._was_reset:
            text = "this execution was made by a reset in Temporal and does nothing: start the task again"
            raise ApplicationError(text, type="ENGINE_TERMINATED", non_retryable=True) from None


def _report(view: RunView) -> RunReport:
    """How the run ended. Raises ApplicationError when that was no success."""
    if view.failure is not None:
        raise _failed_with(str(view.failure["code"]), str(view.failure["message"])) from None
    return RunReport(view.vtid, view.status, str(view.outcome), view.merged)


def _failed_with(code: str, message: str) -> ApplicationError:
    return ApplicationError(message, {"code": code}, type=code, non_retryable=True)
