"""What a worker gets: a claimed order with its lease, and the answers to its heartbeats."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from api.engine import Beat
from api.leases import Lease
from api.plain import plain
from vtid.domain.commands.work_orders import OfferWorkOrder
from vtid.domain.limits import HEARTBEAT_DUE
from vtid.ledger.records import OrderRecord


@dataclass(frozen=True)
class Grant:
    """A claimed order: all that a worker needs."""

    order: OrderRecord
    lease: Lease
    token: str
    spec: str
    environment: str


@dataclass(frozen=True)
class BeatAnswer:
    """What a worker is told at its heartbeat."""

    action: Beat
    expires_at: datetime
    reason: str | None = None


def lease_of(order: OrderRecord, attempt: int, worker: str, mode: str, opened_at: datetime) -> Lease:
    """The lease of a claimed order, which ends at the cap of its attempt at the latest."""
    ends_at = opened_at + timedelta(seconds=order.command.cap_seconds)
    return Lease(
        order_id=order.order_id,
        vtid=order.vtid,
        run_id=order.run_id,
        attempt=attempt,
        worker=worker,
        mode=mode,
        lost_seconds=order.command.lost_seconds,
        iat=int(opened_at.timestamp()),
        exp=int(ends_at.timestamp()),
    )


def held_lease(order: OrderRecord) -> Lease:
    """The lease of an order that was claimed, as the ledger knows it."""
    opened_at = order.lease_opened_at or order.claimed_at or order.created_at
    return lease_of(order, order.attempt, order.worker or "", order.mode or "attended", opened_at)


def held_until(order: OrderRecord) -> datetime:
    """When the lease is lost if nothing more is heard from its worker."""
    lease = held_lease(order)
    return lease.expires_at(order.last_beat_at or datetime.fromtimestamp(lease.iat, UTC))


def asked_for(command: OfferWorkOrder) -> dict[str, Any]:
    """What is wanted of the worker: build it, or mend what was found, on the pull request that is there."""
    repair = command.repair
    return {
        "kind": command.kind,
        "requires": list(command.requires),
        "round": repair.round if repair else None,
        "rounds": repair.rounds if repair else None,
        "pr_url": repair.pr_url if repair else None,
        "findings": plain(repair.findings) if repair else [],
    }


def deadlines(grant: Grant) -> dict[str, float]:
    """The clocks that the worker lives by, in seconds."""
    command = grant.order.command
    unattended = grant.lease.mode == "unattended"
    return {
        "heartbeat_seconds": min(command.heartbeat_seconds, HEARTBEAT_DUE.total_seconds()),
        "lost_seconds": command.lost_seconds,
        "progress_seconds": command.unattended_progress_seconds if unattended else command.progress_seconds,
        "cap_seconds": command.cap_seconds,
    }
