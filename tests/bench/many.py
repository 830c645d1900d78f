"""Ten thousand tasks in a ledger, written in bulk: what a board must stay quick with."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from tests.api.stage import SPEC
from vtid.domain.events import RunEvent
from vtid.domain.fold import fold
from vtid.domain.stages import Stage
from vtid.domain.task import TaskStatus, spec_hash
from vtid.domain.view import RunView
from vtid.ledger.codec import view_to_json
from vtid.ledger.database import Database
from vtid.ledger.models import Base, Event, Run, Spec, Task

# Nothing is under way: the reconciler would look for these runs in Temporal, and not find them.
STATUSES = (*["completed"] * 7, "rejected", "scheduled", "allocated")
_AT_ONCE = 2_000


async def fill(url: str, number: int) -> None:
    """So many tasks, each with its spec, its run and the run's events, in a migrated and empty ledger."""
    rows: dict[type[Base], list[dict[str, Any]]] = {Task: [], Spec: [], Run: [], Event: []}
    began = datetime.now(UTC) - timedelta(minutes=number)
    for n in range(1, number + 1):
        _add(rows, n, TaskStatus(STATUSES[n % len(STATUSES)]), began + timedelta(minutes=n))
    database = Database(url)
    try:
        for model, those in rows.items():
            for start in range(0, len(those), _AT_ONCE):
                async with database.write() as session:
                    await session.execute(insert(model), those[start : start + _AT_ONCE])
    finally:
        await database.close()


def _add(rows: dict[type[Base], list[dict[str, Any]]], n: int, status: TaskStatus, at: datetime) -> None:
    vtid, has_run = f"VTID-{n:05d}", status in (TaskStatus.COMPLETED, TaskStatus.REJECTED)
    shared = {"vtid": vtid, "created_at": at}
    rows[Task].append(
        shared
        | {
            "number": n,
            "title": f"Round prices of shop number {n}",
            "status": status,
            "repository": "acme/shop",
            "environment": "dev",
            "services": ["shop"],
            "priority": 1 + n % 5,
            "version": 2,
            "spec_version": 1,
            "start_id": f"start-{n}" if has_run else None,
            "created_by": "ann",
            "updated_at": at,
        }
    )
    state = "draft" if status is TaskStatus.ALLOCATED else "approved"
    rows[Spec].append(
        shared | {"version": 1, "hash": spec_hash(SPEC), "state": state, "markdown": SPEC, "author": "ann", "warnings": []}
    )  # fmt: skip
    if has_run:
        _add_run(rows, n, vtid, status, at)


def _add_run(
    rows: dict[type[Base], list[dict[str, Any]]], n: int, vtid: str, status: TaskStatus, at: datetime
) -> None:
    view, events = _course(vtid, f"run-{n}", status, at)
    rows[Run].append(
        {
            "start_id": f"start-{n}",
            "run_id": f"run-{n}",
            "vtid": vtid,
            "state": "closed",
            "status": status,
            "stage": view.stage,
            "code": view.failure["code"] if view.failure else None,
            "position": 0,
            "view": view_to_json(view),
            "engine": "ok",
            "environment": "dev",
            "repository": "acme/shop",
            "request": "{}",
            "requested_by": "ann",
            "created_at": at,
            "updated_at": at,
        }
    )
    rows[Event] += [
        {"run_id": e.run_id, "seq": e.seq, "vtid": vtid, "type": e.type, "stage": e.stage, "at": e.at, "actor": e.actor, "data": e.data}
        for e in events
    ]  # fmt: skip


def _course(vtid: str, run_id: str, status: TaskStatus, at: datetime) -> tuple[RunView, list[RunEvent]]:
    """What the run told, and how it stood at its end."""
    end: dict[str, Any] = {"status": status.value, "outcome": "success", "failure": None}
    if status is TaskStatus.REJECTED:
        end |= {
            "outcome": "failure",
            "failure": {"code": "CHECKS_FAILED", "message": "ci is red", "moves": []},
        }
    told: list[tuple[str, Stage, dict[str, Any]]] = [("run.started", Stage.PLANNER, {"title": vtid})]
    for stage in Stage:
        told += [("stage.started", stage, {}), ("stage.finished", stage, {"status": "success"})]
    view, events = RunView(vtid, run_id), []
    for seq, (kind, stage, data) in enumerate([*told, ("run.finished", Stage.DEPLOY, end)], start=1):
        events.append(RunEvent(run_id, seq, vtid, kind, at + timedelta(seconds=seq), stage, data=data))
        view = fold(view, events[-1])
    return view, events
