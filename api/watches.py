"""A sentinel for every deployment that was proven: begun by whoever sees it without one."""

from datetime import UTC, datetime

from api.engine import Engine
from vtid.domain.limits import LIMITS
from vtid.domain.serving import WatchRequest
from vtid.ledger import Ledger
from vtid.ledger.codec import request_from_json
from vtid.ledger.records import RunRecord


class Watches:
    """Begins sentinels. A repeat finds the one that is there, so nothing has to be remembered."""

    def __init__(self, ledger: Ledger, engine: Engine) -> None:
        self._ledger = ledger
        self._engine = engine

    async def begin(self) -> None:
        """Raises LedgerUnavailable and EngineUnavailable."""
        lifetime = LIMITS["watch_deployment"].whole_budget()
        for record in await self._ledger.serving.unwatched(datetime.now(UTC) - lifetime):
            request = _request_of(record)
            if request is None:
                await self._ledger.serving.leave(record.start_id)
            else:
                await self._engine.watch(request)


def _request_of(record: RunRecord) -> WatchRequest | None:
    """What is to be watched, as the run knew it; None when it deployed nothing."""
    view = record.view
    links = (view.proof or {}).get("links", ())
    proven = {link["service"] for link in links if link.get("service")}
    if not proven or record.run_id is None or view.merged is None or not record.request:
        return None
    asked = request_from_json(record.request)
    return WatchRequest(
        vtid=record.vtid,
        run_id=record.run_id,
        repository=asked.repository,
        environment=asked.environment,
        services=tuple(each for each in asked.environment.services if each.name in proven),
        commit=view.merged,
        limits=asked.limits,
    )
