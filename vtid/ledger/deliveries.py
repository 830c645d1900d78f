"""Webhooks of the code host: each once by its delivery id, and what became of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from vtid.ledger.database import Database, insert_into
from vtid.ledger.event_log import tell
from vtid.ledger.models import Delivery
from vtid.ledger.paging import page_of, page_query
from vtid.ledger.records import DeliveryRecord, Page

KEPT_FOR = timedelta(days=14)  # GitHub offers to deliver again for three
_MOST_AT_ONCE = 100


class Deliveries:
    """The deliveries of the ledger. state: `received` (to be worked), `done`, `ignored` or `failed`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def receive(
        self,
        delivery_id: str,
        *,
        event: str,
        action: str | None,
        repository: str | None,
        state: str,
        says: str,
        heard: dict[str, Any],
    ) -> bool:
        """Keep it. False: this id came before, and nothing changes. What is old is forgotten meanwhile."""
        now = datetime.now(UTC)
        row = {
            "delivery_id": delivery_id,
            "event": event,
            "action": action,
            "repository": repository,
            "received_at": now,
            "state": state,
            "tries": 0,
            "says": says,
            "heard": heard,
        }
        async with self._database.write() as session:
            await session.execute(delete(Delivery).where(Delivery.received_at < now - KEPT_FOR))
            insert = insert_into(session, Delivery.__table__).values(row).on_conflict_do_nothing()
            return (await session.execute(insert.returning(Delivery.delivery_id))).first() is not None

    async def unworked(self) -> Sequence[DeliveryRecord]:
        """What is still to be worked, the least tried first, a hundred at a time."""
        query = (
            select(Delivery)
            .where(Delivery.state == "received")
            .order_by(Delivery.tries, Delivery.received_at)
        )
        async with self._database.read() as session:
            return [_record(row) for row in (await session.scalars(query.limit(_MOST_AT_ONCE))).all()]

    async def worked(self, delivery_id: str, state: str, says: str) -> None:
        """What became of it; `received` means that it is to be tried again."""
        async with self._database.write() as session:
            row = await session.get(Delivery, delivery_id, with_for_update=True)
            if row is not None:
                row.state, row.says, row.tries = state, says, row.tries + 1

    async def unattributed(self, *, change: str, data: dict[str, Any]) -> None:
        """Tell that a change belongs to no task; once for each change, whatever names it first."""
        async with self._database.write() as session:
            await tell(session, "change.unattributed", key=change, **data)

    async def list(
        self, *, state: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[DeliveryRecord]:
        """A page of them, newest first."""
        query = select(Delivery)
        if state is not None:
            query = query.where(Delivery.state == state)
        async with self._database.read() as session:
            query = page_query(query, Delivery.received_at, Delivery.delivery_id, limit, cursor)
            rows = (await session.scalars(query)).all()
        return page_of(rows, limit, lambda row: (row.received_at, row.delivery_id), _record)


def _record(row: Delivery) -> DeliveryRecord:
    return DeliveryRecord(
        delivery_id=row.delivery_id,
        event=row.event,
        action=row.action,
        repository=row.repository,
        received_at=row.received_at,
        state=row.state,
        tries=row.tries,
        says=row.says,
        heard=row.heard,
    )
