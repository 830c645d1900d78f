"""How runs went: counted from the event log, within a span of time and a bound of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from vtid.domain.stages import Stage
from vtid.ledger.database import Database
from vtid.ledger.models import Event, Order, Run

MOST_ROWS = 20_000  # of one reading: about five thousand runs


@dataclass(frozen=True)
class Interval:
    """The time from the newest event of one type before another one to that one, within a run.

    within_stage: both are about the same stage. where: what the data of the ending event must say.
    """

    name: str
    begins: str
    ends: str
    within_stage: bool = False
    stage: Stage | None = None
    where: tuple[tuple[str, ...], str] | None = None


STAGES = Interval(
    "stage", "stage.started", "stage.finished", within_stage=True, where=(("status",), "success")
)
WHOLE_RUN = Interval("run", "run.started", "run.finished", where=(("status",), "completed"))
# From the moment a fault could be seen to the event that names it. `worker_lost` is read from the heartbeats.
DETECTIONS = (
    Interval("not_picked_up", "work_order.offered", "work_order.unclaimed"),
    Interval("claim_refuted", "evidence.claimed", "evidence.refused"),
    Interval("checks_red", "evidence.observed", "run.blocked", where=(("failure", "code"), "CHECKS_FAILED")),
    Interval("deploy_unproven", "change.merged", "run.blocked", stage=Stage.DEPLOY),
)
WORKER_LOST = "worker_lost"


@dataclass(frozen=True)
class Ending:
    """How many runs ended so. code: of the failure, None when there was none."""

    status: str
    outcome: str
    code: str | None
    count: int


@dataclass(frozen=True)
class StatisticsRecord:
    """seconds: by stage (`PLANNER`, …, `run` for the whole) and by detection. days: (day, what) → how many."""

    stages: dict[str, list[float]]
    detections: dict[str, list[float]]
    endings: list[Ending]
    days: dict[tuple[date, str], int]
    truncated: bool


class Statistics:
    """Reading how runs went."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, *, since: datetime, environment: str | None = None) -> StatisticsRecord:
        """Everything since a moment; of one environment, or of all."""
        async with self._database.read() as session:
            reading = _Reading(session, since, environment)
            stages: dict[str, list[float]] = {}
            for stage, seconds in await reading.intervals(STAGES):
                stages.setdefault(stage or "", []).append(seconds)
            stages["run"] = [seconds for _, seconds in await reading.intervals(WHOLE_RUN)]
            detections = {
                each.name: [seconds for _, seconds in await reading.intervals(each)] for each in DETECTIONS
            }
            detections[WORKER_LOST] = await reading.losses()
            endings, days = await reading.endings(), await reading.days()
        return StatisticsRecord(stages, detections, endings, days, reading.truncated)


class _Reading:
    """One reading: its span, its environment, and whether it met the bound."""

    def __init__(self, session: AsyncSession, since: datetime, environment: str | None) -> None:
        self._session = session
        self._since = since
        self._environment = environment
        self.truncated = False

    async def intervals(self, interval: Interval) -> list[tuple[str | None, float]]:
        """(stage, seconds) of each, the newest first."""
        first = aliased(Event)
        same = [first.run_id == Event.run_id, first.type == interval.begins, first.seq < Event.seq]
        if interval.within_stage:
            same.append(first.stage == Event.stage)
        began = select(first.at).where(and_(*same)).order_by(first.seq.desc()).limit(1).scalar_subquery()
        query = self._of(interval.ends, Event.stage, Event.at, began)
        if interval.stage is not None:
            query = query.where(Event.stage == interval.stage)
        if interval.where is not None:
            path, value = interval.where
            query = query.where(Event.data[path].as_string() == value)
        return [
            (stage, (ended - began).total_seconds())
            for stage, ended, began in await self._bounded(query)
            if began is not None
        ]

    async def losses(self) -> list[float]:
        """Seconds from the last heartbeat of a worker to the event that tells its loss."""
        query = self._of("attempt.ended", Event.at, Order.last_beat_at).where(
            Event.data["code"].as_string() == "WORKER_LOST",
            Order.run_id == Event.run_id,
            Order.attempt == Event.data["attempt"].as_integer(),
            Order.last_beat_at.is_not(None),
        )
        return [max(0.0, (at - beat).total_seconds()) for at, beat in await self._bounded(query)]

    async def endings(self) -> list[Ending]:
        """How runs ended, the most frequent first."""
        parts = [Event.data[path].as_string() for path in (("status",), ("outcome",), ("failure", "code"))]
        query = self._of("run.finished", *parts, func.count()).group_by(*parts)
        told = [Ending(*row) for row in await self._session.execute(query)]
        return sorted(told + await self._terminated(), key=lambda each: (-each.count, each.code or ""))

    async def _terminated(self) -> list[Ending]:
        """Runs that were ended inside Temporal told nothing themselves; the reconciler did."""
        query = (
            select(Run.status, Run.code, func.count())
            .join(Event, Event.id == literal("engine.terminated:").concat(Run.start_id))
            .where(Event.type == "engine.terminated", Event.at >= self._since)
            .group_by(Run.status, Run.code)
        )
        if self._environment is not None:
            query = query.where(Run.environment == self._environment)
        rows = await self._session.execute(query)
        return [
            Ending(status, "cancellation" if code == "CANCELLED" else "error", code, count)
            for status, code, count in rows
        ]

    async def days(self) -> dict[tuple[date, str], int]:
        """How many runs began, blocked and ended (by status) on each day of UTC."""
        day = _day(self._session)
        counted: dict[tuple[date, str], int] = {}
        for kind, what in (("run.started", "started"), ("run.blocked", "blocked")):
            query = self._of(kind, day, func.count()).group_by(day)
            for text, count in await self._session.execute(query):
                counted[date.fromisoformat(text), what] = count
        status = Event.data["status"].as_string()
        query = self._of("run.finished", day, status, func.count()).group_by(day, status)
        for text, ended, count in await self._session.execute(query):
            counted[date.fromisoformat(text), ended] = count
        return counted

    def _of(self, kind: str, *columns: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Select[Any]:
        """A query over the events of one type in the span, by the index of type and time."""
        query = select(*columns).where(Event.type == kind, Event.at >= self._since)
        if self._environment is not None:
            query = query.where(Run.run_id == Event.run_id, Run.environment == self._environment)
        return query

    async def _bounded(self, query: Select[Any]) -> Sequence[Any]:
        newest = query.order_by(Event.at.desc()).limit(MOST_ROWS + 1)
        rows: Sequence[Any] = (await self._session.execute(newest)).all()
        self.truncated = self.truncated or len(rows) > MOST_ROWS
        return rows[:MOST_ROWS]


def _day(session: AsyncSession) -> ColumnElement[str]:
    """The day of an event in UTC as `2026-11-25`."""
    if session.get_bind().dialect.name == "sqlite":
        return func.strftime("%Y-%m-%d", Event.at)
    return func.to_char(func.timezone(UTC.tzname(None), Event.at), "YYYY-MM-DD")
