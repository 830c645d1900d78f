"""What the ledger hands out: frozen records, every time in UTC."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from vtid.domain.commands.run import RunRequest
from vtid.domain.commands.work_orders import OfferWorkOrder
from vtid.domain.side_effects import SideEffect
from vtid.domain.task import TaskStatus
from vtid.domain.view import RunView

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a list. `next_cursor` is None on the last one."""

    items: list[Item]
    next_cursor: str | None


@dataclass(frozen=True)
class SpecHead:
    """One version of a task's spec without its text. state: `draft`, `validated` or `approved`."""

    version: int
    hash: str
    state: str
    author: str


@dataclass(frozen=True)
class SpecRecord(SpecHead):
    """One version of a task's spec."""

    markdown: str
    created_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    reason: str | None  # why it was approved
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class ServingRecord:
    """What became of a proven deployment after its run: a value of vtid.domain.serving.Serving, and why."""

    state: str
    says: str
    since: datetime


@dataclass(frozen=True)
class RunRecord:
    """One run. state: `requested` (not yet known to be in Temporal), `open` or `closed`.

    engine: `ok`, `stuck`, `terminated` or `unreachable`. position: log position of its last event.
    request: the RunRequest as JSON; empty when the run was not asked for through the API.
    """

    vtid: str
    start_id: str
    run_id: str | None
    state: str
    view: RunView
    engine: str
    engine_checked_at: datetime | None
    position: int
    request: str
    requested_by: str
    created_at: datetime
    updated_at: datetime
    code: str | None
    environment: str | None
    repository: str | None
    serving: ServingRecord | None = None


@dataclass(frozen=True)
class CardRecord:
    """A task as a list shows it, with its current or last run. `version` counts edits of task and spec.

    position: log position of the newest event about the task that is in this record.
    """

    vtid: str
    title: str
    status: TaskStatus
    repository: str
    environment: str
    services: tuple[str, ...]
    priority: int
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    spec: SpecHead | None
    run: RunRecord | None
    position: int


@dataclass(frozen=True)
class TaskRecord(CardRecord):
    """A task with the whole of its current spec."""

    spec: SpecRecord | None


@dataclass(frozen=True)
class OrderRecord:
    """A work order. state: `offered`, `claimed`, `withdrawn` or `ended`."""

    order_id: str
    vtid: str
    run_id: str
    offer: int
    attempt: int
    state: str
    command: OfferWorkOrder
    worker: str | None
    mode: str | None
    claimed_at: datetime | None
    lease_opened_at: datetime | None
    last_beat_at: datetime | None
    last_progress_at: datetime | None
    progress: dict[str, Any] | None
    ended_reason: str | None
    created_at: datetime


@dataclass(frozen=True)
class UnreadClaim:
    """Evidence that a worker named while GitHub was out of reach."""

    id: int
    order_id: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class WorkerRecord:
    """A worker that was seen. `holding` is the order of its live lease, `vtid` that order's task."""

    worker_id: str
    first_seen: datetime
    last_seen: datetime
    holding: str | None
    vtid: str | None


@dataclass(frozen=True)
class DeadLetterRecord:
    """A blocked run's entry in the list.

    view, side_effects: the run as it stood when it was blocked, and what it had done to the world by then.
    request: what it was started with; None when it was not asked for through the API.
    """

    id: str
    vtid: str
    run_id: str
    stage: str
    code: str
    outcome: str
    message: str
    failure: dict[str, Any]
    since: datetime
    until: datetime | None
    state: str  # open or resolved
    resolution: str | None
    resolved_by: str | None
    resolved_at: datetime | None
    view: RunView
    side_effects: tuple[SideEffect, ...]
    request: RunRequest | None


@dataclass(frozen=True)
class SubscriptionRecord:
    """Somebody who wants to be told. state: `active`, `paused` (by a person) or `disabled` (by us; see reason).

    generation: which of its secrets is the present one; the one before it also signs for a day after rotated_at.
    """

    id: str
    name: str
    url: str
    format: str
    kinds: tuple[str, ...]
    environments: tuple[str, ...]
    state: str
    reason: str
    since: datetime
    generation: int
    fingerprint: str
    rotated_at: datetime
    created_by: str
    created_at: datetime


@dataclass(frozen=True)
class OutboxBacklog:
    """pending: deliveries that wait for a try. due_since: since when the oldest message has waited that nobody has on
    the way though it is its time, made or yet to be made; None: there is none.
    """

    pending: int
    due_since: datetime | None


@dataclass(frozen=True)
class OutgoingTryRecord:
    """One try; status None: no answer came, and error says why. `answer` is its beginning."""

    at: datetime
    milliseconds: int
    status: int | None
    error: str | None
    answer: str


@dataclass(frozen=True)
class OutgoingRecord:
    """One message to one subscription. state: `pending`, `delivered`, `failed` or `cancelled`.

    tries: of the schedule under way; `next_at`: when the next one is due. A resend begins the schedule again.
    """

    id: str
    subscription_id: str
    subscription: str
    event_id: str
    kind: str
    vtid: str | None
    body: str
    state: str
    tries: int
    next_at: datetime | None
    last_status: int | None
    last_error: str | None
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class DueDelivery:
    """A delivery whose next try is ours to make, with where it goes."""

    delivery: OutgoingRecord
    subscription: SubscriptionRecord


@dataclass(frozen=True)
class LoggedEvent:
    """An event as the log has it. Events outside a run have neither run_id nor seq."""

    position: int
    id: str
    run_id: str | None
    seq: int | None
    vtid: str | None
    type: str
    stage: str | None
    at: datetime
    actor: str
    data: dict[str, Any]


@dataclass(frozen=True)
class SwitchRecord:
    """The emergency stop, and who switched it last; `since` is None when nobody ever did."""

    armed: bool
    reason: str
    by: str
    since: datetime | None


@dataclass(frozen=True)
class KeyRecord:
    """An API key without its secret."""

    name: str
    role: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class StoredAnswer:
    """The answer that an idempotency key got the first time."""

    status: int
    body: str
    headers: dict[str, str]


@dataclass(frozen=True)
class AuditRecord:
    """Who did what, and to what."""

    id: int
    at: datetime
    who: str
    role: str
    verb: str
    target: str
    detail: dict[str, Any]
    request_id: str


@dataclass(frozen=True)
class DeliveryRecord:
    """A webhook. state: `received`, `done`, `ignored`, or `failed` (what it needs could not be asked)."""

    delivery_id: str
    event: str
    action: str | None
    repository: str | None
    received_at: datetime
    state: str
    tries: int
    says: str
    heard: dict[str, Any]
