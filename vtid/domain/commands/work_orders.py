"""Offers, leases and workers, from a run's side."""

from dataclasses import dataclass
from datetime import datetime

from vtid.domain.commands.ledger import RecordEvents
from vtid.domain.repair import Repair


@dataclass(frozen=True)
class OfferWorkOrder:
    order_id: str
    vtid: str
    run_id: str
    offer: int
    attempt: int  # the attempt that a claim would open
    spec_hash: str
    repository: str
    base: str
    branch: str
    priority: int
    heartbeat_seconds: float
    lost_seconds: float
    progress_seconds: float
    unattended_progress_seconds: float
    cap_seconds: float
    note: str = ""  # why the attempt before this one ended, for the next worker
    repair: Repair | None = None  # what to mend, on which branch; None: build it
    requires: tuple[str, ...] = ()  # capabilities that its worker must have

    @property
    def kind(self) -> str:
        return "build" if self.repair is None else "repair"


@dataclass(frozen=True)
class Offer:
    """Put the order up, and record what was told until then: one step in place of two."""

    order: OfferWorkOrder
    told: RecordEvents


@dataclass(frozen=True)
class WithdrawOrder:
    order_id: str
    reason: str


@dataclass(frozen=True)
class ReadWorkers:
    seen_within_seconds: float


@dataclass(frozen=True)
class Workers:
    """Who is there: seen lately, and of them free or holding a lease."""

    free: int
    busy: int

    @property
    def present(self) -> int:
        return self.free + self.busy


@dataclass(frozen=True)
class ReadLateClaims:
    run_id: str


@dataclass(frozen=True)
class HoldLease:
    vtid: str
    order_id: str
    attempt: int
    worker: str


@dataclass(frozen=True)
class ReadProgress:
    order_id: str


@dataclass(frozen=True)
class Progress:
    last_progress_at: datetime | None
    last_beat_at: datetime | None
