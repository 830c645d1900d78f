"""Who wants to be told of what, and where."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from vtid.ledger.database import Database, insert_into
from vtid.ledger.errors import Refusal, Unknown
from vtid.ledger.event_log import tell
from vtid.ledger.models import Event, Outgoing, Subscription
from vtid.ledger.records import SubscriptionRecord
from vtid.ledger.rows import subscription_record


class Subscriptions:
    """Keeping subscriptions. Each may be named by its id or by its name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        subscription_id: str,
        *,
        name: str,
        url: str,
        format: str,
        kinds: Iterable[str],
        environments: Iterable[str],
        fingerprint: str,
        by: str,
    ) -> SubscriptionRecord:
        """Tell it of everything from now on. Raises Refusal when the name is taken."""
        now = datetime.now(UTC)
        async with self._database.write() as session:
            row = {
                "id": subscription_id, "name": name, "url": url, "format": format, "kinds": list(kinds),
                "environments": list(environments), "state": "active", "reason": "", "since": now,
                "position": await _last_position(session), "generation": 1, "fingerprint": fingerprint,
                "rotated_at": now, "created_by": by, "created_at": now,
            }  # fmt: skip
            insert = insert_into(session, Subscription.__table__).values(row).on_conflict_do_nothing()
            if (await session.execute(insert.returning(Subscription.id))).first() is None:
                raise _taken(name)
            return subscription_record(await session.get_one(Subscription, subscription_id))

    async def list(self) -> list[SubscriptionRecord]:
        """Every subscription by name."""
        async with self._database.read() as session:
            rows = await session.scalars(select(Subscription).order_by(Subscription.name))
            return [subscription_record(row) for row in rows.all()]

    async def get(self, id_or_name: str) -> SubscriptionRecord:
        """Raises Unknown."""
        async with self._database.read() as session:
            return subscription_record(await _find(session, id_or_name))

    async def change(self, id_or_name: str, **fields: Any) -> SubscriptionRecord:
        """Change name, url, format, kinds or environments. Raises Unknown, Refusal when the name is taken."""
        async with self._database.write() as session:
            row = await _find(session, id_or_name, lock=True)
            name = fields.get("name", row.name)
            taken = select(Subscription.id).where(Subscription.name == name, Subscription.id != row.id)
            if await session.scalar(taken) is not None:
                raise _taken(name)
            for field, value in fields.items():
                setattr(row, field, value)
            return subscription_record(row)

    async def rotate(self, id_or_name: str, generation: int, fingerprint: str) -> SubscriptionRecord:
        """Go on to this generation of its secret. Raises Unknown, and Refusal when somebody was quicker."""
        async with self._database.write() as session:
            row = await _find(session, id_or_name, lock=True)
            if row.generation != generation - 1:
                raise Refusal("ILLEGAL_TRANSITION", f"{row.name} got a new secret meanwhile; read it again")
            row.generation, row.fingerprint, row.rotated_at = generation, fingerprint, datetime.now(UTC)
            return subscription_record(row)

    async def pause(self, id_or_name: str, reason: str) -> SubscriptionRecord:
        """Tell it nothing until it is enabled. Raises Unknown."""
        return await self._set(id_or_name, "paused", reason)

    async def enable(self, id_or_name: str) -> SubscriptionRecord:
        """Tell it everything from now on, and what was still pending; no more. Raises Unknown."""
        return await self._set(id_or_name, "active", "")

    async def disable(self, subscription_id: str, reason: str) -> None:
        """We give up on it, which everybody sees. A repeat changes nothing. Raises Unknown."""
        async with self._database.write() as session:
            await disable(session, await _find(session, subscription_id, lock=True), reason)

    async def remove(self, id_or_name: str) -> SubscriptionRecord:
        """Forget it. What it was told stays in the log; what was pending is cancelled. Raises Unknown."""
        async with self._database.write() as session:
            row = await _find(session, id_or_name, lock=True)
            gone = {"state": "cancelled", "next_at": None, "ended_at": datetime.now(UTC)}
            pending = (Outgoing.subscription_id == row.id, Outgoing.state == "pending")
            await session.execute(update(Outgoing).where(*pending).values(gone))
            record = subscription_record(row)
            await session.delete(row)
            return record

    async def _set(self, id_or_name: str, state: str, reason: str) -> SubscriptionRecord:
        async with self._database.write() as session:
            row = await _find(session, id_or_name, lock=True)
            if row.state != state:
                row.state, row.reason, row.since = state, reason, datetime.now(UTC)
                row.position = await _last_position(session)
            return subscription_record(row)


async def disable(session: AsyncSession, row: Subscription, reason: str) -> None:
    """Within a transaction; only an active one can be given up on."""
    if row.state != "active":
        return
    row.state, row.reason, row.since = "disabled", reason, datetime.now(UTC)
    await session.flush()
    await tell(session, "notification.disabled", subscription=row.id, name=row.name, reason=reason)


async def _find(session: AsyncSession, id_or_name: str, *, lock: bool = False) -> Subscription:
    """An id begins with `sub_`, which no name does, so that none can hide another."""
    query = select(Subscription).where(or_(Subscription.id == id_or_name, Subscription.name == id_or_name))
    row = await session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise Unknown(f"subscription {id_or_name}")
    return row


async def _last_position(session: AsyncSession) -> int:
    return await session.scalar(select(func.max(Event.position))) or 0


def _taken(name: str) -> Refusal:
    return Refusal("ILLEGAL_TRANSITION", f"a subscription of the name {name!r} exists already", actual=name)
