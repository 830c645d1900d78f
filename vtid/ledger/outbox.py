"""The outbox: what is to be told to whom, with every try. Each event gives one delivery per subscription, ever.

A message is made here from the log, so that no run ever waits for somebody outside and nothing is lost while
nobody sends: each subscription remembers up to which event its deliveries were made.
"""

import json
import secrets
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from vtid.domain.moment import moment
from vtid.domain.notifications import (
    KEPT_FOR,
    SOURCES,
    Answer,
    Format,
    Kind,
    Subject,
    Told,
    kind_of,
    message,
    pause_after,
    slack,
)
from vtid.ledger.codec import view_from_json
from vtid.ledger.database import Database, insert_into
from vtid.ledger.errors import Refusal, Unknown
from vtid.ledger.event_log import logged, tell
from vtid.ledger.models import Event, Outgoing, OutgoingTry, Run, Subscription
from vtid.ledger.paging import page_of, page_query
from vtid.ledger.records import (
    DueDelivery,
    LoggedEvent,
    OutboxBacklog,
    OutgoingRecord,
    OutgoingTryRecord,
    Page,
)
from vtid.ledger.rows import outgoing_record, outgoing_try_record, subscription_record
from vtid.ledger.subscriptions import disable

_AT_ONCE = 200  # events that one pass makes deliveries for
MAX_ERROR = 500
# The event up to which the slowest subscription has its deliveries.
_FARTHEST_BEHIND = select(func.min(Subscription.position)).where(Subscription.state == "active")


class Outbox:
    """Making, trying and reading deliveries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ---------------------------------------------------------------- making

    async def collect(self, page_url: str = "") -> int:
        """Make the deliveries that new events ask for, and tell how many. Several processes may do it at once."""
        if not await self._is_behind():
            return 0
        query = select(Subscription).where(Subscription.state == "active").order_by(Subscription.id)
        async with self._database.write() as session:
            rows = await session.scalars(query.with_for_update(skip_locked=True))
            return sum([await _collect_for(session, row, page_url) for row in rows.all()])

    async def _is_behind(self) -> bool:
        """Nearly always there is nothing to do; finding that out takes no lock."""
        async with self._database.read() as session:
            position = await session.scalar(_FARTHEST_BEHIND)
            if position is None:
                return False
            newer = select(Event.position).where(Event.position > position, Event.type.in_(SOURCES)).limit(1)
            return await session.scalar(newer) is not None

    async def test(self, subscription_id: str, *, by: str) -> OutgoingRecord:
        """A message that only says that it arrived. Raises Unknown, Refusal unless the subscription is active."""
        async with self._database.write() as session:
            subscription = await _active(session, subscription_id)
            body = {
                "type": Kind.TEST.value,
                "timestamp": moment(datetime.now(UTC)),
                "data": {"says": "a test message", "asked_for_by": by},
            }
            row = _delivery(subscription, f"test:{secrets.token_hex(8)}", Kind.TEST, None, body)
            await session.execute(insert_into(session, Outgoing.__table__).values(row))
            return outgoing_record(await session.get_one(Outgoing, row["id"]))

    # ---------------------------------------------------------------- trying

    async def take(self, limit: int, hold: timedelta, not_of: Collection[str] = ()) -> Sequence[DueDelivery]:
        """Deliveries whose try is due, ours to make within `hold`; after that somebody else may."""
        due = (
            select(Outgoing, Subscription)
            .join(Subscription, Subscription.id == Outgoing.subscription_id)
            .where(Outgoing.state == "pending", Outgoing.next_at <= datetime.now(UTC))
            .where(Subscription.state == "active", Subscription.id.not_in(not_of))
            .order_by(Outgoing.next_at)
            .limit(limit)
        )
        async with self._database.read() as session:
            if (await session.execute(due.limit(1))).first() is None:
                return []
        async with self._database.write() as session:
            rows = (await session.execute(due.with_for_update(skip_locked=True, of=Outgoing))).all()
            for delivery, _ in rows:
                delivery.next_at = datetime.now(UTC) + hold
            return [DueDelivery(outgoing_record(d), subscription_record(s)) for d, s in rows]

    async def tried(self, delivery_id: str, answer: Answer, *, spread: float = 0.0) -> OutgoingRecord | None:
        """Keep a try and what follows from it: the end, the next try, or giving up. None: it is gone meanwhile."""
        now = datetime.now(UTC)
        async with self._database.write() as session:
            row = await session.get(Outgoing, delivery_id, with_for_update=True)
            if row is None:
                return None
            session.add(_try_row(delivery_id, answer, now))
            row.last_status = answer.status
            row.last_error = answer.error[:MAX_ERROR] if answer.error else None
            if row.state != "pending":
                return outgoing_record(row)  # removed, or told by another try meanwhile
            row.tries += 1
            if answer.accepted:
                row.state, row.next_at, row.ended_at = "delivered", None, now
            else:
                await _failed(session, row, answer, spread, now)
            return outgoing_record(row)

    async def resend(self, delivery_id: str) -> OutgoingRecord:
        """Send the same message again, now, with a fresh schedule. Raises Unknown, Refusal."""
        async with self._database.write() as session:
            row = await session.get(Outgoing, delivery_id, with_for_update=True)
            if row is None:
                raise Unknown(f"delivery {delivery_id}")
            await _active(session, row.subscription_id)
            row.state, row.tries, row.next_at, row.ended_at = "pending", 0, datetime.now(UTC), None
            return outgoing_record(row)

    # ---------------------------------------------------------------- reading

    async def list(
        self,
        *,
        subscription: str | None = None,
        state: str | None = None,
        kind: str | None = None,
        vtid: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[OutgoingRecord]:
        """A page, newest first."""
        query = select(Outgoing)
        for column, value in (
            (Outgoing.subscription_id, subscription),
            (Outgoing.state, state),
            (Outgoing.kind, kind),
            (Outgoing.vtid, vtid),
        ):
            if value is not None:
                query = query.where(column == value)
        query = page_query(query, Outgoing.created_at, Outgoing.id, limit, cursor)
        async with self._database.read() as session:
            rows = (await session.scalars(query)).all()
        return page_of(rows, limit, lambda row: (row.created_at, row.id), outgoing_record)

    async def get(self, delivery_id: str) -> tuple[OutgoingRecord, Sequence[OutgoingTryRecord]]:
        """One with its tries, the first one first. Raises Unknown."""
        query = (
            select(OutgoingTry).where(OutgoingTry.delivery_id == delivery_id).order_by(OutgoingTry.id.desc())
        )
        async with self._database.read() as session:
            row = await session.get(Outgoing, delivery_id)
            if row is None:
                raise Unknown(f"delivery {delivery_id}")
            tries = (await session.scalars(query.limit(100))).all()
        return outgoing_record(row), [outgoing_try_record(each) for each in reversed(tries)]

    async def backlog(self) -> OutboxBacklog:
        """What active subscriptions have yet to be told."""
        waiting = (
            select(func.count(), func.min(Outgoing.next_at))
            .join(Subscription, Subscription.id == Outgoing.subscription_id)
            .where(Outgoing.state == "pending", Subscription.state == "active")
        )
        async with self._database.read() as session:
            pending, next_at = (await session.execute(waiting)).one()
            unmade = await session.scalar(
                select(Event.at)
                .where(Event.position > _FARTHEST_BEHIND.scalar_subquery(), Event.type.in_(SOURCES))
                .order_by(Event.position)
                .limit(1)
            )
        due = [at for at in (next_at, unmade) if at is not None and at <= datetime.now(UTC)]
        return OutboxBacklog(pending, min(due, default=None))

    async def prune(self) -> None:
        """Forget what ended long ago."""
        old = select(Outgoing.id).where(Outgoing.ended_at < datetime.now(UTC) - KEPT_FOR)
        async with self._database.write() as session:
            await session.execute(delete(OutgoingTry).where(OutgoingTry.delivery_id.in_(old)))
            await session.execute(delete(Outgoing).where(Outgoing.id.in_(old)))


async def _collect_for(session: AsyncSession, row: Subscription, page_url: str) -> int:
    query = (
        select(Event)
        .where(Event.position > row.position, Event.type.in_(SOURCES))
        .order_by(Event.position)
        .limit(_AT_ONCE)
    )
    events = [logged(each) for each in (await session.scalars(query)).all()]
    rows = [each for event in events if (each := await _asked_for(session, row, event, page_url))]
    if rows:
        insert = insert_into(session, Outgoing.__table__).on_conflict_do_nothing()
        await session.execute(insert, rows)
    if events:
        row.position = events[-1].position
    return len(rows)


async def _asked_for(
    session: AsyncSession, row: Subscription, event: LoggedEvent, page_url: str
) -> dict[str, Any] | None:
    """The delivery that this subscription wants of the event, if it does."""
    kind = kind_of(event.type, event.data)
    if kind is None or kind not in row.kinds:
        return None
    subject = await _subject(session, event)
    if row.environments and subject.environment not in row.environments:
        return None
    told = Told(event.type, event.at, event.vtid, event.position, event.data)
    return _delivery(row, event.id, kind, event.vtid, message(kind, told, subject, page_url))


async def _subject(session: AsyncSession, event: LoggedEvent) -> Subject:
    query = select(Run).where(Run.vtid == event.vtid).order_by(Run.created_at.desc()).limit(1)
    if event.run_id is not None:
        query = select(Run).where(Run.run_id == event.run_id)
    run = await session.scalar(query)
    if run is None:
        return Subject(run_id=event.run_id)
    view = view_from_json(run.view)
    return Subject(run.run_id, view.title, run.environment, run.repository, view.stage, view.links)


def _delivery(
    subscription: Subscription, event_id: str, kind: Kind, vtid: str | None, body: dict[str, Any]
) -> dict[str, Any]:
    now = datetime.now(UTC)
    shaped = slack(body) if subscription.format == Format.SLACK else body
    return {
        "id": f"msg_{secrets.token_hex(12)}",
        "subscription_id": subscription.id,
        "subscription": subscription.name,
        "event_id": event_id,
        "kind": kind.value,
        "vtid": vtid,
        "body": json.dumps(shaped, ensure_ascii=False, separators=(",", ":")),
        "state": "pending",
        "tries": 0,
        "next_at": now,
        "created_at": now,
    }


async def _active(session: AsyncSession, subscription_id: str) -> Subscription:
    row = await session.get(Subscription, subscription_id, with_for_update=True)
    if row is None:
        raise Unknown(f"subscription {subscription_id}")
    if row.state != "active":
        raise Refusal(
            "ILLEGAL_TRANSITION", f"{row.name} is {row.state}; enable it first",
            expected="active", actual=row.state,
        )  # fmt: skip
    return row


def _try_row(delivery_id: str, answer: Answer, at: datetime) -> OutgoingTry:
    return OutgoingTry(
        delivery_id=delivery_id,
        at=at,
        milliseconds=round(answer.seconds * 1000),
        status=answer.status,
        error=answer.error[:MAX_ERROR] if answer.error else None,
        answer=answer.excerpt.replace("\x00", "�"),  # PostgreSQL keeps no such character
    )


async def _failed(session: AsyncSession, row: Outgoing, answer: Answer, spread: float, now: datetime) -> None:
    """The next try, or giving up; a subscription that took nothing all the while is given up with it."""
    pause = None if answer.unwanted else pause_after(row.tries, answer, spread)
    if pause is not None:
        row.next_at = now + pause
        return
    row.state, row.next_at, row.ended_at = "failed", None, now
    reason = answer.error or f"answered {answer.status}"
    # Locked before the log is: an append waits for every other, and nobody may wait for us meanwhile.
    subscription = await session.get(Subscription, row.subscription_id, with_for_update=True)
    await session.flush()
    await tell(
        session, "notification.given_up", row.vtid, subscription=row.subscription_id,
        name=row.subscription, about=row.kind, delivery=row.id, reason=reason,
    )  # fmt: skip
    if subscription is None:
        return
    if answer.unwanted:
        await disable(session, subscription, "it answered 410 Gone: it wants nothing any more")
    elif not await _took_anything(session, row):
        await disable(session, subscription, f"every try failed since {moment(row.created_at)}: {reason}")


async def _took_anything(session: AsyncSession, row: Outgoing) -> bool:
    """Whether the subscription accepted any message since this one was made."""
    query = select(Outgoing.id).where(
        Outgoing.subscription_id == row.subscription_id,
        Outgoing.state == "delivered",
        Outgoing.ended_at >= row.created_at,
    )
    return await session.scalar(query.limit(1)) is not None
