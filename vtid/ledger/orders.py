"""Work orders: offered by runs, claimed by workers, and what workers said about them."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, distinct, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from vtid.domain.commands.work_orders import OfferWorkOrder, Progress, Workers
from vtid.ledger.codec import order_to_json
from vtid.ledger.database import Database, insert_into
from vtid.ledger.errors import Refusal, Unknown
from vtid.ledger.event_log import tell
from vtid.ledger.memory import Memory
from vtid.ledger.models import Claim, Order, Run, Worker
from vtid.ledger.records import OrderRecord, UnreadClaim
from vtid.ledger.rows import order_record

UNREAD = "GITHUB_UNAVAILABLE"  # the reason of a claim that GitHub could not be asked about yet
_NO_MARK = {"marked_by": None, "marked_until": None}


class Orders:
    """vtid.domain.ports.OrderBook over the ledger, and the workers' side of it."""

    def __init__(self, database: Database, memory: Memory) -> None:
        self._database = database
        self._memory = memory

    # --- told by runs

    async def offer(self, command: OfferWorkOrder) -> None:
        """Put the order up. A repeat changes nothing; an order of a run that is over is withdrawn at once."""
        async with self._database.write() as session:
            over = await session.scalar(
                select(Run.start_id).where(Run.run_id == command.run_id, Run.state == "closed")
            )
            row = {
                "order_id": command.order_id,
                "vtid": command.vtid,
                "run_id": command.run_id,
                "offer": command.offer,
                "attempt": command.attempt,
                "priority": command.priority,
                "state": "withdrawn" if over else "offered",
                "command": order_to_json(command),
                "created_at": datetime.now(UTC),
                "ended_reason": "the run is over" if over else None,
            }
            await session.execute(insert_into(session, Order.__table__).values(row).on_conflict_do_nothing())

    async def withdraw(self, order_id: str, reason: str) -> None:
        """Take an offered order back; a repeat, or an order that is claimed already, changes nothing."""
        await self._end(order_id, ("offered",), "withdrawn", reason)

    async def workers(self, seen_within_seconds: float) -> Workers:
        """Who was seen within the last seconds and is free, and who holds a lease (seen or not: it is live)."""
        since = datetime.now(UTC) - timedelta(seconds=seen_within_seconds)
        holders = select(Order.worker).where(Order.state == "claimed", Order.worker.is_not(None))
        free = select(func.count()).where(Worker.last_seen >= since, Worker.worker_id.not_in(holders))
        busy = select(func.count(distinct(Order.worker))).where(Order.state == "claimed")
        async with self._database.read() as session:
            return Workers(free=await session.scalar(free) or 0, busy=await session.scalar(busy) or 0)

    async def progress(self, order_id: str) -> Progress:
        """The clocks of the order's lease. Raises Unknown."""
        order = await self.get(order_id)
        return Progress(order.last_progress_at, order.last_beat_at)

    async def late_claims(self, run_id: str) -> Sequence[str]:
        """Addresses of pull requests that refused, late answers of this run named; newest first, each once."""
        query = select(Claim).where(
            Claim.run_id == run_id, Claim.kind == "evidence", Claim.accepted.is_(False)
        )
        async with self._database.read() as session:
            claims = (await session.scalars(query.order_by(Claim.id.desc()))).all()
        return list(dict.fromkeys(url for claim in claims if (url := claim.payload.get("pr_url"))))

    # --- told by workers, through the API

    async def claimable(
        self, *, vtid: str | None = None, limit: int = 20, offset: int = 0
    ) -> Sequence[OrderRecord]:
        """Orders that lie ready: offered and not marked. The smallest priority number first, then the oldest."""
        query = (
            select(Order)
            .where(Order.state == "offered", _unmarked(datetime.now(UTC)))
            .order_by(Order.priority, Order.created_at)
            .limit(limit)
            .offset(offset)
        )
        return await self._all(query if vtid is None else query.where(Order.vtid == vtid))

    async def mark(self, order_id: str, worker: str, ttl_seconds: float) -> bool:
        """Keep an offered order for one worker while its claim is asked. One wins; it may mark again."""
        now = datetime.now(UTC)
        change = (
            update(Order)
            .where(Order.order_id == order_id, Order.state == "offered")
            .where(or_(Order.marked_by == worker, _unmarked(now)))
            .values(marked_by=worker, marked_until=now + timedelta(seconds=ttl_seconds))
            .returning(Order.order_id)
        )
        async with self._database.write() as session:
            return (await session.execute(change)).first() is not None

    async def unmark(self, order_id: str, worker: str) -> None:
        """Give the mark back, if it is this worker's."""
        change = update(Order).where(Order.order_id == order_id, Order.marked_by == worker).values(_NO_MARK)
        async with self._database.write() as session:
            await session.execute(change)

    async def claimed(
        self, order_id: str, *, worker: str, attempt: int, mode: str, opened_at: datetime
    ) -> OrderRecord:
        """The run acknowledged this worker. A repeat, or an order that is over already, changes nothing.

        Raises Unknown, and Refusal ALREADY_CLAIMED when another worker holds it.
        """
        async with self._database.write() as session:
            order = await _locked(session, order_id)
            if order.state == "claimed" and order.worker != worker:
                raise Refusal(
                    "ALREADY_CLAIMED",
                    f"{order.worker} holds {order_id}",
                    expected=order.worker,
                    actual=worker,
                )
            if order.state == "offered":
                order.state, order.worker, order.attempt = "claimed", worker, attempt
                order.claimed_at = order.last_beat_at = order.last_progress_at = opened_at
            if order.state == "claimed":
                order.mode, order.lease_opened_at = mode, order.lease_opened_at or opened_at
                order.marked_by = order.marked_until = None
            return order_record(order)

    async def beat(self, order_id: str, *, progressed: bool, progress: dict[str, Any] | None = None) -> None:
        """The worker lives, and perhaps its work moves. Changes nothing once the lease is over. Raises Unknown."""
        now = datetime.now(UTC)
        async with self._database.write() as session:
            order = await _locked(session, order_id)
            if order.state != "claimed":
                return
            order.last_beat_at = now
            if progressed:
                order.last_progress_at = now
            if progress is not None:
                order.progress = progress

    async def ended(self, order_id: str, reason: str) -> None:
        """The order is over; a repeat changes nothing."""
        await self._end(order_id, ("offered", "claimed"), "ended", reason)

    async def get(self, order_id: str) -> OrderRecord:
        """The order. Raises Unknown."""
        async with self._database.read() as session:
            order = await session.get(Order, order_id)
        if order is None:
            raise Unknown(f"work order {order_id}")
        return order_record(order)

    async def held_by(self, worker: str, *, vtid: str | None = None) -> Sequence[OrderRecord]:
        """The live leases of a worker, newest first."""
        query = select(Order).where(Order.state == "claimed", Order.worker == worker)
        query = query if vtid is None else query.where(Order.vtid == vtid)
        return await self._all(query.order_by(Order.created_at.desc()))

    async def holder(self, vtid: str) -> OrderRecord | None:
        """The live lease of a task, if there is one."""
        return await self._memory.of(("holder", vtid), lambda: self._holder(vtid))

    async def _holder(self, vtid: str) -> OrderRecord | None:
        query = select(Order).where(Order.state == "claimed", Order.vtid == vtid)
        found = await self._all(query.order_by(Order.created_at.desc()).limit(1))
        return found[0] if found else None

    async def list(
        self, *, state: str | None = None, vtid: str | None = None, limit: int = 100
    ) -> Sequence[OrderRecord]:
        """Orders, newest first."""
        query = select(Order).order_by(Order.created_at.desc(), Order.order_id).limit(limit)
        if state is not None:
            query = query.where(Order.state == state)
        return await self._all(query if vtid is None else query.where(Order.vtid == vtid))

    async def keep_claim(
        self,
        *,
        order_id: str,
        vtid: str,
        run_id: str,
        attempt: int,
        worker: str,
        kind: str,
        payload: dict[str, Any],
        accepted: bool,
        reason: str | None = None,
    ) -> bool:
        """Keep what a worker said; gives whether it was accepted when it was said first. A repeat changes nothing.

        Refused evidence also becomes the event claim.late.
        """
        digest = _digest(payload)
        fields = {
            "order_id": order_id,
            "vtid": vtid,
            "run_id": run_id,
            "attempt": attempt,
            "worker": worker,
            "kind": kind,
            "payload": payload,
            "payload_hash": digest,
            "accepted": accepted,
            "reason": reason,
            "at": datetime.now(UTC),
        }
        async with self._database.write() as session:
            insert = insert_into(session, Claim.__table__).values(fields).on_conflict_do_nothing()
            new = (await session.execute(insert.returning(Claim.id))).first() is not None
            if new and kind == "evidence" and not accepted and reason != UNREAD:
                await tell(
                    session, "claim.late", vtid, by=worker, key=f"{order_id}:{attempt}:{worker}:{digest[:16]}",
                    order_id=order_id, attempt=attempt, worker=worker, pr_url=payload.get("pr_url"),
                )  # fmt: skip
            if new:
                return accepted
            first = select(Claim.accepted).where(
                Claim.order_id == order_id, Claim.attempt == attempt, Claim.worker == worker,
                Claim.kind == kind, Claim.payload_hash == digest,
            )  # fmt: skip
            return bool(await session.scalar(first))

    async def unread_evidence(self, order_id: str | None = None) -> Sequence[UnreadClaim]:
        """Claims that nobody could look up yet, oldest first; only of leases that still live."""
        query = (
            select(Claim)
            .join(Order, Order.order_id == Claim.order_id)
            .where(Claim.kind == "evidence", Claim.reason == UNREAD, Order.state == "claimed")
            .order_by(Claim.id)
        )
        if order_id is not None:
            query = query.where(Claim.order_id == order_id)
        async with self._database.read() as session:
            claims = (await session.scalars(query)).all()
        return [UnreadClaim(claim.id, claim.order_id, claim.payload) for claim in claims]

    async def refuse_unread(self, claim_id: int, reason: str) -> None:
        """What was unread has been looked up, and is no evidence; a repeat changes nothing."""
        change = update(Claim).where(Claim.id == claim_id, Claim.reason == UNREAD)
        async with self._database.write() as session:
            await session.execute(change.values(reason=reason))

    async def _end(self, order_id: str, states: tuple[str, ...], state: str, reason: str) -> None:
        change = update(Order).where(Order.order_id == order_id, Order.state.in_(states))
        async with self._database.write() as session:
            await session.execute(change.values(state=state, ended_reason=reason, **_NO_MARK))

    async def _all(self, query: Select[Order]) -> Sequence[OrderRecord]:
        async with self._database.read() as session:
            return [order_record(order) for order in (await session.scalars(query)).all()]


def _unmarked(now: datetime) -> Any:
    return or_(Order.marked_until.is_(None), Order.marked_until < now)


def _digest(payload: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


async def _locked(session: AsyncSession, order_id: str) -> Order:
    order = await session.get(Order, order_id, with_for_update=True)
    if order is None:
        raise Unknown(f"work order {order_id}")
    return order
