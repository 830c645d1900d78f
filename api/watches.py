"""A sentinel for every deployment that was proven: begun by whoever sees it without one."""

from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from api.engine import Engine, EngineUnavailable
from api.metrics import Metrics
from vtid.domain.limits import LIMITS
from vtid.domain.serving import WatchRequest
from vtid.ledger import Ledger, LedgerUnavailable
from vtid.ledger.codec import request_from_json
from vtid.ledger.records import RunRecord

SEEN_AGAIN = 5  # sentinels that one pass holds against Temporal, one after the other

log = structlog.get_logger()


class Watches:
    """Begins sentinels. A repeat finds the one that is there, so nothing has to be remembered.

    One that failed, or that somebody ended in Temporal, is begun anew: the page says "watched" only where one looks.
    """

    def __init__(self, ledger: Ledger, engine: Engine, metrics: Metrics) -> None:
        self._ledger = ledger
        self._engine = engine
        self._metrics = metrics
        self._seen_last = ""

    async def begin(self) -> None:
        """Raises LedgerUnavailable and EngineUnavailable."""
        since = datetime.now(UTC) - LIMITS["watch_deployment"].whole_budget()
        for record in (*await self._ledger.serving.unwatched(since), *await self._next_watched(since)):
            try:
                await self._watch(record)
            except (EngineUnavailable, LedgerUnavailable):
                raise
            except Exception:
                # One deployment that cannot be dealt with must not hide the others; the next pass meets it again.
                self._metrics.reconciler_failed()
                log.exception("reconciler.not_watched", vtid=record.vtid)

    async def _next_watched(self, since: datetime) -> Sequence[RunRecord]:
        found = await self._ledger.serving.watched(since, after=self._seen_last, limit=SEEN_AGAIN)
        self._seen_last = found[-1].start_id if len(found) == SEEN_AGAIN else ""
        return found

    async def _watch(self, record: RunRecord) -> None:
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
