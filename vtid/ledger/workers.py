"""Who is there: the workers that call us."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, select

from vtid.ledger.database import Database, insert_into
from vtid.ledger.event_log import tell
from vtid.ledger.models import Order, Worker
from vtid.ledger.records import WorkerRecord


class Workers:
    """The presence of workers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seen(self, worker_id: str) -> None:
        """The worker called just now; the first time is told as an event."""
        now = datetime.now(UTC)
        row = {"worker_id": worker_id, "first_seen": now, "last_seen": now}
        async with self._database.write() as session:
            insert = insert_into(session, Worker.__table__).values(row)
            upsert = insert.on_conflict_do_update(index_elements=["worker_id"], set_={"last_seen": now})
            first_seen = await session.scalar(upsert.returning(Worker.first_seen))
            if first_seen == now:
                await tell(session, "worker.seen", by=worker_id, key=worker_id, worker=worker_id)

    async def list(self, *, seen_within_seconds: float) -> list[WorkerRecord]:
        """Workers seen within the last seconds or holding a lease, the latest seen first."""
        since = datetime.now(UTC) - timedelta(seconds=seen_within_seconds)
        query = (
            select(Worker, Order.order_id, Order.vtid)
            .outerjoin(Order, and_(Order.worker == Worker.worker_id, Order.state == "claimed"))
            .where((Worker.last_seen >= since) | Order.order_id.is_not(None))
            .order_by(Worker.last_seen.desc(), Worker.worker_id)
        )
        async with self._database.read() as session:
            rows = (await session.execute(query)).all()
        return [
            WorkerRecord(worker.worker_id, worker.first_seen, worker.last_seen, order_id, vtid)
            for worker, order_id, vtid in rows
        ]
