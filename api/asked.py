"""Which tasks a list or a board is asked for."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, Query

from api.problems import Problem
from api.services import Text
from vtid.domain.failures import FAILURES
from vtid.domain.stages import Stage
from vtid.domain.task import TaskStatus
from vtid.ledger.board import Column, statuses_in
from vtid.ledger.task_lists import TaskFilter

Sort = Literal["-updated", "updated", "-created", "created", "priority", "-vtid", "vtid"]
Name = Annotated[Text | None, Query(max_length=200)]


@dataclass(frozen=True)
class TasksAsked:
    """The filter and the order, checked."""

    filter: TaskFilter
    sort: str


async def tasks_asked(
    status: Annotated[list[TaskStatus] | None, Query(description="may be repeated")] = None,
    column: Annotated[Column | None, Query(description="a column of the board")] = None,
    q: Annotated[Text | None, Query(max_length=200, description="in VTID or title")] = None,
    stage: Stage | None = None,
    code: Annotated[str | None, Query(description="failure code of the current run")] = None,
    environment: Name = None,
    repository: Name = None,
    priority: Annotated[int | None, Query(ge=1, le=5)] = None,
    sort: Annotated[Sort, Query(description="a leading minus: the largest first")] = "-updated",
) -> TasksAsked:
    """Raises Problem VALIDATION for a code that does not exist."""
    check_code(code)
    statuses = tuple(status) if status else None
    if column is not None:
        statuses = tuple(each for each in statuses_in(column) if statuses is None or each in statuses)
    return TasksAsked(
        TaskFilter(
            statuses=statuses, q=q, stage=stage, code=code, environment=environment, repository=repository,
            priority=priority,
        ),
        sort,
    )  # fmt: skip


Asked = Annotated[TasksAsked, Depends(tasks_asked)]


def check_code(code: str | None) -> None:
    """Raise Problem VALIDATION for a failure code that does not exist."""
    if code is not None and code not in FAILURES:
        raise Problem("VALIDATION", f"code: {code[:60]!r} is no failure code", expected=sorted(FAILURES))
