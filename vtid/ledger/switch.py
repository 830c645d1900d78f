"""The emergency stop: while it is on, nothing new is dispatched."""

from datetime import UTC, datetime

from vtid.ledger.database import Database, insert_into
from vtid.ledger.event_log import tell
from vtid.ledger.models import Switch as SwitchRow
from vtid.ledger.records import SwitchRecord

_ONLY = 1


class Switch:
    """Reading and switching the emergency stop. A ledger that was never switched is armed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self) -> SwitchRecord:
        """How it stands."""
        async with self._database.read() as session:
            row = await session.get(SwitchRow, _ONLY)
        return _record(row)

    async def disarm(self, *, reason: str, by: str) -> SwitchRecord:
        """Stop dispatching. While it is stopped already nothing changes, and the first reason stays."""
        return await self._set(armed=False, reason=reason, by=by)

    async def arm(self, *, by: str) -> SwitchRecord:
        """Let everything go on."""
        return await self._set(armed=True, reason="", by=by)

    async def _set(self, *, armed: bool, reason: str, by: str) -> SwitchRecord:
        async with self._database.write() as session:
            first = {"id": _ONLY, "armed": True, "reason": "", "by": ""}
            insert = insert_into(session, SwitchRow.__table__).values(first).on_conflict_do_nothing()
            await session.execute(insert)
            row = await session.get_one(SwitchRow, _ONLY, with_for_update=True)
            if row.armed != armed:
                row.armed, row.reason, row.by, row.since = armed, reason, by, datetime.now(UTC)
                await session.flush()
                if armed:
                    await tell(session, "system.armed", by=by)
                else:
                    await tell(session, "system.disarmed", by=by, reason=reason)
            return _record(row)


def _record(row: SwitchRow | None) -> SwitchRecord:
    return (
        SwitchRecord(True, "", "", None)
        if row is None
        else SwitchRecord(row.armed, row.reason, row.by, row.since)
    )
