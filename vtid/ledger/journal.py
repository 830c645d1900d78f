"""The journal of runs: the events that workflows tell, folded into everything that is shown of a run."""

from typing import Any

from sqlalchemy import and_, bindparam, select

from vtid.domain.commands.ledger import Armed, LoadedTask, RecordEvents
from vtid.domain.events import RunEvent
from vtid.domain.merged_before import Approval
from vtid.domain.serving import TellServing
from vtid.domain.task import SpecState, spec_hash
from vtid.domain.verdict import TaskFacts
from vtid.ledger.database import Database
from vtid.ledger.models import Run, Spec, Task
from vtid.ledger.recording import record
from vtid.ledger.serving import ServingStore
from vtid.ledger.switch import Switch

_TASK = (
    select(
        Task.status,
        Task.created_at,
        Run.run_id,
        Spec.version,
        Spec.hash,
        Spec.markdown,
        Spec.state,
        Spec.approved_at,
    )
    .outerjoin(Spec, and_(Spec.vtid == Task.vtid, Spec.version == Task.spec_version))
    .outerjoin(Run, Run.start_id == Task.start_id)
    .where(Task.vtid == bindparam("vtid"))
)

MOST_APPROVALS = 50  # they stand in the history of every run of the task
_APPROVALS = (
    select(Spec.hash, Spec.approved_at)
    .where(Spec.vtid == bindparam("vtid"), Spec.approved_at.is_not(None))
    .order_by(Spec.approved_at.desc())
    .limit(MOST_APPROVALS)
)


class JournalStore:
    """vtid.domain.ports.Journal over the ledger."""

    def __init__(self, database: Database, switch: Switch) -> None:
        self._serving = ServingStore(database)
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
        """The task with the hashes of its spec and the id of its current run, or None."""
        row = await self._task(vtid)
        if row is None:
            return None
        return LoadedTask(
            vtid, row.status, row.created_at, *_hashes(row),
            current_run_id=row.run_id, approvals=await self._approvals(vtid, row),
        )  # fmt: skip

    async def _approvals(self, vtid: str, row: Any) -> tuple[Approval, ...]:
        if row.version is None or row.version == 1:  # as nearly always: nothing more to read
            return (Approval(row.hash, row.approved_at),) if row.approved_at else ()
        async with self._database.read() as session:
            found = await session.execute(_APPROVALS, {"vtid": vtid})
            return tuple(Approval(each.hash, each.approved_at) for each in found)

    async def task_facts(self, vtid: str) -> TaskFacts | None:
        """The same for the validator."""
        row = await self._task(vtid)
        return None if row is None else TaskFacts(vtid, row.status, row.run_id, *_hashes(row))

    async def _task(self, vtid: str) -> Any:
        """Task, spec and run as one row, or None."""
        async with self._database.read() as session:
            return (await session.execute(_TASK, {"vtid": vtid})).one_or_none()

    async def tell_serving(self, command: TellServing) -> None:
        """What became of the deployment of a run that is over."""
        await self._serving.tell(command)

    async def read_armed(self) -> Armed:
        """The emergency stop."""
        switch = await self._switch.read()
        return Armed(switch.armed, switch.reason)


def _hashes(row: Any) -> tuple[str | None, str | None, str | None]:
    """(as stored, computed again from the text, approved)"""
    if row.hash is None:
        return None, None, None
    return row.hash, spec_hash(row.markdown), row.hash if row.state == SpecState.APPROVED else None
