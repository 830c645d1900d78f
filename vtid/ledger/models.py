"""The tables. Migrations make them; a test holds that both agree.

events and audit are append-only by database trigger (migrations/versions). What a run may do to the other
tables is derived from its events, in the same transaction.
"""

import zlib
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_QUICK = 3  # compression level: most of the gain for a fraction of the time


class UtcTime(TypeDecorator[datetime]):
    """A moment. SQLite stores no zone, so we store UTC there and say so when we read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PackedText(TypeDecorator[str]):
    """A long text that is only ever read whole, compressed: a run's view and request shrink to a fifth."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else zlib.compress(value.encode(), _QUICK)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else zlib.decompress(value).decode()


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own form
        str: Text(),
        # SQLite counts by itself only in a column that is spelled INTEGER; it holds 64 bits all the same.
        int: BigInteger().with_variant(Integer(), "sqlite"),
        datetime: UtcTime(),
        dict[str, Any]: JSON(),
        dict[str, str]: JSON(),
        list[str]: JSON(),
    }


class Task(Base):
    __tablename__ = "tasks"
    __table_args__ = (Index(None, "updated_at", "vtid"), Index(None, "status", "updated_at", "vtid"))

    vtid: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(index=True)  # the VTID's digits, to allocate the next
    title: Mapped[str]
    status: Mapped[str]
    repository: Mapped[str]
    environment: Mapped[str]
    services: Mapped[list[str]]
    priority: Mapped[int]
    version: Mapped[int]
    spec_version: Mapped[int | None]  # the current one
    start_id: Mapped[str | None]  # the current or last run
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Spec(Base):
    __tablename__ = "specs"

    vtid: Mapped[str] = mapped_column(ForeignKey("tasks.vtid"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str]
    state: Mapped[str]
    markdown: Mapped[str]
    author: Mapped[str]
    warnings: Mapped[list[str]]
    created_at: Mapped[datetime]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    reason: Mapped[str | None]


class Run(Base):
    """vtid is no foreign key: a run started by a bare Temporal client may name a task that nobody created."""

    __tablename__ = "runs"
    __table_args__ = (Index(None, "vtid", "created_at"), Index(None, "created_at", "start_id"))

    start_id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str | None] = mapped_column(index=True)
    vtid: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    status: Mapped[str]  # these five repeat the view, to search by
    stage: Mapped[str]
    code: Mapped[str | None]
    who: Mapped[str | None]  # can move it on, while it waits
    position: Mapped[int]
    view: Mapped[str] = mapped_column(PackedText)
    engine: Mapped[str]
    engine_checked_at: Mapped[datetime | None]
    serving: Mapped[str | None] = mapped_column(
        index=True
    )  # what became of its deployment; null: not watched yet
    serving_says: Mapped[str | None]
    serving_since: Mapped[datetime | None]
    environment: Mapped[str | None]
    repository: Mapped[str | None]
    spec_hash: Mapped[str | None]
    status_before: Mapped[str | None]  # of the task, for a start that never happened
    request: Mapped[str] = mapped_column(PackedText)
    requested_by: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Event(Base):
    """id is null for events of a run: `RUN_ID:SEQ` says the same."""

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("run_id", "seq"),
        Index(None, "vtid", "position"),
        Index(None, "type", "at"),
    )

    position: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str | None] = mapped_column(unique=True)
    run_id: Mapped[str | None]
    seq: Mapped[int | None]
    vtid: Mapped[str | None]
    type: Mapped[str]
    stage: Mapped[str | None]
    at: Mapped[datetime]
    actor: Mapped[str]
    data: Mapped[dict[str, Any]]


class Order(Base):
    __tablename__ = "orders"
    __table_args__ = (
        Index(None, "state", "priority", "created_at"),
        Index(None, "run_id"),
        Index(None, "vtid", "created_at"),
    )

    order_id: Mapped[str] = mapped_column(primary_key=True)
    vtid: Mapped[str]
    run_id: Mapped[str]
    offer: Mapped[int]
    attempt: Mapped[int]
    priority: Mapped[int]
    state: Mapped[str]
    command: Mapped[str]
    marked_by: Mapped[str | None]
    marked_until: Mapped[datetime | None]
    worker: Mapped[str | None]
    mode: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    lease_opened_at: Mapped[datetime | None]
    last_beat_at: Mapped[datetime | None]
    last_progress_at: Mapped[datetime | None]
    progress: Mapped[dict[str, Any] | None]
    ended_reason: Mapped[str | None]
    created_at: Mapped[datetime]


class Claim(Base):
    """Everything that a worker said, believed or not."""

    __tablename__ = "claims"
    __table_args__ = (
        UniqueConstraint("order_id", "attempt", "worker", "kind", "payload_hash"),
        Index(None, "run_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[str]
    vtid: Mapped[str]
    run_id: Mapped[str]
    attempt: Mapped[int]
    worker: Mapped[str]
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    payload_hash: Mapped[str]
    accepted: Mapped[bool]
    reason: Mapped[str | None]
    at: Mapped[datetime]


class DeadLetter(Base):
    __tablename__ = "dead_letters"
    __table_args__ = (Index(None, "state", "since", "id"), Index(None, "vtid", "since"))

    id: Mapped[str] = mapped_column(primary_key=True)
    start_id: Mapped[str] = mapped_column(ForeignKey("runs.start_id"), index=True)
    vtid: Mapped[str]
    run_id: Mapped[str]
    stage: Mapped[str]
    code: Mapped[str]
    outcome: Mapped[str]
    message: Mapped[str]
    failure: Mapped[dict[str, Any]]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    state: Mapped[str]
    resolution: Mapped[str | None]
    resolved_by: Mapped[str | None]
    resolved_at: Mapped[datetime | None]


class Subscription(Base):
    """Somebody who wants to be told. Its secret is derived, and stands nowhere; the fingerprint tells which it is."""

    __tablename__ = "subscriptions"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    url: Mapped[str]
    format: Mapped[str]
    kinds: Mapped[list[str]]
    environments: Mapped[list[str]]  # empty: all
    state: Mapped[str]
    reason: Mapped[str]
    since: Mapped[datetime]
    position: Mapped[int]  # of the last event that deliveries were made for
    generation: Mapped[int]
    fingerprint: Mapped[str]
    rotated_at: Mapped[datetime]
    created_by: Mapped[str]
    created_at: Mapped[datetime]


class Outgoing(Base):
    """One message to one subscription; its id is the webhook-id. subscription_id is no foreign key: the log outlives it."""

    __tablename__ = "outgoing"
    __table_args__ = (
        UniqueConstraint("subscription_id", "event_id"),
        Index(None, "state", "next_at"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    subscription_id: Mapped[str]
    subscription: Mapped[str]  # its name then
    event_id: Mapped[str]
    kind: Mapped[str]
    vtid: Mapped[str | None]
    body: Mapped[str]
    state: Mapped[str]
    tries: Mapped[int]
    next_at: Mapped[datetime | None]
    last_status: Mapped[int | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class OutgoingTry(Base):
    __tablename__ = "outgoing_tries"

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(ForeignKey("outgoing.id"), index=True)
    at: Mapped[datetime]
    milliseconds: Mapped[int]
    status: Mapped[int | None]
    error: Mapped[str | None]
    answer: Mapped[str]


class Worker(Base):
    __tablename__ = "workers"

    worker_id: Mapped[str] = mapped_column(primary_key=True)
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime] = mapped_column(index=True)


class Switch(Base):
    """One row, id 1: the emergency stop."""

    __tablename__ = "switch"

    id: Mapped[int] = mapped_column(primary_key=True)
    armed: Mapped[bool]
    reason: Mapped[str]
    by: Mapped[str]
    since: Mapped[datetime | None]


class ApiKey(Base):
    __tablename__ = "api_keys"

    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    secret_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class IdempotencyKey(Base):
    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(primary_key=True)
    principal: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    begun_at: Mapped[datetime] = mapped_column(index=True)
    status: Mapped[int | None]  # null while the first call is under way
    body: Mapped[str | None]
    headers: Mapped[dict[str, str] | None]


class Delivery(Base):
    """A webhook of the code host: what it told, and what became of it."""

    __tablename__ = "deliveries"
    __table_args__ = (Index(None, "received_at", "delivery_id"), Index(None, "state", "received_at"))

    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    event: Mapped[str]
    action: Mapped[str | None]
    repository: Mapped[str | None]
    received_at: Mapped[datetime]
    state: Mapped[str]
    tries: Mapped[int]
    says: Mapped[str]
    heard: Mapped[dict[str, Any]]


class AuditEntry(Base):
    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    who: Mapped[str]
    role: Mapped[str]
    verb: Mapped[str]
    target: Mapped[str]
    detail: Mapped[dict[str, Any]]
    request_id: Mapped[str]
