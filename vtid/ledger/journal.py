"""The journal of runs: the events that workflows tell, folded into everything that is shown of a run."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from vtid.domain.commands import Armed, LoadedTask, RecordEvents
from vtid.domain.events import RunEvent
from vtid.domain.task import SpecState, TaskStatus, check_transition, spec_hash
from vtid.domain.verdict import TaskFacts
from vtid.domain.view import RunView, fold
from vtid.ledger import consequences, event_log, specs
from vtid.ledger.codec import view_from_json
from vtid.ledger.database import Database
from vtid.ledger.models import Run, Spec, Task
from vtid.ledger.switch import Switch
from vtid.ledger.tasks import open_run

# Where a run may become a task's current one without having been asked for through the API.
_STARTABLE = (TaskStatus.SCHEDULED, TaskStatus.REJECTED, TaskStatus.CANCELLED)


class JournalStore:
    """vtid.domain.ports.Journal over the ledger."""

    def __init__(self, database: Database, switch: Switch) -> None:
        self._database = database
        self._switch = switch

    async def record_events(self, command: RecordEvents) -> None:
        """Store each event once per (run_id, seq), and what it means, all or nothing. A repeat changes nothing.

        Raises LedgerUnavailable, and IllegalTransition when an event would move the task where no step leads.
        """
        async with self._database.write() as session:
            run, task = await _rows(session, command)
            added = await event_log.append(
                session, [event_log.run_event_row(each) for each in command.events]
            )
            if not added:
                return
            new = {row.seq for row in added}
            if run.state != "closed" and run.run_id == command.run_id:
                events = [event for event in command.events if event.seq in new]
                await _fold(session, run, task, events)
            run.position = max(run.position, added[-1].position)

    async def load_task(self, vtid: str) -> LoadedTask | None:
        """The task with the hashes of its spec, or None."""
        async with self._database.read() as session:
            task = await session.get(Task, vtid)
            if task is None:
                return None
            spec = await specs.current_spec(session, task)
        stored, computed, approved = _hashes(spec)
        return LoadedTask(vtid, task.status, task.created_at, stored, computed, approved)

    async def task_facts(self, vtid: str) -> TaskFacts | None:
        """The same for the validator, with the id of the task's current run."""
        async with self._database.read() as session:
            task = await session.get(Task, vtid)
            if task is None:
                return None
            spec = await specs.current_spec(session, task)
            run = None if task.start_id is None else await session.get(Run, task.start_id)
        return TaskFacts(vtid, task.status, None if run is None else run.run_id, *_hashes(spec))

    async def read_armed(self) -> Armed:
        """The emergency stop."""
        switch = await self._switch.read()
        return Armed(switch.armed, switch.reason)


def _hashes(spec: Spec | None) -> tuple[str | None, str | None, str | None]:
    """(as stored, computed again from the text, approved)"""
    if spec is None:
        return None, None, None
    return spec.hash, spec_hash(spec.markdown), spec.hash if spec.state == SpecState.APPROVED else None


async def _rows(session: AsyncSession, command: RecordEvents) -> tuple[Run, Task | None]:
    """The rows of the run and its task, locked, in this order; the run is open from now on."""
    run = await session.get(Run, command.start_id, with_for_update=True)
    task = await session.get(Task, command.vtid, with_for_update=True)
    if run is None:  # started past the API, or the API died before it wrote
        run = _unannounced(command)
        session.add(run)
        await session.flush()
    if run.run_id is None:
        run.run_id, run.state = command.run_id, "open"
    if run.state == "requested":
        run.state = "open"
    elsewhere = task is not None and task.start_id != run.start_id and run.state == "open"
    if task is not None and elsewhere and task.status in _STARTABLE and await open_run(session, task) is None:
        task.start_id = run.start_id
    return run, task


def _unannounced(command: RecordEvents) -> Run:
    now = datetime.now(UTC)
    run = Run(
        start_id=command.start_id,
        vtid=command.vtid,
        state="requested",
        position=0,
        engine="ok",
        request="",
        requested_by="",
        created_at=now,
        updated_at=now,
    )
    consequences.show(run, RunView(vtid=command.vtid, run_id=None))
    return run


async def _fold(session: AsyncSession, run: Run, task: Task | None, events: list[RunEvent]) -> None:
    view = view_from_json(run.view)
    for event in events:
        view = fold(view, event)
        if task is not None and task.start_id == run.start_id:
            _follow(task, view.status, event.at)
        await consequences.apply(session, run, event, view)
    consequences.show(run, view)
    run.environment = view.environment or run.environment
    run.repository = view.repository or run.repository
    run.spec_hash = view.spec_hash or run.spec_hash
    run.updated_at = events[-1].at


def _follow(task: Task, status: TaskStatus, at: datetime) -> None:
    """The task goes where its run goes, step by step."""
    check_transition(TaskStatus(task.status), status)
    if task.status != status:
        task.status, task.updated_at = status, at
