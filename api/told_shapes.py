"""How the repair bench and the notifications look, for OpenAPI (see api/shapes.py)."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from api.shapes import Paged, Run, Shape, like
from vtid.domain import failures, side_effects
from vtid.domain.stages import Stage
from vtid.ledger.records import OutgoingTryRecord, SubscriptionRecord

# --- decisions


class DryRun(Shape):
    dry_run: Literal[True]
    vtid: str
    move: str
    effects: list[str]


Decision = Run | DryRun


class OfferedMove(Shape):
    move: str
    role: str
    params: list[str]
    effects: list[str] = Field(description="what it would do, as a dry run says")


class Inputs(Shape):
    """What the failed stage worked from."""

    spec_hash: str | None
    spec_version: int | None
    base: str | None
    services: list[str]
    priority: int | None
    started_by: str | None
    started_at: datetime | None
    worker: str | None
    attempt: int | None
    order_id: str | None
    evidence: dict[str, Any]
    verdict: dict[str, Any] | None
    merged: str | None
    proof: dict[str, Any] | None


@like(side_effects.SideEffect)
class SideEffect(Shape): ...


@like(failures.Cause)
class FailureCause(Shape): ...


class DeadLetter(Shape):
    id: str
    vtid: str
    run_id: str
    title: str
    environment: str | None
    repository: str | None
    state: Literal["open", "resolved"]
    stage: Stage
    step: str | None
    attempt: int | None
    code: str
    outcome: str
    retryable: bool
    message: str
    advice: str
    causes: list[FailureCause]
    failure: dict[str, Any]
    inputs: Inputs
    side_effects: list[SideEffect]
    since: datetime
    until: datetime | None
    age_seconds: float
    moves: list[OfferedMove]
    resolution: str | None
    resolved_by: str | None
    resolved_at: datetime | None
    links: dict[str, str]


class ShortProblem(Shape):
    code: str
    title: str
    status: int
    detail: str
    retryable: bool


class DecidedEntry(Shape):
    id: str
    vtid: str
    run_id: str
    code: str
    result: Literal["done", "would", "refused", "failed", "not_tried"]
    effects: list[str]
    problem: ShortProblem | None


class Decided(Shape):
    """What became of each entry, and how many are left for the next call."""

    dry_run: bool
    move: str
    code: str | None
    matched: int
    remaining: int
    done: int
    would: int
    refused: int
    failed: int
    not_tried: int
    items: list[DecidedEntry]


# --- notifications


@like(SubscriptionRecord)
class Subscription(Shape): ...


class NewSubscription(Subscription):
    secret: str = Field(description="signs every message; shown this once")


class ToldKind(Shape):
    kind: str
    says: str


class Subscriptions(Paged[Subscription]):
    kinds: list[ToldKind]
    pauses_seconds: list[float] = Field(description="after each try that failed")


class OutgoingDelivery(Shape):
    id: str = Field(description="the webhook-id, the same for every try")
    subscription_id: str
    subscription: str
    event_id: str
    kind: str
    vtid: str | None
    state: Literal["pending", "delivered", "failed", "cancelled"]
    tries: int
    next_at: datetime | None
    last_status: int | None
    last_error: str | None
    created_at: datetime
    ended_at: datetime | None


@like(OutgoingTryRecord)
class DeliveryTry(Shape): ...


class WholeDelivery(OutgoingDelivery):
    body: str
    attempts: list[DeliveryTry]
