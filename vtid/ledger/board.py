"""The board: tasks in four columns, by what people want to know of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from vtid.domain.task import TaskStatus
from vtid.ledger.database import Database
from vtid.ledger.models import Event, Run, Task
from vtid.ledger.records import CardRecord, Page
from vtid.ledger.rows import card_record
from vtid.ledger.task_lists import DEFAULT_SORT, TaskFilter, cards
from vtid.ledger.tasks import page_of_tasks

FEW = 300  # tasks that a statement can well name one by one


class Column(StrEnum):
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    NEEDS_YOU = "needs_you"
    DONE = "done"


COLUMN_OF: Mapping[TaskStatus, Column] = MappingProxyType(
    {
        TaskStatus.ALLOCATED: Column.SCHEDULED,
        TaskStatus.SCHEDULED: Column.SCHEDULED,
        TaskStatus.IN_PROGRESS: Column.IN_PROGRESS,
        TaskStatus.VALIDATING: Column.IN_PROGRESS,
        TaskStatus.BLOCKED: Column.NEEDS_YOU,
        TaskStatus.COMPLETED: Column.DONE,
        TaskStatus.REJECTED: Column.DONE,
        TaskStatus.CANCELLED: Column.DONE,
    }
)


def statuses_in(column: Column) -> tuple[TaskStatus, ...]:
    """The statuses that stand in a column."""
    return tuple(status for status, its in COLUMN_OF.items() if its is column)


@dataclass(frozen=True)
class BoardRecord:
    """The first page of each column; `counts` are of all tasks that the filter lets through, by status.

    position: the newest event of the log when the board was read; a stream goes on from there.
    """

    columns: dict[Column, Page[CardRecord]]
    counts: dict[TaskStatus, int]
    position: int


class Board:
    """Reading the board. One transaction, so its columns agree with each other."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, wanted: TaskFilter, *, sort: str = DEFAULT_SORT, limit: int = 50) -> BoardRecord:
        """The columns with their first cards. Statuses that the filter does not want stay empty."""
        async with self._database.read() as session:
            # First, so that on PostgreSQL nothing which comes meanwhile is missed by the stream.
            position = await session.scalar(select(func.max(Event.position))) or 0
            found = await _found(session, wanted)
            counts = await _counts(session, found)
            # A column with nothing in it is not read.
            filled = {COLUMN_OF[status] for status, count in counts.items() if count}
            columns = {
                each: await _column(session, found, each, sort, limit) if each in filled else Page([], None)
                for each in Column
            }
        return BoardRecord(columns, counts, position)

    async def cards(
        self, wanted: TaskFilter, *, sort: str = DEFAULT_SORT, limit: int = 50, cursor: str | None = None
    ) -> tuple[Page[CardRecord], int]:
        """A page of cards, and the log position at which it was read. Raises Refusal VALIDATION for the cursor."""
        async with self._database.read() as session:
            position = await session.scalar(select(func.max(Event.position))) or 0
            page = await page_of_tasks(session, cards(), wanted, sort, limit, cursor, card_record)
        return page, position


async def _found(session: AsyncSession, wanted: TaskFilter) -> TaskFilter:
    """The same tasks, by name when a word finds few: looking for it reads every task, so it is done once.

    A word that many have stays a word: it fills a column's page after a few rows of its index.
    """
    if not wanted.q:
        return wanted
    vtids = (await session.scalars(wanted.keys().limit(FEW + 1))).all()
    return wanted if len(vtids) > FEW else TaskFilter(vtids=tuple(vtids))


async def _counts(session: AsyncSession, wanted: TaskFilter) -> dict[TaskStatus, int]:
    query = select(Task.status, func.count()).select_from(Task).group_by(Task.status)
    if wanted.needs_run:
        query = query.join(Run, Run.start_id == Task.start_id)
    found = dict((await session.execute(query.where(*wanted.conditions()))).all())
    return {status: found.get(status, 0) for status in TaskStatus}


async def _column(
    session: AsyncSession, wanted: TaskFilter, column: Column, sort: str, limit: int
) -> Page[CardRecord]:
    asked = tuple(TaskStatus) if wanted.statuses is None else wanted.statuses
    statuses = tuple(each for each in statuses_in(column) if each in asked)
    return await page_of_tasks(
        session, cards(), replace(wanted, statuses=statuses), sort, limit, None, card_record
    )
