"""How answers look, for OpenAPI: programs and the page's type check are made from these.

Nothing is validated against them at run time; a test holds real answers beside them. Where a record of ours is
shown whole its shape is taken from the record, so that the two cannot differ.
"""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from vtid.domain import drift, explanation, failures, group_checks
from vtid.domain.view import RunView, StageView
from vtid.ledger import spec_versions
from vtid.ledger.records import LoggedEvent, ServingRecord, SpecRecord, SwitchRecord, TaskRecord

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


class Verdict(Shape):
    vtid: str
    run_id: str | None
    passed: bool
    head_sha: str
    rules: list[dict[str, Any]] = Field(description="rule, title, answer, reason, inputs, code, links")
    at: datetime
    links: dict[str, str]


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
