"""What the events of a run mean for the rows beside it: its own, its orders, its dead letters.

All of it happens in the transaction that appends the events, so that no reader ever sees the one without the other.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, update

from vtid.domain.events import RunEvent
from vtid.domain.task import TaskStatus
from vtid.domain.view import RunView
from vtid.ledger.codec import view_to_json
from vtid.ledger.models import DeadLetter, Order, Run


def shown(view: RunView) -> dict[str, Any]:
    """The view, and the parts of it that lists search by, as columns of a run."""
    return {
        "view": view_to_json(view),
        "status": view.status,
        "stage": view.stage,
        "code": view.failure["code"] if view.failure else None,
        "who": view.waiting.get("who") if view.waiting else None,
    }


def show(run: Run, view: RunView) -> None:
    """Keep the view with its run."""
    for column, value in shown(view).items():
        setattr(run, column, value)


def apply(connection: Connection, start_id: str, event: RunEvent, view: RunView) -> None:
    """What one new event means; `view` is the run after it."""
    data = event.data
    match event.type:
        case "run.blocked":
            connection.execute(insert(DeadLetter), _dead_letter(start_id, event, view))
        case "run.resumed":
            how, by = data.get("move", "retry"), data.get("by") or event.actor
            _resolve(connection, start_id, how, by, event.at)
        case "run.retold":
            _take_back(connection, start_id, event, view)
        case "run.finished":
            how = data.get("note") or data.get("outcome", "finished")
            leave_nothing_open(connection, start_id, event.run_id, how, event.actor, event.at)
        case "work_order.claimed":
            _claimed(connection, event)
        case "work_order.withdrawn":
            _end_orders(
                connection, event.run_id, ("offered",), "withdrawn", data.get("reason"), data["order_id"]
            )
        case "attempt.ended":
            _end_orders(connection, event.run_id, ("claimed",), "ended", data.get("code"))
        case "evidence.observed":
            _end_orders(connection, event.run_id, ("claimed",), "ended", "evidence")


def leave_nothing_open(
    connection: Connection, start_id: str, run_id: str | None, how: str, by: str, at: datetime
) -> None:
    """A run that is over has no order for a worker and no decision for a person."""
    if run_id is not None:
        _end_orders(connection, run_id, ("offered",), "withdrawn", "the run is over")
        _end_orders(connection, run_id, ("claimed",), "ended", "the run is over")
    _resolve(connection, start_id, how, by, at)


def _take_back(connection: Connection, start_id: str, event: RunEvent, view: RunView) -> None:
    """A lost task told a block, or a winner, that never was: the rows follow the run."""
    if view.status is not TaskStatus.BLOCKED:
        _resolve(connection, start_id, "it was told by a task that was lost", event.actor, event.at)
    if view.worker is not None:
        holds = Order.order_id == view.order_id, Order.state == "claimed"
        connection.execute(update(Order).where(*holds).values(worker=view.worker, attempt=view.attempt))


def _dead_letter(start_id: str, event: RunEvent, view: RunView) -> dict[str, Any]:
    failure: dict[str, Any] = event.data["failure"]
    until = event.data.get("until")
    return {
        "id": f"{event.run_id}:{event.seq}",
        "start_id": start_id,
        "vtid": event.vtid,
        "run_id": event.run_id,
        "stage": failure.get("stage") or event.stage or view.stage,
        "code": failure["code"],
        "outcome": failure.get("outcome", ""),
        "message": failure.get("message", ""),
        "failure": failure,
        "since": event.at,
        "until": datetime.fromisoformat(until) if until else None,
        "state": "open",
    }


def _resolve(connection: Connection, start_id: str, how: str, by: str, at: datetime) -> None:
    connection.execute(
        update(DeadLetter)
        .where(DeadLetter.start_id == start_id, DeadLetter.state == "open")
        .values(state="resolved", resolution=how, resolved_by=by, resolved_at=at)
    )


def _claimed(connection: Connection, event: RunEvent) -> None:
    """The API may have written the same, with the lease's own times, before the event came."""
    data, at = event.data, event.at
    connection.execute(
        update(Order)
        .where(Order.order_id == data["order_id"], Order.state == "offered")
        .values(
            state="claimed", worker=data["worker"], attempt=data["attempt"], mode=data.get("mode", "attended"),
            claimed_at=at, last_beat_at=at, last_progress_at=at,
        )
    )  # fmt: skip


def _end_orders(
    connection: Connection,
    run_id: str,
    states: tuple[str, ...],
    state: str,
    reason: str | None,
    order_id: str = "",
) -> None:
    change = update(Order).where(Order.run_id == run_id, Order.state.in_(states))
    if order_id:
        change = change.where(Order.order_id == order_id)
    connection.execute(change.values(state=state, ended_reason=reason, marked_by=None, marked_until=None))
