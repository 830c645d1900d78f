"""How the board, what waits for a person, and the statistics look, for OpenAPI (see api/shapes.py)."""

from datetime import date, datetime
from typing import Generic, Literal

from pydantic import Field

from api.shapes import Item, Serving, Shape, Waiting, like
from vtid.domain.stages import Stage
from vtid.domain.task import TaskStatus
from vtid.ledger import needs
from vtid.ledger.board import Column
from vtid.ledger.records import SpecHead, TaskRecord

# --- the board


class StageDot(Shape):
    stage: Stage
    status: str


class CardFailure(Shape):
    code: str
    outcome: str
    message: str = Field(description="at most 300 characters of it")
    advice: str
    since: datetime | None


class CardRun(Shape):
    run_id: str | None
    state: Literal["requested", "open", "closed"]
    status: TaskStatus
    outcome: str | None
    stage: Stage
    engine: str
    attempt: int | None
    worker: str | None
    waiting: Waiting | None
    stages: list[StageDot]
    failure: CardFailure | None
    moves: list[str]
    note: str | None
    started_at: datetime | None
    ended_at: datetime | None
    position: int
    serving: Serving | None = Field(description="what became of its deployment after it")


@like(SpecHead)
class CardSpec(Shape): ...


@like(TaskRecord)
class Card(Shape):
    column: Column
    spec: CardSpec | None
    run: CardRun | None


class BoardColumn(Shape):
    column: Column
    count: int = Field(description="of all tasks that match, on every page")
    items: list[Card]
    next_cursor: str | None = Field(description="for GET /tasks?shape=card&column=…&cursor=…")


class Board(Shape):
    """Always the four columns, in this order: scheduled, in_progress, needs_you, done."""

    columns: list[BoardColumn]
    counts: dict[TaskStatus, int]
    position: int = Field(description="where a live stream goes on from this answer")
    as_of: datetime


# --- what waits for a person


class Section(Shape, Generic[Item]):
    count: int
    items: list[Item] = Field(description="the oldest ones")


class ApprovalToGive(Shape):
    vtid: str
    title: str
    environment: str
    spec: CardSpec
    since: datetime
    you_may: bool
    why_not: str | None


class MergeToMake(Shape):
    vtid: str
    title: str
    waiting: Waiting | None
    pr: str | None


class SuspectWorker(Shape):
    vtid: str
    worker: str
    order_id: str
    attempt: int
    last_beat_at: datetime | None
    last_beat_age_seconds: float | None
    lost_seconds: float


class UnclaimedOrder(Shape):
    vtid: str
    order_id: str
    since: datetime


class StuckRun(Shape):
    vtid: str
    title: str
    engine: str
    since: datetime


class UnprovenDeployment(Shape):
    vtid: str
    title: str
    state: str = Field(description="`drifted` or `reverted`, after it had been proven")
    says: str
    since: datetime


@like(needs.Blocked)
class BlockedRun(Shape):
    says: str


class NeedsYou(Shape):
    total: int
    approvals: Section[ApprovalToGive]
    blocked: Section[BlockedRun]
    merges: Section[MergeToMake]
    suspects: Section[SuspectWorker]
    unclaimed: Section[UnclaimedOrder]
    serving: Section[UnprovenDeployment]
    stuck: Section[StuckRun]
    position: int
    as_of: datetime


# --- statistics


class StageTimes(Shape):
    stage: str = Field(description="a stage, or `run` for the whole of a completed run")
    count: int
    p50_seconds: float | None
    p95_seconds: float | None


class EndingCount(Shape):
    status: TaskStatus
    outcome: str
    code: str | None
    count: int


class DetectionTimes(Shape):
    name: str
    says: str
    count: int
    p50_seconds: float | None
    p95_seconds: float | None
    limit: str | None = Field(description="the limit that bounds it, by its name in GET /limits")
    limit_seconds: float | None


class DayCounts(Shape):
    day: date
    started: int
    blocked: int
    completed: int
    rejected: int
    cancelled: int


class Statistics(Shape):
    since: datetime
    until: datetime
    environment: str | None
    runs: int = Field(description="that ended")
    truncated: bool = Field(description="there was more than is read at once; the newest was taken")
    stages: list[StageTimes]
    outcomes: list[EndingCount]
    detection: list[DetectionTimes]
    days: list[DayCounts]
