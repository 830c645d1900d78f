"""What waits for a person: read from the rows that events keep true, in one transaction, bounded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only

from vtid.domain.serving import NEEDS_A_PERSON
from vtid.domain.stages import Stage
from vtid.domain.task import SpecState, TaskStatus
from vtid.ledger.database import Database
from vtid.ledger.models import DeadLetter, Event, Run, Spec, Task
from vtid.ledger.records import RunRecord, SpecHead
from vtid.ledger.rows import run_record

Item = TypeVar("Item")
_NOT_RUNNING = (TaskStatus.ALLOCATED, TaskStatus.REJECTED, TaskStatus.CANCELLED)
_UNFINISHED = ("requested", "open")


@dataclass(frozen=True)
class Section(Generic[Item]):
    """One kind of need: how many there are, and the oldest of them."""

    count: int
    items: list[Item]


@dataclass(frozen=True)
class Approval:
    """A spec that nobody has approved yet, of a task that is not under way."""

    vtid: str
    title: str
    environment: str
    spec: SpecHead
    since: datetime


@dataclass(frozen=True)
class Blocked:
    """A run that is parked until a person decides. id: of its dead letter."""

    id: str
    vtid: str
    title: str
    stage: str
    code: str
    outcome: str
    message: str
    since: datetime
    until: datetime | None
    moves: tuple[str, ...]


@dataclass(frozen=True)
class Needs:
    """approvals to give, blocked runs, merges that policy leaves to a person, runs that Temporal fails on,
    and deployments that are not as they were proven.
    """

    approvals: Section[Approval]
    blocked: Section[Blocked]
    merges: Section[RunRecord]
    stuck: Section[RunRecord]
    serving: Section[RunRecord]
    position: int


class NeedsYou:
    """Reading what waits for a person."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, *, limit: int = 20) -> Needs:
        """Every section with its oldest entries."""
        async with self._database.read() as session:
            position = await session.scalar(select(func.max(Event.position))) or 0
            return Needs(
                approvals=await _section(session, _approvals(), Spec.created_at, limit, _approval),
                blocked=await _section(session, _blocked(), DeadLetter.since, limit, _of_letter),
                merges=await _section(session, _merges(), Run.updated_at, limit, run_record),
                stuck=await _section(session, _stuck(), Run.updated_at, limit, run_record),
                serving=await _section(session, _not_as_proven(), Run.serving_since, limit, run_record),
                position=position,
            )


async def _section(
    session: AsyncSession, query: Select[*tuple[Any, ...]], since: Any, limit: int, make: Any
) -> Section[Any]:
    counted = query.with_only_columns(func.count(), maintain_column_froms=True)
    count = await session.scalar(counted) or 0
    rows = (await session.execute(query.order_by(since).limit(limit))).all() if count else []
    return Section(count, [make(*row) for row in rows])


def _approvals() -> Select[Task, Spec]:
    current = and_(Spec.vtid == Task.vtid, Spec.version == Task.spec_version)
    return (
        select(Task, Spec)
        .join(Spec, current)
        .where(Task.status.in_(_NOT_RUNNING), Spec.state != SpecState.APPROVED)
        .options(load_only(Spec.version, Spec.hash, Spec.state, Spec.author, Spec.created_at))
    )


def _approval(task: Task, spec: Spec) -> Approval:
    head = SpecHead(spec.version, spec.hash, spec.state, spec.author)
    return Approval(task.vtid, task.title, task.environment, head, spec.created_at)


def _blocked() -> Select[DeadLetter, str]:
    return (
        select(DeadLetter, Task.title)
        .outerjoin(Task, Task.vtid == DeadLetter.vtid)
        .where(DeadLetter.state == "open")
    )


def _of_letter(letter: DeadLetter, title: str | None) -> Blocked:
    return Blocked(
        id=letter.id,
        vtid=letter.vtid,
        title=title or "",
        stage=letter.stage,
        code=letter.code,
        outcome=letter.outcome,
        message=letter.message,
        since=letter.since,
        until=letter.until,
        moves=tuple(letter.failure.get("moves", ())),
    )


def _merges() -> Select[Run]:
    waits = and_(Run.stage == Stage.DEPLOY, Run.status == TaskStatus.VALIDATING, Run.who == "approver")
    return select(Run).where(Run.state == "open", waits)


def _not_as_proven() -> Select[Run]:
    return select(Run).where(Run.serving.in_(NEEDS_A_PERSON))


def _stuck() -> Select[Run]:
    return select(Run).where(Run.state.in_(_UNFINISHED), Run.engine == "stuck")
