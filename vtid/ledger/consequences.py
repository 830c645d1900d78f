"""What the events of a run mean for the rows beside it: its own, its orders, its dead letters.

All of it happens in the transaction that appends the events, so that no reader ever sees the one without the other.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from vtid.domain.events import RunEvent
from vtid.domain.view import RunView
from vtid.ledger.codec import view_to_json
from vtid.ledger.models import DeadLetter, Order, Run


def show(run: Run, view: RunView) -> None:
    """Keep the view, and the parts of it that lists search by."""
    run.view = view_to_json(view)
    run.status, run.stage = view.status, view.stage
    run.code = view.failure["code"] if view.failure else None


async def apply(session: AsyncSession, run: Run, event: RunEvent, view: RunView) -> None:
    """What one new event means; `view` is the run after it."""
    data = event.data
    match event.type:
        case "run.blocked":
            session.add(_dead_letter(run, event, view))
        case "run.resumed":
            await _resolve(session, run, data.get("move", "retry"), data.get("by") or event.actor, event.at)
        case "run.finished":
            how = data.get("note") or data.get("outcome", "finished")
            await leave_nothing_open(session, run, how, event.actor, event.at)
            run.state = "closed"
        case "work_order.claimed":
            await _claimed(session, event)
        case "work_order.withdrawn":
            await _end_orders(
                session, event.run_id, ("offered",), "withdrawn", data.get("reason"), data["order_id"]
            )
        case "attempt.ended":
            await _end_orders(session, event.run_id, ("claimed",), "ended", data.get("code"))
        case "evidence.observed":
            await _end_orders(session, event.run_id, ("claimed",), "ended", "evidence")


async def leave_nothing_open(session: AsyncSession, run: Run, how: str, by: str, at: datetime) -> None:
    """A run that is over has no order for a worker and no decision for a person."""
    if run.run_id is not None:
        await _end_orders(session, run.run_id, ("offered",), "withdrawn", "the run is over")
        await _end_orders(session, run.run_id, ("claimed",), "ended", "the run is over")
    await _resolve(session, run, how, by, at)


def _dead_letter(run: Run, event: RunEvent, view: RunView) -> DeadLetter:
    failure: dict[str, Any] = event.data["failure"]
    until = event.data.get("until")
    return DeadLetter(
        id=f"{event.run_id}:{event.seq}",
        start_id=run.start_id,
        vtid=event.vtid,
        run_id=event.run_id,
        stage=failure.get("stage") or event.stage or view.stage,
        code=failure["code"],
        outcome=failure.get("outcome", ""),
        message=failure.get("message", ""),
        failure=failure,
        since=event.at,
        until=datetime.fromisoformat(until) if until else None,
        state="open",
    )


async def _resolve(session: AsyncSession, run: Run, how: str, by: str, at: datetime) -> None:
    await session.flush()  # a letter of the same batch must be there to be resolved
    await session.execute(
        update(DeadLetter)
        .where(DeadLetter.start_id == run.start_id, DeadLetter.state == "open")
        .values(state="resolved", resolution=how, resolved_by=by, resolved_at=at)
    )


async def _claimed(session: AsyncSession, event: RunEvent) -> None:
    """The API may have written the same, with the lease's own times, before the event came."""
    order = await session.get(Order, event.data["order_id"], with_for_update=True)
    if order is None or order.state != "offered":
        return
    order.state, order.worker, order.attempt = "claimed", event.data["worker"], event.data["attempt"]
    order.mode = event.data.get("mode", "attended")
    order.claimed_at = order.last_beat_at = order.last_progress_at = event.at


async def _end_orders(
    session: AsyncSession,
    run_id: str,
    states: tuple[str, ...],
    state: str,
    reason: str | None,
    order_id: str = "",
) -> None:
    await session.flush()
    change = update(Order).where(Order.run_id == run_id, Order.state.in_(states))
    if order_id:
        change = change.where(Order.order_id == order_id)
    await session.execute(change.values(state=state, ended_reason=reason, marked_by=None, marked_until=None))
