"""Every text that a task's spec ever had."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import defer

from vtid.ledger.database import Database
from vtid.ledger.errors import Unknown
from vtid.ledger.models import Spec, Task
from vtid.ledger.paging import bounded
from vtid.ledger.records import SpecHead, SpecRecord
from vtid.ledger.rows import spec_record


@dataclass(frozen=True)
class SpecVersion(SpecHead):
    """One version in the list. current: it is the task's spec; an approval of an earlier one is void."""

    current: bool
    created_at: datetime
    characters: int
    approved_by: str | None
    approved_at: datetime | None
    reason: str | None
    warnings: tuple[str, ...]


class SpecVersions:
    """Reading the versions of specs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, vtid: str, *, before: int | None = None, limit: int = 50) -> list[SpecVersion]:
        """Versions without their texts, newest first; `before` is the last one already seen. Raises Unknown."""
        size = func.length(Spec.markdown)
        query = select(Spec, size).where(Spec.vtid == vtid).options(defer(Spec.markdown))
        if before is not None:
            query = query.where(Spec.version < before)
        async with self._database.read() as session:
            task = await session.get(Task, vtid)
            if task is None:
                raise Unknown(f"task {vtid}")
            rows = (await session.execute(query.order_by(Spec.version.desc()).limit(bounded(limit)))).all()
        return [_version(spec, int(count), task.spec_version) for spec, count in rows]

    async def get(self, vtid: str, version: int) -> tuple[SpecRecord, bool]:
        """One version with its text, and whether it is the current one. Raises Unknown."""
        async with self._database.read() as session:
            task = await session.get(Task, vtid)
            spec = await session.get(Spec, (vtid, version)) if task is not None else None
        if task is None or spec is None:
            raise Unknown(f"version {version} of the spec of {vtid}")
        return spec_record(spec), version == task.spec_version


def _version(spec: Spec, size: int, current: int | None) -> SpecVersion:
    return SpecVersion(
        version=spec.version,
        hash=spec.hash,
        state=spec.state,
        author=spec.author,
        current=spec.version == current,
        created_at=spec.created_at,
        characters=size,
        approved_by=spec.approved_by,
        approved_at=spec.approved_at,
        reason=spec.reason,
        warnings=tuple(spec.warnings),
    )
