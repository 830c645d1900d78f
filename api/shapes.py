"""How answers look, for OpenAPI: programs and the page's type check are made from these.

Nothing is validated against them at run time; a test holds real answers beside them. Where a record of ours is
shown whole its shape is taken from the record, so that the two cannot differ.
"""

from collections.abc import Callable
from dataclasses import fields
from datetime import date, datetime
from typing import Any, Generic, Literal, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from vtid.domain import drift, explanation, failures, group_checks, stages
from vtid.domain.task import TaskStatus
from vtid.domain.view import RunView, StageView
from vtid.ledger import needs, spec_versions
from vtid.ledger.board import Column
from vtid.ledger.records import LoggedEvent, ServingRecord, SpecHead, SpecRecord, SwitchRecord, TaskRecord

Item = TypeVar("Item")
S = TypeVar("S", bound="Shape")


class Shape(BaseModel):
    """A shape that is complete: nothing else stands in the answer."""

    model_config = ConfigDict(extra="forbid")


def like(record: type) -> Callable[[type[S]], type[S]]:
    """A shape of a record that is shown whole. What the shape says itself is added, or shown otherwise."""

    def complete(shape: type[S]) -> type[S]:
        hints = get_type_hints(record)
        members: dict[str, Any] = {each.name: (hints[each.name], ...) for each in fields(record)}
        members |= {name: (field.annotation, field) for name, field in shape.model_fields.items()}
        doc = shape.__doc__ or record.__doc__
        return create_model(
            shape.__name__, __base__=shape.__bases__, __doc__=doc, __module__=shape.__module__, **members
        )

    return complete


class Paged(Shape, Generic[Item]):
    items: list[Item]
    next_cursor: str | None = Field(description="ask again with it; null on the last page")


class PagedAt(Paged[Item], Generic[Item]):
    position: int = Field(description="where a live stream goes on from this answer")


# --- runs


@like(explanation.Explanation)
class Explanation(Shape): ...


@like(drift.DriftReport)
class DriftReport(Shape): ...


@like(group_checks.GroupChecks)
class GroupChecks(Shape): ...


class Waiting(Shape):
    for_: str = Field(alias="for")
    since: datetime | None
    until: datetime | None
    who: str | None = Field(description="who can move it")


class Move(Shape):
    move: str
    role: str
    params: list[str]


class Evidence(BaseModel):
    """What was claimed, beside what GitHub shows."""

    claimed: dict[str, Any] | None
    observed: dict[str, Any] | None


class Lease(Shape):
    """The clocks of a lease."""

    order_id: str
    worker: str | None
    attempt: int
    mode: str | None
    claimed_at: datetime | None
    last_beat_at: datetime | None
    last_beat_age_seconds: float | None
    last_progress_at: datetime | None
    last_progress_age_seconds: float | None
    progress: dict[str, Any] | None
    suspect: bool
    heartbeat_seconds: float
    suspect_after_seconds: float
    lost_seconds: float


@like(ServingRecord)
class Serving(Shape): ...


@like(failures.Failure)
class Failure(Shape): ...


@like(StageView)
class Stage(Shape):
    waiting: Waiting | None
    failure: Failure | None


@like(RunView)
class Run(Shape):
    waiting: Waiting | None
    stages: list[Stage]
    failure: Failure | None
    moves: list[Move]
    evidence: Evidence
    lease: Lease | None
    position: int
    as_of: datetime
    serving: Serving | None  # what became of its deployment after it
    fresh: bool  # asked from the run itself just now


# --- tasks


@like(SpecRecord)
class Spec(Shape): ...


@like(TaskRecord)
class Task(Shape):
    spec: Spec | None
    run: Run | None


class CheckedTask(Task):
    """The task after its spec was checked."""

    errors: list[str]
    warnings: list[str]


class SpecText(Shape):
    vtid: str
    title: str
    hash: str
    pinned: bool = Field(description="an open run works with exactly this text")
    markdown: str


@like(spec_versions.SpecVersion)
class SpecVersion(Shape): ...


class SpecVersionText(SpecVersion):
    """One version with its exact text."""

    markdown: str


# --- the board


class StageDot(Shape):
    stage: stages.Stage
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
    stage: stages.Stage
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


class Verdict(Shape):
    vtid: str
    run_id: str | None
    passed: bool
    head_sha: str
    rules: list[dict[str, Any]] = Field(description="rule, title, answer, reason, inputs, code, links")
    at: datetime
    links: dict[str, str]


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


# --- the rest


class Session(Shape):
    name: str
    role: Literal["viewer", "operator", "approver", "admin", "worker"]
    expires_at: datetime | None = Field(description="null for a key that does not expire")
    kind: Literal["session", "key"]


@like(SwitchRecord)
class System(Shape): ...


@like(LoggedEvent)
class Event(Shape): ...


class LimitRow(Shape):
    name: str
    lane: str
    one_try_seconds: float | None
    budget_seconds: float | None
    tries: int = Field(description="0: as many as the budget allows")
    heartbeat_seconds: float | None
    back_off_seconds: list[float]
    why: str


@like(failures.FailureCode)
class FailureRow(Shape):
    retryable: bool


@like(failures.ApiCode)
class ApiCodeRow(Shape): ...


class FailureCodes(Paged[FailureRow]):
    api: list[ApiCodeRow]


class RuleRow(Shape):
    id: str
    title: str
