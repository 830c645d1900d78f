"""The journal of runs: the events that workflows tell, folded into everything that is shown of a run."""

from vtid.domain.commands import Armed, LoadedTask, RecordEvents
from vtid.domain.events import RunEvent
from vtid.domain.task import SpecState, spec_hash
from vtid.domain.verdict import TaskFacts
from vtid.ledger import specs
from vtid.ledger.database import Database
from vtid.ledger.models import Run, Spec, Task
from vtid.ledger.recording import record
from vtid.ledger.switch import Switch


class JournalStore:
    """vtid.domain.ports.Journal over the ledger."""

    def __init__(self, database: Database, switch: Switch) -> None:
        self._database = database
        self._switch = switch

    async def record_events(self, command: RecordEvents) -> tuple[RunEvent, ...]:
        """Store each event once per (run_id, seq), and what it means, all or nothing. A repeat changes nothing.

        When the log has other events under these numbers nothing is stored, and the answer is those events with
        all that follow them. Raises LedgerUnavailable, and IllegalTransition when an event would move the task
        where no step leads.
        """
        async with self._database.transaction() as connection:
            return await connection.run_sync(record, command)

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
