"""The API's only door to Temporal."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeVar

from temporalio.api.enums.v1 import TaskQueueType, VersioningBehavior, WorkerVersioningMode
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeWorkflowExecutionResponse
from temporalio.client import (
    AsyncActivityCancelledError,
    AsyncActivityHandle,
    Client,
    WorkflowExecutionDescription,
    WorkflowHandle,
)
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.bookkeeping import Bookkeeping
from api.engine import Beat, Execution, IdTaken, Pollers, RunOver, RunRef
from api.temporal_errors import bounded
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
from vtid.domain.commands.run import RunRequest
from vtid.domain.hints import Hint
from vtid.domain.serving import WatchRequest
from vtid.domain.task import TaskStatus
from vtid.domain.view import RunView
from vtid.domain.vtid import short_run
from vtid.ledger import LedgerUnavailable
from workflows.connection import TASK_QUEUE
from workflows.sentinel import Sentinel
from workflows.vtid_run import VtidRun

CALL_SECONDS = 8.0  # of one message to a run; a client of ours waits longer than that
BEAT_SECONDS = 3.0  # of one heartbeat: without an answer it is kept in the ledger alone
REFUSED_TRIES = 3  # of a write, before it is one that will not come to its end by itself
_WRITE = Bookkeeping.record_events.__name__
_START_ID = "start_id"

_STAGE = SearchAttributeKey.for_keyword("VtidStage")
_STATE = SearchAttributeKey.for_keyword("VtidState")
_ENVIRONMENT = SearchAttributeKey.for_keyword("VtidEnvironment")
_REPOSITORY = SearchAttributeKey.for_keyword("VtidRepository")


M = TypeVar("M")


class Runs:
    """Engine over Temporal."""

    def __init__(self, client: Client, *, task_queue: str = TASK_QUEUE, call_seconds: float = CALL_SECONDS):
        self._client = client
        self._task_queue = task_queue
        self._call_seconds = call_seconds

    @property
    def namespace(self) -> str:
        return self._client.namespace

    # --- start and look

    async def start(self, request: RunRequest) -> str:
        try:
            async with bounded(self._call_seconds):
                handle = await self._client.start_workflow(
                    VtidRun.run,
                    request,
                    id=request.vtid,
                    task_queue=self._task_queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                    memo={_START_ID: request.start_id},
                    search_attributes=_attributes(request),
                    static_summary=f"{request.vtid} · {request.title}"[:190],
                    static_details=_details(request),
                    priority=Priority(priority_key=request.priority),
                )
        except WorkflowAlreadyStartedError as error:
            return await self._started_before(request, error)
        return handle.first_execution_run_id or handle.result_run_id or ""

    async def _started_before(self, request: RunRequest, error: WorkflowAlreadyStartedError) -> str:
        """An earlier start of this very request may have lost only its answer."""
        there = await self.describe(request.vtid)
        if there is not None and there.start_id == request.start_id:
            return there.run_id
        state = f"is {there.status}" if there else "exists"
        raise IdTaken(f"another run of {request.vtid} {state} in Temporal") from error

    async def watch(self, request: WatchRequest) -> None:
        names = ", ".join(service.name for service in request.services)
        with suppress(WorkflowAlreadyStartedError):  # an earlier pass has begun it, and it did not fail
            async with bounded(self._call_seconds):
                await self._client.start_workflow(
                    Sentinel.run,
                    request,
                    id=f"{request.vtid}-sentinel-{short_run(request.run_id)}",
                    task_queue=self._task_queue,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                    static_summary=f"{request.vtid} · watches {names} after the proof"[:190],
                )

    async def describe(self, vtid: str, run_id: str | None = None) -> Execution | None:
        try:
            async with bounded(self._call_seconds):
                described = await self._client.get_workflow_handle(vtid, run_id=run_id).describe()
                start_id = await described.memo_value(_START_ID, default=None)
        except RunOver:
            return None
        return Execution(
            run_id=described.run_id,
            start_id=start_id,
            status=described.status.name.lower() if described.status else "unknown",
            closed_at=described.close_time,
            failing_tries=_failing_tries(described),
            refused_write=_refused_write(described.raw_description),
            build=_pinned_to(described.raw_description),
        )

    async def view(self, run: RunRef) -> RunView:
        async with bounded(self._call_seconds):
            return await self._handle(run).query(VtidRun.view)

    async def pollers(self) -> Pollers:
        question = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=self._task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        async with bounded(self._call_seconds):
            answer = await self._client.workflow_service.describe_task_queue(question)
        last: dict[str, datetime] = {}
        for poller in answer.pollers:
            told = poller.deployment_options
            is_versioned = (
                told.worker_versioning_mode == WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED
            )
            build = told.build_id if is_versioned else ""
            at = poller.last_access_time.ToDatetime(tzinfo=UTC)
            last[build] = max(at, last.get(build, at))
        return Pollers(answer.versioning_info.current_deployment_version.build_id, last)

    # --- messages to a run

    async def acknowledge(self, run: RunRef, command: Acknowledge) -> LeaseTerms:
        key = f"acknowledge-{_digest(asdict(command))}"
        async with bounded(self._call_seconds):
            return await self._handle(run).execute_update(VtidRun.acknowledge, command, id=key)

    async def submit_evidence(self, run: RunRef, command: SubmitEvidence) -> None:
        key = f"evidence-{_digest(asdict(command))}"
        async with bounded(self._call_seconds):
            await self._handle(run).execute_update(VtidRun.submit_evidence, command, id=key)

    async def report_failure(self, run: RunRef, command: ReportFailure) -> None:
        key = f"fail-{_digest(asdict(command))}"
        async with bounded(self._call_seconds):
            await self._handle(run).execute_update(VtidRun.report_failure, command, id=key)

    async def release_lease(self, run: RunRef, command: ReleaseLease) -> None:
        key = f"release-{_digest(asdict(command))}"
        async with bounded(self._call_seconds):
            await self._handle(run).execute_update(VtidRun.release_lease, command, id=key)

    async def rescue(self, run: RunRef, command: Rescue, *, blocked_since: str) -> None:
        key = f"rescue-{_digest(asdict(command) | {'blocked_since': blocked_since})}"
        async with bounded(self._call_seconds):
            await self._handle(run).execute_update(VtidRun.rescue, command, id=key)

    async def cancel(self, run: RunRef, command: CancelRun) -> None:
        handle = self._handle(run)
        async with bounded(self._call_seconds):
            await handle.execute_update(VtidRun.request_cancel, command, id=f"cancel-{run.run_id}")
            await handle.cancel()

    async def deployment_claimed(self, run: RunRef, claim: DeploymentClaimed) -> None:
        await self._signal(run, VtidRun.deployment_claimed, claim)

    async def switch_changed(self, run: RunRef, *, armed: bool) -> None:
        await self._signal(run, VtidRun.switch_changed, SwitchChanged(armed))

    async def look_now(self, run: RunRef, hint: Hint) -> None:
        await self._signal(run, VtidRun.look_now, hint)

    async def _signal(
        self, run: RunRef, signal: Callable[[VtidRun, M], Awaitable[None] | None], message: M
    ) -> None:
        """A word that changes nothing of a run that is over."""
        with suppress(RunOver):
            async with bounded(self._call_seconds):
                await self._handle(run).signal(signal, message)

    # --- the lease

    async def beat(self, run: RunRef, attempt: int) -> Beat:
        try:
            async with bounded(BEAT_SECONDS):
                await self._lease(run, attempt).heartbeat()
        except AsyncActivityCancelledError as told:
            # A paused or reset activity is an operator's business in Temporal; the work itself goes on.
            return Beat.STOP if told.details is None or told.details.cancel_requested else Beat.CONTINUE
        except RunOver:
            return Beat.GONE
        return Beat.CONTINUE

    async def confirm_stop(self, run: RunRef, attempt: int) -> bool:
        if await self.beat(run, attempt) is not Beat.STOP:
            return False
        try:
            async with bounded(self._call_seconds):
                await self._lease(run, attempt).report_cancellation()
        except RunOver:
            return True  # the lease ended between the two calls: the run does not wait for us any more
        return True

    # --- below

    def _handle(self, run: RunRef) -> WorkflowHandle[VtidRun, Any]:
        return self._client.get_workflow_handle_for(VtidRun.run, run.vtid, run_id=run.run_id)

    def _lease(self, run: RunRef, attempt: int) -> AsyncActivityHandle:
        return self._client.get_async_activity_handle(
            workflow_id=run.vtid, run_id=run.run_id, activity_id=f"lease-{attempt}"
        )


def _failing_tries(described: WorkflowExecutionDescription) -> int:
    raw = described.raw_description
    return raw.pending_workflow_task.attempt if raw.HasField("pending_workflow_task") else 0


def _pinned_to(raw: DescribeWorkflowExecutionResponse) -> str:
    """The build that alone may work the run; an override of an operator's comes before its own."""
    versioning = raw.workflow_execution_info.versioning_info
    if versioning.versioning_override.HasField("pinned"):
        return versioning.versioning_override.pinned.version.build_id
    is_pinned = versioning.behavior == VersioningBehavior.VERSIONING_BEHAVIOR_PINNED
    if not is_pinned or versioning.versioning_override.auto_upgrade:
        return ""
    return versioning.deployment_version.build_id


def _refused_write(raw: DescribeWorkflowExecutionResponse) -> str:
    """What is said to a write that has no deadline, so that nothing else would ever tell of it.

    A ledger that is only away says so with LedgerUnavailable: that write comes to its end by itself.
    """
    for step in raw.pending_activities:
        failure = step.last_failure
        passing = failure.application_failure_info.type == LedgerUnavailable.__name__
        if step.activity_type.name == _WRITE and step.attempt > REFUSED_TRIES and not passing:
            return f"{failure.application_failure_info.type}: {failure.message}"[:500]
    return ""


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _attributes(request: RunRequest) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(_STAGE, "PLANNER"),
            SearchAttributePair(_STATE, TaskStatus.SCHEDULED.value),
            SearchAttributePair(_ENVIRONMENT, request.environment.name),
            SearchAttributePair(_REPOSITORY, request.repository),
        ]
    )


def _details(request: RunRequest) -> str:
    lines = [
        f"**{request.title}**",
        f"- repository `{request.repository}`, base `{request.base}`, environment `{request.environment.name}`",
        f"- spec version {request.spec_version}, SHA-256 `{request.spec_hash}`",
        f"- started by {request.requested_by or 'unknown'}",
    ]
    if request.page_url:
        lines.append(f"- [the run's page]({request.page_url})")
    return "\n".join(lines)
