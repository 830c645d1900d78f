"""The audit: who used which verb on what. Append-only, like the events."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from vtid.ledger.database import Database
from vtid.ledger.models import AuditEntry
from vtid.ledger.paging import bounded
from vtid.ledger.records import AuditRecord


class Audit:
    """Writing and reading the audit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(
        self, *, who: str, role: str, verb: str, target: str, detail: dict[str, Any], request_id: str
    ) -> None:
        """Write down one verb."""
        entry = AuditEntry(
            at=datetime.now(UTC),
            who=who,
            role=role,
            verb=verb,
            target=target,
            detail=detail,
            request_id=request_id,
        )
        async with self._database.write() as session:
            session.add(entry)

    async def list(
        self, *, who: str | None = None, target: str | None = None, before: int | None = None, limit: int = 50
    ) -> list[AuditRecord]:
        """Entries, newest first; `before` is the id of the last one already seen."""
        query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(bounded(limit))
        for column, value in ((AuditEntry.who, who), (AuditEntry.target, target)):
            if value is not None:
                query = query.where(column == value)
        if before is not None:
            query = query.where(AuditEntry.id < before)
        async with self._database.read() as session:
            rows = (await session.scalars(query)).all()
        return [
            AuditRecord(r.id, r.at, r.who, r.role, r.verb, r.target, r.detail, r.request_id) for r in rows
        ]
