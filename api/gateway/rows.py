"""Tasks and runs in the shapes that the old gateway had. Statuses stay ours: nothing is made up to fit."""

from datetime import UTC, datetime
from typing import Any

from api.grants import asked_for, held_until
from api.plain import plain
from vtid.domain.moment import moment
from vtid.domain.stages import Stage, StageStatus
from vtid.domain.task import CLOSED, TaskStatus
from vtid.domain.view import RunView, StageView
from vtid.ledger.records import LoggedEvent, OrderRecord, TaskRecord

_OUTCOMES = {
    TaskStatus.COMPLETED: "success",
    TaskStatus.REJECTED: "failed",
    TaskStatus.CANCELLED: "cancelled",
}
_COLUMNS = {TaskStatus.ALLOCATED: "SCHEDULED", TaskStatus.SCHEDULED: "SCHEDULED"} | dict.fromkeys(
    CLOSED, "COMPLETED"
)


def ending(task: TaskRecord) -> dict[str, Any]:
    """Where the task truly stands: terminal only when its run has ended it."""
    ended = task.run.view.ended_at if task.run is not None else None
    terminal = task.status in CLOSED
    return {
        "status": task.status.value,
        "is_terminal": terminal,
        "terminal_outcome": _OUTCOMES.get(task.status),
        "completed_at": plain(ended or task.updated_at) if terminal else None,
    }


def row(task: TaskRecord, holder: OrderRecord | None = None) -> dict[str, Any]:
    """One line of the ledger."""
    return {
        "vtid": task.vtid,
        "title": task.title,
        **ending(task),
        "layer": task.environment,
        "module": task.services[0] if task.services else None,
        "assigned_to": holder.worker if holder else None,
        "created_at": moment(task.created_at),
        "updated_at": moment(task.updated_at),
    }


def whole(task: TaskRecord, holder: OrderRecord | None, spec: str | None) -> dict[str, Any]:
    """The line with the spec, the lease and the four stages."""
    return row(task, holder) | {
        "summary": spec,
        "spec_content": spec,
        "spec_status": task.spec.state if task.spec else "missing",
        "spec_hash": task.spec.hash if task.spec else None,
        "run_id": task.run.run_id if task.run else None,
        "claimed_by": holder.worker if holder else None,
        "claim_started_at": plain(holder.claimed_at) if holder else None,
        "claim_expires_at": moment(held_until(holder)) if holder else None,
        "repository": task.repository,
        "environment": task.environment,
        "priority": task.priority,
        "stageTimeline": timeline(task),
    }


def pending(task: TaskRecord, order: OrderRecord | None, spec: str | None, spec_hash: str) -> dict[str, Any]:
    """A task as a polling worker gets it. order: what lies ready, or what this worker holds already."""
    holder = order if order is not None and order.state == "claimed" else None
    return whole(task, holder, spec) | {
        "spec_status": "approved",
        "spec_hash": spec_hash,
        "run_id": order.run_id if order else (task.run.run_id if task.run else None),
        "metadata": whereabouts(order) if order else {},
    }


def whereabouts(order: OrderRecord) -> dict[str, Any]:
    """What a worker needs in order to be found: repository, branch, markers."""
    command = order.command
    return {
        "order_id": order.order_id,
        "attempt": order.attempt,
        "repository": command.repository,
        "base": command.base,
        "branch": command.branch,
        "required_markers": [order.vtid],
        "note": command.note,
        **asked_for(command),
    }


def timeline(task: TaskRecord) -> list[dict[str, Any]]:
    """Always four entries."""
    view = task.run.view if task.run else RunView(task.vtid, None)
    return [_entry(each) for each in view.stages]


def _entry(stage: StageView) -> dict[str, Any]:
    at_fault = stage.status in (StageStatus.ERROR, StageStatus.BLOCKED)
    failed_at = stage.ended_at or (stage.failure or {}).get("since")
    times = {
        "startedAt": plain(stage.started_at),
        "completedAt": None if at_fault else plain(stage.ended_at),
        "errorAt": plain(failed_at) if at_fault else None,
    }
    given = {name: value for name, value in times.items() if value is not None}
    return {"stage": stage.stage.value, "status": stage.status.value} | given


def execution_status(task: TaskRecord, events: list[LoggedEvent]) -> dict[str, Any]:
    run = task.run
    view = run.view if run else RunView(task.vtid, None)
    until = view.ended_at or datetime.now(UTC)
    return {
        "vtid": task.vtid,
        "title": task.title,
        "status": task.status.value,
        "isActive": run is not None and run.state != "closed",
        "totalSteps": len(Stage),
        "currentStep": list(Stage).index(view.stage) + 1,
        "currentStepName": view.of(view.stage).step or view.stage.value,
        "currentStage": view.stage.value,
        "stageTimeline": timeline(task),
        "startedAt": plain(view.started_at),
        "elapsedMs": int((until - view.started_at).total_seconds() * 1000) if view.started_at else 0,
        "lastUpdated": moment(max(task.updated_at, run.updated_at) if run else task.updated_at),
        "recentEvents": [_event(each) for each in events],
    }


def _event(event: LoggedEvent) -> dict[str, Any]:
    said: dict[str, Any] = event.data
    return {
        "id": event.id,
        "type": event.type,
        "topic": said.get("topic") or event.type,
        "stage": event.stage,
        "actor": event.actor,
        "message": said.get("message") or event.type,
        "created_at": moment(event.at),
    }


def card(task: TaskRecord, holder: OrderRecord | None) -> dict[str, Any]:
    """A task on the board."""
    return row(task, holder) | {"column": _COLUMNS.get(task.status, "IN_PROGRESS")}
