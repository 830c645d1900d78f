"""Tasks: their fields and the list of them. Their specs are in specs.py."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from vtid.domain.task import SpecFindings, TaskStatus
from vtid.domain.vtid import canonical_vtid, digits_of
from vtid.ledger import specs
from vtid.ledger.database import Database, insert_into
from vtid.ledger.errors import Refusal, Stale, Unknown
from vtid.ledger.event_log import tell
from vtid.ledger.models import Run, Spec, Task
from vtid.ledger.paging import Item, bounded
from vtid.ledger.records import Page, TaskRecord
from vtid.ledger.rows import task_record
from vtid.ledger.task_lists import DEFAULT_SORT, POSITION, SORTS, TaskFilter, whole_tasks

EDITABLE = ("title", "services", "priority", "environment", "repository")
_TARGET = {"environment", "repository"}  # what a run under way has pinned
_FIRST_NUMBER = 1
EVERY_TASK = TaskFilter()
_MOST_DIGITS = 18  # what a database holds in 64 bits


class Tasks:
    """The tasks of the ledger. A version counts the edits of a task and of its spec."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        *,
        vtid: str | None,
        title: str,
        repository: str,
        environment: str,
        services: tuple[str, ...],
        priority: int,
        created_by: str,
        markdown: str | None = None,
    ) -> TaskRecord:
        """Create a task, with its first spec if there is one. Without a VTID the next free one is taken.

        Raises Refusal ILLEGAL_TRANSITION when a task of this VTID exists.
        """
        async with self._database.write() as session:
            now = datetime.now(UTC)
            fields = {
                "title": title,
                "status": TaskStatus.ALLOCATED,
                "repository": repository,
                "environment": environment,
                "services": list(services),
                "priority": priority,
                "version": 1,
                "created_by": created_by,
                "created_at": now,
                "updated_at": now,
            }
            row = await session.get(Task, await _insert(session, vtid, fields), populate_existing=True)
            assert row is not None  # inserted right above
            await tell(
                session, "task.created", row.vtid, by=created_by, title=title,
                repository=repository, environment=environment,
            )  # fmt: skip
            if markdown is not None:
                await specs.put(session, row, markdown, created_by)
            return await _record(session, row)

    async def get(self, vtid: str) -> TaskRecord:
        """The task with its current spec and its current or last run. Raises Unknown."""
        async with self._database.read() as session:
            found = (await session.execute(whole_tasks().where(Task.vtid == vtid))).one_or_none()
        if found is None:
            raise Unknown(f"task {vtid}")
        return task_record(*found)

    async def spec_text(self, vtid: str, hash: str) -> str:
        """The text of this hash, also when a newer version has come since. Raises Unknown."""
        text = select(Spec.markdown).where(Spec.vtid == vtid, Spec.hash == hash).limit(1)
        async with self._database.read() as session:
            markdown = await session.scalar(text)
        if markdown is None:
            raise Unknown(f"spec {hash[:12]} of {vtid}")
        return markdown

    async def list(
        self,
        wanted: TaskFilter = EVERY_TASK,
        *,
        sort: str = DEFAULT_SORT,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[TaskRecord]:
        """A page in this order. Raises Refusal VALIDATION for a cursor of another order."""
        async with self._database.read() as session:
            return await page_of_tasks(session, whole_tasks(), wanted, sort, limit, cursor, task_record)

    async def change(
        self, vtid: str, *, expected_version: int | None, changes: Mapping[str, Any], by: str
    ) -> TaskRecord:
        """Change title, services, priority, environment or repository; nothing new changes nothing.

        Raises Unknown, Stale when the version is another one, and Refusal ILLEGAL_TRANSITION for
        environment or repository while a run is open.
        """
        unknown = set(changes) - set(EDITABLE)
        if unknown:
            raise Refusal(
                "VALIDATION", f"cannot change {', '.join(sorted(unknown))}", expected=list(EDITABLE)
            )
        async with self._database.write() as session:
            row = await locked(session, vtid, expected_version)
            wanted = {name: list(v) if name == "services" else v for name, v in changes.items()}
            changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
            run = await open_run(session, row)
            if run is not None and _TARGET & set(changed):
                raise Refusal(
                    "ILLEGAL_TRANSITION",
                    f"environment and repository of {vtid} cannot change while its run is open",
                    run_id=run.run_id,
                )
            if changed:
                for name, value in changed.items():
                    setattr(row, name, value)
                touch(row)
                await tell(session, "task.changed", vtid, by=by, changed=changed)
            return await _record(session, row)

    async def put_spec(
        self, vtid: str, markdown: str, *, by: str, expected_version: int | None = None
    ) -> TaskRecord:
        """A new version of the spec; the text that it has already changes nothing.

        An approval is void then, and a scheduled task is `allocated` again; while a run is open the status
        stays, and the run's own gates see the new hash. Raises Unknown, Stale, Refusal TASK_COMPLETED.
        """
        async with self._database.write() as session:
            row = await locked(session, vtid, expected_version)
            run_is_open = await open_run(session, row) is not None
            await specs.put(session, row, markdown, by, run_is_open=run_is_open)
            return await _record(session, row)

    async def validate_spec(self, vtid: str, *, by: str) -> tuple[TaskRecord, SpecFindings]:
        """Check the current spec: a draft without errors becomes `validated`.

        Raises Unknown, Refusal SPEC_MISSING, and Refusal VALIDATION with the errors in `actual`.
        """
        async with self._database.write() as session:
            row = await locked(session, vtid, None)
            findings = await specs.validate(session, row, by)
            return await _record(session, row), findings

    async def approve_spec(self, vtid: str, hash: str, *, by: str, reason: str | None = None) -> TaskRecord:
        """Approve exactly the text of this hash; a draft is validated on the way. A repeat changes nothing.

        Raises Unknown, and Refusal SPEC_MISSING, SPEC_HASH_MISMATCH or VALIDATION.
        """
        async with self._database.write() as session:
            row = await locked(session, vtid, None)
            await specs.approve(session, row, hash, by, reason)
            return await _record(session, row)


async def locked(session: AsyncSession, vtid: str, expected_version: int | None) -> Task:
    """The task's row, which nobody else changes until we are done. Raises Unknown, Stale."""
    row = await session.get(Task, vtid, with_for_update=True)
    if row is None:
        raise Unknown(f"task {vtid}")
    if expected_version is not None and row.version != expected_version:
        raise Stale(await _record(session, row))
    return row


async def open_run(session: AsyncSession, task: Task) -> Run | None:
    """The task's run if it is requested or open."""
    run = None if task.start_id is None else await session.get(Run, task.start_id)
    return run if run is not None and run.state != "closed" else None


def touch(row: Task) -> None:
    """The task was edited."""
    row.version += 1
    row.updated_at = datetime.now(UTC)


async def page_of_tasks(
    session: AsyncSession,
    query: Any,
    wanted: TaskFilter,
    sort: str,
    limit: int,
    cursor: str | None,
    make: Callable[..., Item],
) -> Page[Item]:
    """One page of a query whose rows begin with the task."""
    order = SORTS[sort]
    # The page's keys first, from an index: a database that joins, reads and sorts everything before it cuts
    # needs a quarter of a second for what is then thrown away.
    keys = order.page(wanted.keys(), limit, cursor)
    found = (await session.execute(order.ordered(query.where(Task.vtid.in_(keys))))).all()
    kept = found[: bounded(limit)]
    following = order.cursor(kept[-1][0]) if len(found) > len(kept) else None
    return Page([make(*row) for row in kept], following)


async def _record(session: AsyncSession, row: Task) -> TaskRecord:
    spec = None if row.spec_version is None else await session.get(Spec, (row.vtid, row.spec_version))
    run = None if row.start_id is None else await session.get(Run, row.start_id)
    position = await session.scalar(select(POSITION).where(Task.vtid == row.vtid))
    return task_record(row, spec, run, position or 0)


async def _insert(session: AsyncSession, vtid: str | None, fields: dict[str, Any]) -> str:
    """Insert under the VTID, or under the next free one: whoever loses a race takes the one after."""
    while True:
        number = await _next_number(session) if vtid is None else _number_of(vtid)
        name = f"VTID-{number:05d}" if vtid is None else canonical_vtid(vtid)
        statement = insert_into(session, Task.__table__).on_conflict_do_nothing().returning(Task.vtid)
        if (await session.execute(statement, fields | {"vtid": name, "number": number})).all():
            return name
        if vtid is not None:
            raise Refusal("ILLEGAL_TRANSITION", f"task {name} exists already", actual=name)


def _number_of(vtid: str) -> int:
    digits = digits_of(canonical_vtid(vtid))
    if len(digits) > _MOST_DIGITS:
        raise Refusal("VALIDATION", f"a VTID has at most {_MOST_DIGITS} digits", actual=vtid[:60])
    return int(digits)


async def _next_number(session: AsyncSession) -> int:
    return (await session.scalar(select(func.max(Task.number))) or _FIRST_NUMBER - 1) + 1
