"""Lists of tasks: what a reader asks for, in which order, and where the next page begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import load_only

from vtid.domain.task import TaskStatus
from vtid.ledger.models import Event, Run, Spec, Task
from vtid.ledger.paging import Ordering

DEFAULT_SORT = "-updated"

# A leading minus means: the largest first, as everywhere on the web.
SORTS: Mapping[str, Ordering] = MappingProxyType(
    {
        "-updated": Ordering("-updated", (Task.updated_at, Task.vtid), descending=True),
        "updated": Ordering("updated", (Task.updated_at, Task.vtid)),
        "-created": Ordering("-created", (Task.created_at, Task.vtid), descending=True),
        "created": Ordering("created", (Task.created_at, Task.vtid)),
        "priority": Ordering("priority", (Task.priority, Task.created_at, Task.vtid)),
        "-vtid": Ordering("-vtid", (Task.number, Task.vtid), descending=True),
        "vtid": Ordering("vtid", (Task.number, Task.vtid)),
    }
)


@dataclass(frozen=True, kw_only=True)
class TaskFilter:
    """Which tasks; None means any. `q` looks in VTID and title; stage and code are those of the last run."""

    statuses: tuple[TaskStatus, ...] | None = None
    q: str | None = None
    stage: str | None = None
    code: str | None = None
    environment: str | None = None
    repository: str | None = None
    priority: int | None = None
    vtids: tuple[str, ...] | None = None

    @property
    def needs_run(self) -> bool:
        return self.stage is not None or self.code is not None

    def keys(self) -> Select[str]:
        """The VTIDs of these tasks."""
        query = select(Task.vtid).where(*self.conditions())
        return query.join(Run, Run.start_id == Task.start_id) if self.needs_run else query

    def conditions(self) -> list[ColumnElement[bool]]:
        equal = (
            (Run.stage, self.stage),
            (Run.code, self.code),
            (Task.environment, self.environment),
            (Task.repository, self.repository),
            (Task.priority, self.priority),
        )
        wanted: list[ColumnElement[bool]] = [column == value for column, value in equal if value is not None]
        if self.vtids is not None:
            wanted.append(Task.vtid.in_(self.vtids))
        if self.statuses is not None:
            wanted.append(Task.status.in_(self.statuses))
        if self.q:
            in_title = Task.title.icontains(self.q, autoescape=True)
            wanted.append(or_(in_title, Task.vtid.icontains(self.q, autoescape=True)))
        return wanted


# The newest event of a task: every change of a task, of its spec and of its run is one.
POSITION = func.coalesce(
    select(func.max(Event.position)).where(Event.vtid == Task.vtid).scalar_subquery(), 0
).label("position")


def whole_tasks(*options: Any) -> Any:
    """(task, current spec, current or last run, position of its newest event)"""
    return (
        select(Task, Spec, Run, POSITION)
        .outerjoin(Spec, and_(Spec.vtid == Task.vtid, Spec.version == Task.spec_version))
        .outerjoin(Run, Run.start_id == Task.start_id)
        .options(*options)
    )


def cards() -> Any:
    """The same without the spec's text, which may be a megabyte."""
    return whole_tasks(load_only(Spec.version, Spec.hash, Spec.state, Spec.author))
