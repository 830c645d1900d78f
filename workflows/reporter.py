"""What the run tells GitHub of itself. Never fails the run: what could not be told is an event."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception
from temporalio.workflow import ActivityCancellationType as Cancellation

from activities.reports import Reports
from vtid.domain.commands.reports import DeploymentNote, Report, Reported
from vtid.domain.failures import RunStopped
from vtid.domain.notice import notice_of
from vtid.domain.view import RunView
from workflows.course import Course
from workflows.perform import perform

A_MOMENT_SECONDS = 2.0


class Reporter:
    """One check run on the head and one comment, edited in place, whenever a person may look at the change."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._beside: asyncio.Task[None] | None = None

    async def report(self, *, deployment: DeploymentNote | None = None, notice: bool = True) -> None:
        """Tell how the run stands now, and how the deployment ended; a step that the run waits for."""
        command = self._command(self._course.story.view if notice else None, deployment)
        if command is not None:
            await self._course.announce(Reports.report, "GitHub to note how the run stands", "GitHub")
            await self._write(command)

    async def report_end(self, ending: RunView) -> None:
        """Tell how the run will have ended; its end is told to everybody else right after."""
        await self.leave_off()
        command = self._command(ending, None)
        if command is not None:
            await self._course.announce(Reports.report, "GitHub to note how the run ended", "GitHub")
            await self._write(command)

    def begin(self) -> None:
        """Tell how the run stands, beside what it waits for: a GitHub that is away holds no decision up."""
        command = self._command(self._course.story.view, None)
        if command is not None:
            self._beside = asyncio.create_task(self._write_and_record(command))

    async def leave_off(self) -> None:
        """End what was begun: it would be told after something newer. What is nearly told gets a moment for it."""
        beside = self._beside
        if beside is None:
            return
        _, unfinished = await workflow.wait([beside], timeout=A_MOMENT_SECONDS)
        if unfinished:
            beside.cancel()
            await workflow.wait([beside])
        self._beside = None
        error = None if beside.cancelled() else beside.exception()
        if error is not None and not is_cancelled_exception(error):
            raise error

    def _command(self, view: RunView | None, deployment: DeploymentNote | None) -> Report | None:
        """What there is to tell, or None: without a pull request there is no place to tell it."""
        evidence = self._course.evidence
        if evidence is None or (view is None and deployment is None):
            return None
        pull = evidence.pull_request
        notice = notice_of(view) if view is not None else None
        return Report(
            self._course.request.vtid, pull.repository, pull.number, pull.head_sha, notice, deployment
        )

    async def _write(self, command: Report, cancellation: Cancellation = Cancellation.TRY_CANCEL) -> None:
        limits, what = self._course.limits, "tell GitHub how the run stands"
        try:
            written = await perform(Reports.report, command, limits, summary=what, cancellation=cancellation)
        except RunStopped as stop:
            self._course.story.tell("report.failed", what="all", message=stop.message)
        else:
            self._tell(command, written)

    async def _write_and_record(self, command: Report) -> None:
        # What is on its way arrives before anything newer is said; only `leave_off` cancels this.
        await self._write(command, Cancellation.WAIT_CANCELLATION_COMPLETED)
        await self._course.story.write()

    def _tell(self, command: Report, written: Reported) -> None:
        story = self._course.story
        if written.deployment is not None and command.deployment is not None:
            state = "success" if command.deployment.proven else "failure"
            story.tell("deployment.reported", state=state, url=written.deployment)
        if command.notice is not None and (written.check or written.comment):
            story.tell(
                "report.written",
                conclusion=command.notice.conclusion,
                check=written.check.url if written.check else None,
                comment=written.comment,
                degraded=written.check.degraded if written.check else "",
            )
        for what, message in written.failed:
            story.tell("report.failed", what=what, message=message)
