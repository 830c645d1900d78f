"""What workers and people say to a run under way: its updates and signals, and the query that shows it.

An update's validator says no before anything is written; whoever is concerned decides what the message means.
"""

from collections.abc import Callable
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from vtid.domain.commands.messages import (
    Acknowledge,
    CancelRun,
    DeploymentClaimed,
    LeaseTerms,
    ReleaseLease,
    ReportFailure,
    Rescue,
    SubmitEvidence,
    SwitchChanged,
)
from vtid.domain.hints import Hint, concerns
from vtid.domain.view import RunView, deployment_contradiction
from workflows.blocked import Blocked
from workflows.course import Course
from workflows.desk import Desk
from workflows.ending import Ending
from workflows.planner_stage import Switch


class Messages:
    """The part of `VtidRun` that hears."""

    def __init__(self, course: Course, switch: Switch, desk: Desk, blocked: Blocked, ending: Ending) -> None:
        self._course = course
        self._story = course.story
        self._switch = switch
        self._desk = desk
        self._blocked = blocked
        self._ending = ending

    @workflow.update
    def acknowledge(self, message: Acknowledge) -> LeaseTerms:
        return self._desk.acknowledge(message)

    @acknowledge.validator
    def _check_acknowledge(self, message: Acknowledge) -> None:
        self._desk.check_acknowledge(message)

    @workflow.update
    def submit_evidence(self, message: SubmitEvidence) -> None:
        self._desk.submit_evidence(message)

    @submit_evidence.validator
    def _check_evidence(self, message: SubmitEvidence) -> None:
        self._desk.check_evidence(message)

    @workflow.update
    def report_failure(self, message: ReportFailure) -> None:
        self._desk.report_failure(message)

    @report_failure.validator
    def _check_failure(self, message: ReportFailure) -> None:
        self._desk.check_failure(message)

    @workflow.update
    def release_lease(self, message: ReleaseLease) -> None:
        self._desk.release_lease(message)

    @release_lease.validator
    def _check_release(self, message: ReleaseLease) -> None:
        self._desk.check_release(message)

    @workflow.update
    def rescue(self, message: Rescue) -> None:
        self._blocked.decide(message)

    @rescue.validator
    def _check_rescue(self, message: Rescue) -> None:
        if self._ending.begun:
            raise ApplicationError("the run is ending", type="MOVE_NOT_OFFERED")
        self._blocked.check_decision(message)

    @workflow.update
    def request_cancel(self, message: CancelRun) -> None:
        self._ending.ask_to_cancel(message)

    @request_cancel.validator
    def _check_cancel(self, message: CancelRun) -> None:
        self._ending.check_cancel(message)

    @workflow.signal
    def switch_changed(self, message: SwitchChanged) -> None:
        self._switch.hint()

    @workflow.signal
    async def deployment_claimed(self, message: DeploymentClaimed) -> None:
        """What a worker says of the deployment stands beside what is known of it, and proves nothing."""
        told = deployment_contradiction(self._story.view, message.by, message.says)
        if told is not None:
            self._story.tell("evidence.contradicted", actor=f"worker:{message.by}", **told)
            await self._story.write()

    @workflow.signal
    def look_now(self, hint: Hint) -> None:
        """Something may have changed on the code host. The poll under way looks at once; nothing is believed."""
        if concerns(self._story.view, hint):
            self._course.hints.hear()

    @workflow.signal
    def work_acknowledged(self, message: Acknowledge) -> None:
        """`acknowledge` for bare Temporal clients; a refusal becomes an event, never silence."""
        self._heard("work_acknowledged", self._desk.check_acknowledge, self._desk.acknowledge, message)

    @workflow.signal
    def evidence_submitted(self, message: SubmitEvidence) -> None:
        """`submit_evidence` for bare Temporal clients; a refusal becomes an event, never silence."""
        self._heard("evidence_submitted", self._desk.check_evidence, self._desk.submit_evidence, message)

    def _heard(
        self, name: str, check: Callable[[Any], None], accept: Callable[[Any], Any], message: Any
    ) -> None:
        try:
            check(message)
        except ApplicationError as refusal:
            self._story.tell("message.refused", name=name, code=refusal.type, message=refusal.message)
        else:
            accept(message)

    @workflow.query
    def view(self) -> RunView:
        """The run as it stands, from the workflow itself."""
        return self._story.view
