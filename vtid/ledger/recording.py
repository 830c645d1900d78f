"""Recording the events of a run, and what they mean, in one transaction.

Every run writes about ten times, so this is the ledger's busiest place: plain statements that are built once, on one
connection, with one visit. Mapped objects would cost twice as much.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Connection, Table, bindparam, func, insert, select, update

from vtid.domain.commands.ledger import RecordEvents
from vtid.domain.events import RunEvent, tell_the_same
from vtid.domain.fold import fold
from vtid.domain.stages import Stage
from vtid.domain.task import TaskStatus, check_transition
from vtid.domain.view import RunView
from vtid.ledger import consequences, event_log
from vtid.ledger.codec import view_from_json
from vtid.ledger.models import Event, Run, Task

# Where a run may become a task's current one without having been asked for through the API.
_STARTABLE = (TaskStatus.SCHEDULED, TaskStatus.REJECTED, TaskStatus.CANCELLED)

_RUNS, _TASKS, _EVENTS = (cast(Table, each.__table__) for each in (Run, Task, Event))
_RUN = select(_RUNS).where(_RUNS.c.start_id == bindparam("start_id")).with_for_update()
_TASK = (
    select(_TASKS.c.vtid, _TASKS.c.status, _TASKS.c.start_id)
    .where(_TASKS.c.vtid == bindparam("vtid"))
    .with_for_update()
)
_LAST_SEQ = select(func.max(_EVENTS.c.seq)).where(_EVENTS.c.run_id == bindparam("run_id"))
_STORED = (
    select(_EVENTS)
    .where(_EVENTS.c.run_id == bindparam("run_id"), _EVENTS.c.seq >= bindparam("first"))
    .order_by(_EVENTS.c.seq)
)
_THE_RUN = update(_RUNS).where(_RUNS.c.start_id == bindparam("its_id"))
_AT = _THE_RUN.values(position=bindparam("position"))
_FOLLOWED = _THE_RUN.values(
    {
        name: bindparam(name)
        for name in (
            "position", "state", "view", "status", "stage", "code", "who",
            "environment", "repository", "spec_hash", "updated_at",
        )
    }
)  # fmt: skip
_OPENED = _THE_RUN.values(run_id=bindparam("run_id"), state="open")
_THE_TASK = update(_TASKS).where(_TASKS.c.vtid == bindparam("its_id"))
_TASK_STATUS = _THE_TASK.values(status=bindparam("status"), updated_at=bindparam("updated_at"))
_TASK_RUN = _THE_TASK.values(start_id=bindparam("start_id"))
_RUN_STATE = select(_RUNS.c.state).where(_RUNS.c.start_id == bindparam("start_id"))


@dataclass
class _Rows:
    """The rows of a run and its task, locked, in this order."""

    run: dict[str, Any]
    task: dict[str, Any] | None

    @property
    def is_the_tasks_run(self) -> bool:
        return self.task is not None and self.task["start_id"] == self.run["start_id"]


def record(connection: Connection, command: RecordEvents) -> tuple[RunEvent, ...]:
    """Store what is new and fold it; or, when the log has other events under these numbers, store nothing
    and give those, with all that follow them."""
    rows = _opened(connection, command)
    last = connection.execute(_LAST_SEQ, {"run_id": command.run_id}).scalar() or 0
    strays = _strays(connection, command, last)
    new = [event for event in command.events if event.seq > last]
    if strays or not new:
        return strays
    position = event_log.append_to_run(connection, new)
    its_id = {"its_id": rows.run["start_id"], "position": max(rows.run["position"], position)}
    if rows.run["state"] == "closed" or rows.run["run_id"] != command.run_id:
        connection.execute(_AT, its_id)  # kept, but nobody follows it
    else:
        connection.execute(_FOLLOWED, its_id | _folded(connection, rows, new))
    return ()


def _strays(connection: Connection, command: RecordEvents, last: int) -> tuple[RunEvent, ...]:
    """What a lost workflow task told under numbers that its repetition gives to other events."""
    known = [event for event in command.events if event.seq <= last]
    if not known:
        return ()
    asked = {"run_id": command.run_id, "first": known[0].seq}
    stored = [_event(row) for row in connection.execute(_STORED, asked)]
    same = 0
    while same < len(known) and tell_the_same(known[same], stored[same]):
        same += 1
    return () if same == len(known) else tuple(stored[same:])


def _event(row: Any) -> RunEvent:
    stage = Stage(row.stage) if row.stage else None
    return RunEvent(row.run_id, row.seq, row.vtid, row.type, row.at, stage, row.actor, row.data)


def _opened(connection: Connection, command: RecordEvents) -> _Rows:
    """The rows as they are from now on: a run that writes is open."""
    found = connection.execute(_RUN, {"start_id": command.start_id}).one_or_none()
    run = dict(found._mapping) if found is not None else _unannounced(connection, command)
    found = connection.execute(_TASK, {"vtid": command.vtid}).one_or_none()
    rows = _Rows(run, None if found is None else dict(found._mapping))
    if run["state"] != "closed" and (run["run_id"] is None or run["state"] == "requested"):
        run["run_id"], run["state"] = run["run_id"] or command.run_id, "open"
        connection.execute(_OPENED, {"its_id": run["start_id"], "run_id": run["run_id"]})
    if rows.task is not None and not rows.is_the_tasks_run and _may_take(connection, run, rows.task):
        rows.task["start_id"] = run["start_id"]
        connection.execute(_TASK_RUN, {"its_id": command.vtid, "start_id": run["start_id"]})
    return rows


def _may_take(connection: Connection, run: dict[str, Any], task: dict[str, Any]) -> bool:
    """Whether a run that the task does not know becomes its current one."""
    if run["state"] != "open" or task["status"] not in _STARTABLE:
        return False
    return connection.execute(_RUN_STATE, {"start_id": task["start_id"]}).scalar() in (None, "closed")


def _unannounced(connection: Connection, command: RecordEvents) -> dict[str, Any]:
    """A run that was started past the API, or whose API died before it wrote."""
    now = datetime.now(UTC)
    row = {
        "start_id": command.start_id,
        "run_id": None,
        "vtid": command.vtid,
        "state": "requested",
        "position": 0,
        "engine": "ok",
        "environment": None,
        "repository": None,
        "spec_hash": None,
        "request": "",
        "requested_by": "",
        "created_at": now,
        "updated_at": now,
    } | consequences.shown(RunView(vtid=command.vtid, run_id=None))
    connection.execute(insert(_RUNS), row)
    return row


def _folded(connection: Connection, rows: _Rows, events: list[RunEvent]) -> dict[str, Any]:
    """The columns of the run after these events; what they mean for other rows is done."""
    run, view = rows.run, view_from_json(rows.run["view"])
    status = rows.task["status"] if rows.task is not None and rows.is_the_tasks_run else None
    moved_at = None
    for event in events:
        view = fold(view, event)
        if status is not None and status != view.status:
            if event.type != "run.retold":  # which takes back what never was
                check_transition(TaskStatus(status), view.status)
            status, moved_at = view.status, event.at
        consequences.apply(connection, run["start_id"], event, view)
        if event.type == "run.finished":
            run["state"] = "closed"
    if moved_at is not None:
        connection.execute(_TASK_STATUS, {"its_id": run["vtid"], "status": status, "updated_at": moved_at})
    return consequences.shown(view) | {
        "state": run["state"],
        "environment": view.environment or run["environment"],
        "repository": view.repository or run["repository"],
        "spec_hash": view.spec_hash or run["spec_hash"],
        "updated_at": events[-1].at,
    }
