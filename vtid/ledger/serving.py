"""What became of proven deployments: beside the run that proved them, which stays as it ended."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select, update

from vtid.domain.serving import LOOKED_AT, Serving, TellServing
from vtid.domain.task import TaskStatus
from vtid.ledger.database import Database
from vtid.ledger.event_log import tell
from vtid.ledger.models import Run
from vtid.ledger.records import RunRecord
from vtid.ledger.rows import run_record

NOTHING = "nothing"  # was deployed

_EVENTS = {
    Serving.WATCHED: "deployment.watched",
    Serving.DRIFTED: "deployment.drifted",
    Serving.REVERTED: "deployment.reverted",
    Serving.RESTORED: "deployment.restored",
    Serving.SUPERSEDED: "deployment.superseded",
    Serving.UNWATCHED: "deployment.unwatched",
}


class ServingStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def unwatched(self, since: datetime, limit: int = 50) -> Sequence[RunRecord]:
        """Completed runs that ended since then and that no sentinel has told of, oldest first."""
        query = select(Run).where(
            Run.status == TaskStatus.COMPLETED, Run.updated_at > since, Run.serving.is_(None)
        )
        async with self._database.read() as session:
            rows = await session.scalars(query.order_by(Run.updated_at).limit(limit))
            return [run_record(run) for run in rows.all()]

    async def watched(self, since: datetime, *, after: str, limit: int) -> Sequence[RunRecord]:
        """Completed runs that ended since then and that a sentinel is to look at, in the order of their start ids."""
        query = select(Run).where(
            Run.status == TaskStatus.COMPLETED,
            Run.updated_at > since,
            Run.serving.in_(LOOKED_AT),
            Run.start_id > after,
        )
        async with self._database.read() as session:
            rows = await session.scalars(query.order_by(Run.start_id).limit(limit))
            return [run_record(run) for run in rows.all()]

    async def leave(self, start_id: str) -> None:
        """There is nothing to watch about this run."""
        async with self._database.write() as session:
            await session.execute(update(Run).where(Run.start_id == start_id).values(serving=NOTHING))

    async def tell(self, command: TellServing) -> None:
        """The event, and the state beside the run, in one transaction; a repeat changes nothing."""
        async with self._database.write() as session:
            query = select(Run).where(Run.run_id == command.run_id).with_for_update()
            run = (await session.scalars(query)).one_or_none()
            if run is None:
                return  # a run of a bare Temporal client, whose row is gone: there is nobody to tell
            key = f"{command.run_id}:{command.sentinel}:{command.number}"
            position = await tell(
                session,
                _EVENTS[command.kind],
                command.vtid,
                key=key,
                run_id=command.run_id,
                says=command.says,
            )
            if position is not None:
                run.serving, run.serving_says, run.serving_since = (
                    command.kind,
                    command.says,
                    datetime.now(UTC),
                )
