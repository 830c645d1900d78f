"""How workers, their orders, the environments and what GitHub told look, for OpenAPI (see api/shapes.py)."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.shapes import Lease, Shape, like
from vtid.domain import environment, limits, migrations
from vtid.ledger.records import WorkerRecord


@like(WorkerRecord)
class Worker(Shape):
    state: Literal["free", "busy", "gone"]
    last_seen_age_seconds: float


class WorkOrder(Shape):
    order_id: str
    vtid: str
    run_id: str
    state: Literal["offered", "claimed", "withdrawn", "ended"]
    offer: int
    attempt: int
    repository: str
    base: str
    branch: str
    priority: int
    kind: str = Field(description="`build`, or `repair` of what was handed in")
    round: int | None = Field(description="of repairs; null for a build")
    requires: list[str] = Field(description="what its worker must be capable of")
    note: str
    created_at: datetime
    ended_reason: str | None
    lease: Lease | None = Field(description="while a worker holds it")


# --- environments, as environments.yaml declares them


@like(limits.Limit)
class Limit(Shape):
    one_try: float | None
    budget: float | None
    heartbeat: float | None
    back_off: list[float]


@like(environment.Service)
class Service(Shape): ...


@like(environment.Deploy)
class Deploy(Shape): ...


@like(environment.ChecksPolicy)
class ChecksPolicy(Shape): ...


@like(environment.Policy)
class Policy(Shape): ...


@like(migrations.Migrations)
class Migrations(Shape): ...


@like(environment.Environment)
class Environment(Shape):
    services: list[Service]
    deploy: Deploy
    checks: ChecksPolicy
    policy: Policy
    limits: dict[str, Limit]
    migrations: Migrations | None


# --- webhooks


class Delivery(Shape):
    """What GitHub told, and what became of it."""

    delivery_id: str
    event: str
    action: str | None
    repository: str | None
    received_at: datetime
    state: Literal["received", "done", "ignored", "failed"]
    tries: int
    says: str


class UnattributedChange(Shape):
    """A change that belongs to no task."""

    at: datetime
    position: int
    repository: str
    came_by: Literal["push", "merge"]
    branch: str
    commit: str | None
    pull_request: str | None
    title: str
    mentioned: list[str] = Field(description="every VTID that its words name")
    why: str


class UnattributedChanges(Shape):
    items: list[UnattributedChange]
    next_cursor: int | None = Field(description="ask again with it; null on the last page")
