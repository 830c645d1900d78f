"""Runs: asked for through the API, then driven by their events. Their view is kept beside them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Select, bindparam, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from vtid.domain.commands.run import RunRequest
from vtid.domain.events import RunEvent
from vtid.domain.failures import RunStopped, failure_of
from vtid.domain.fold import fold
from vtid.domain.task import SpecState, TaskStatus, check_transition
from vtid.domain.view import RunView
from vtid.ledger import specs
from vtid.ledger.codec import failure_to_data, request_to_json, view_from_json
from vtid.ledger.consequences import leave_nothing_open, show
from vtid.ledger.database import Database
from vtid.ledger.errors import Refusal, Unknown
from vtid.ledger.event_log import tell
from vtid.ledger.memory import Memory
from vtid.ledger.models import Run, Task
from vtid.ledger.paging import page_of, page_query
from vtid.ledger.records import Page, RunRecord
from vtid.ledger.rows import run_record
from vtid.ledger.tasks import locked, open_run

_UNFINISHED = ("requested", "open")
_OPENED = (
    update(Run)
    .where(Run.start_id == bindparam("its_id"))
    .values(
        run_id=func.coalesce(Run.run_id, bindparam("its_run")),
        state=case((Run.state == "requested", "open"), else_=Run.state),
    )
)
_LOOK_WRITTEN_EVERY = timedelta(seconds=30)  # a look that saw nothing new is written down this often


class Runs:
    """The runs of the ledger. What happens inside a run comes through the journal."""

    def __init__(self, database: Database, memory: Memory) -> None:
        self._database = database
        self._memory = memory

    async def request(self, request: RunRequest, *, by: str) -> tuple[RunRecord, bool]:
        """Ask for a run: (its row, True), or (the equal run under way, False).

        Raises Unknown, and Refusal TASK_COMPLETED, SPEC_MISSING, SPEC_NOT_APPROVED, SPEC_HASH_MISMATCH, or
        ILLEGAL_TRANSITION when the run under way has another spec, environment or repository.
        """
        async with self._database.write() as session:
            task = await locked(session, request.vtid, None)
            under_way = await open_run(session, task)
            if under_way is not None and _target_of(under_way) == _wanted(request):
                return run_record(under_way), False
            await _check_gates(session, task, request)
            if under_way is not None:
                raise Refusal(
                    "ILLEGAL_TRANSITION",
                    f"a run of {request.vtid} is under way with another spec or target; cancel it first",
                    expected=_target_of(under_way),
                    actual=_wanted(request),
                    run_id=under_way.run_id,
                )
            run = _requested(request, task.status, by)
            session.add(run)
            _move(task, TaskStatus.SCHEDULED)
            task.start_id = request.start_id
            await session.flush()
            told = await tell(session, "run.requested", request.vtid, by=by, spec_hash=request.spec_hash)
            run.position = told or 0
            return run_record(run), True

    async def opened(self, start_id: str, run_id: str) -> None:
        """Temporal accepted the start. A repeat, or a run that is over already, changes nothing. Raises Unknown."""
        async with self._database.transaction() as connection:
            opened = await connection.execute(_OPENED, {"its_id": start_id, "its_run": run_id})
        if opened.rowcount == 0:
            raise Unknown(f"run {start_id}")

    async def not_opened(self, start_id: str, message: str) -> None:
        """The start was refused for good: the row is closed, the task stands as before. Raises Unknown."""
        async with self._database.write() as session:
            run = await _locked_run(session, start_id)
            if run.state != "requested":
                return
            run.state, run.updated_at = "closed", datetime.now(UTC)
            show(run, replace(view_from_json(run.view), note=message))
            task = await session.get(Task, run.vtid, with_for_update=True)
            if task is not None and task.start_id == start_id:
                _move(task, TaskStatus(run.status_before or task.status))
                await session.flush()
                task.start_id = await session.scalar(_ever_opened(run.vtid).with_only_columns(Run.start_id))

    async def current(self, vtid: str) -> RunRecord:
        """The latest run. Raises Unknown when there was none."""
        return await self._memory.of(("run", vtid), lambda: self._current(vtid))

    async def _current(self, vtid: str) -> RunRecord:
        async with self._database.read() as session:
            run = await session.scalar(_ever_opened(vtid))
        if run is None:
            raise Unknown(f"run of {vtid}")
        return run_record(run)

    async def one(self, vtid: str, run_id: str) -> RunRecord:
        """This run of the task, the latest or an earlier one. Raises Unknown."""
        query = select(Run).where(Run.vtid == vtid, Run.run_id == run_id)
        async with self._database.read() as session:
            run = await session.scalar(query)
        if run is None:
            raise Unknown(f"run {run_id} of {vtid}")
        return run_record(run)

    async def list(
        self,
        *,
        status: str | None = None,
        stage: str | None = None,
        code: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[RunRecord]:
        """A page of all runs, newest first."""
        query = select(Run)
        for column, value in ((Run.status, status), (Run.stage, stage), (Run.code, code)):
            if value is not None:
                query = query.where(column == value)
        async with self._database.read() as session:
            rows = (
                await session.scalars(page_query(query, Run.created_at, Run.start_id, limit, cursor))
            ).all()
        return page_of(rows, limit, lambda row: (row.created_at, row.start_id), run_record)

    async def unfinished(self) -> Sequence[RunRecord]:
        """Every run that is requested or open, oldest first."""
        query = select(Run).where(Run.state.in_(_UNFINISHED)).order_by(Run.created_at)
        async with self._database.read() as session:
            return [run_record(run) for run in (await session.scalars(query)).all()]

    async def open_in(self, repository: str) -> Sequence[RunRecord]:
        """Every open run in this repository, in any casing; oldest first."""
        query = select(Run).where(Run.state == "open", func.lower(Run.repository) == repository.lower())
        async with self._database.read() as session:
            return [run_record(run) for run in (await session.scalars(query.order_by(Run.created_at))).all()]

    async def count_unfinished(self) -> int:
        """How many runs are requested or open."""
        query = select(func.count()).select_from(Run).where(Run.state.in_(_UNFINISHED))
        async with self._database.read() as session:
            return await session.scalar(query) or 0

    async def set_engine(self, start_id: str, engine: str, message: str = "") -> None:
        """How Temporal sees the run: `ok`, `stuck` or `unreachable`. Told only when it changes. Raises Unknown."""
        async with self._database.write() as session:
            run = await _locked_run(session, start_id)
            before, now = run.engine, datetime.now(UTC)
            looked = run.engine_checked_at
            if before == engine and looked is not None and now - looked < _LOOK_WRITTEN_EVERY:
                return
            run.engine, run.engine_checked_at = engine, now
            if engine == "stuck" and before != "stuck":
                await tell(session, "engine.stuck", run.vtid, message=message)
            elif engine == "ok" and before == "stuck":
                await tell(session, "engine.recovered", run.vtid)

    async def terminated(self, start_id: str, *, status: str, message: str) -> None:
        """Someone ended the run inside Temporal; `status` is Temporal's word. Once; a closed run stays as it is.

        The run fails with ENGINE_TERMINATED (CANCELLED when Temporal says so), and leaves no open order.
        """
        async with self._database.write() as session:
            run = await _locked_run(session, start_id)
            if run.state == "closed":
                return
            now = datetime.now(UTC)
            view = _ended_by_engine(view_from_json(run.view), run, status, message, now)
            run.state, run.engine, run.updated_at = "closed", "terminated", now
            show(run, view)
            task = await session.get(Task, run.vtid, with_for_update=True)
            if task is not None and task.start_id == start_id:
                _move(task, view.status)
            await session.flush()
            over = (start_id, run.run_id, "terminated", "system", now)
            await session.run_sync(lambda each: leave_nothing_open(each.connection(), *over))
            told = await tell(
                session, "engine.terminated", run.vtid, key=start_id, status=status, message=message
            )
            run.position = told or run.position


def first_view(request: RunRequest) -> RunView:
    """What is shown of a run before its first event."""
    return RunView(
        vtid=request.vtid,
        run_id=None,
        title=request.title,
        environment=request.environment.name,
        repository=request.repository,
        spec_hash=request.spec_hash,
    )


async def _check_gates(session: AsyncSession, task: Task, request: RunRequest) -> None:
    if task.status == TaskStatus.COMPLETED:
        raise Refusal("TASK_COMPLETED", f"{task.vtid} is completed, which is final")
    spec = await specs.current_spec(session, task)
    if spec is None:
        raise Refusal("SPEC_MISSING", f"{task.vtid} has no spec")
    if spec.state != SpecState.APPROVED:
        raise Refusal(
            "SPEC_NOT_APPROVED",
            f"the spec of {task.vtid} is {spec.state}",
            expected="approved",
            actual=spec.state,
        )
    if spec.hash != request.spec_hash:
        raise Refusal(
            "SPEC_HASH_MISMATCH",
            f"the approved spec of {task.vtid} is another text than the one asked for",
            expected=spec.hash,
            actual=request.spec_hash,
        )


def _requested(request: RunRequest, status_before: str, by: str) -> Run:
    now = datetime.now(UTC)
    run = Run(
        start_id=request.start_id,
        vtid=request.vtid,
        state="requested",
        position=0,
        engine="ok",
        environment=request.environment.name,
        repository=request.repository,
        spec_hash=request.spec_hash,
        status_before=status_before,
        request=request_to_json(request),
        requested_by=by,
        created_at=now,
        updated_at=now,
    )
    show(run, first_view(request))
    return run


def _wanted(request: RunRequest) -> dict[str, str | None]:
    return {
        "spec_hash": request.spec_hash,
        "environment": request.environment.name,
        "repository": request.repository,
    }


def _target_of(run: Run) -> dict[str, str | None]:
    return {"spec_hash": run.spec_hash, "environment": run.environment, "repository": run.repository}


def _move(task: Task, status: TaskStatus) -> None:
    check_transition(TaskStatus(task.status), status)
    if task.status != status:
        task.status, task.updated_at = status, datetime.now(UTC)


def _ended_by_engine(view: RunView, run: Run, status: str, message: str, at: datetime) -> RunView:
    """The view as if the run itself had told its end; its events stay as they are."""
    cancelled = status.upper() in ("CANCELED", "CANCELLED")
    code = "CANCELLED" if cancelled else "ENGINE_TERMINATED"
    stop = RunStopped(code, message)
    failure = failure_of(stop, view.stage, view.of(view.stage).step, view.attempt, at)
    data = {
        "status": TaskStatus.CANCELLED if cancelled else TaskStatus.REJECTED,
        "outcome": stop.kind.outcome,
        "failure": failure_to_data(failure),
    }
    end = RunEvent(run.run_id or "", view.seq + 1, run.vtid, "run.finished", at, view.stage, data=data)
    return replace(fold(view, end), worker=None, seq=view.seq)


def _ever_opened(vtid: str) -> Select[Run]:
    return (
        select(Run)
        .where(Run.vtid == vtid, or_(Run.state != "closed", Run.run_id.is_not(None)))
        .order_by(Run.created_at.desc())
        .limit(1)
    )


async def _locked_run(session: AsyncSession, start_id: str) -> Run:
    run = await session.get(Run, start_id, with_for_update=True)
    if run is None:
        raise Unknown(f"run {start_id}")
    return run
