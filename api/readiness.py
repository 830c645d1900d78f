"""Is this process able to serve? Three questions, each with an age and a sentence."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.engine import Engine, EngineUnavailable
from vtid.ledger import Ledger, LedgerUnavailable

# A poll of a Temporal worker lasts up to a minute, and counts from its begin.
POLLED_WITHIN = timedelta(seconds=75)
ANSWER_SECONDS = 3.0


@dataclass(frozen=True)
class Finding:
    """One answer. `age_seconds`: since it was last known to be well; None: never."""

    ok: bool
    age_seconds: float | None
    says: str


class Readiness:
    """Asks the database, Temporal, and Temporal for our workers."""

    def __init__(
        self, ledger: Ledger, engine: Engine, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._ledger = ledger
        self._engine = engine
        self._now = now
        self._well_at: dict[str, datetime] = {}

    async def look(self) -> dict[str, Finding]:
        """All three, at once and each bounded."""
        database, (temporal, worker) = await asyncio.gather(self._database(), self._temporal())
        return {"database": database, "temporal": temporal, "worker": worker}

    async def _database(self) -> Finding:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._ledger.ping()
        except (LedgerUnavailable, TimeoutError):
            return self._ill("database", "the ledger does not answer")
        return self._well("database", "the ledger answers")

    async def _temporal(self) -> tuple[Finding, Finding]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                polled = await self._engine.worker_last_polled()
        except (EngineUnavailable, TimeoutError):
            unknown = Finding(False, self._age("worker"), "unknown while Temporal does not answer")
            return self._ill("temporal", "Temporal does not answer"), unknown
        temporal = self._well("temporal", "Temporal answers")
        if polled is None:
            return temporal, Finding(False, None, "no worker polls; start one with python worker.py")
        self._well_at["worker"] = polled
        age = self._now() - polled
        ok = age <= POLLED_WITHIN
        says = "a worker polls" if ok else "the last worker stopped polling"
        return temporal, Finding(ok, round(age.total_seconds(), 1), says)

    def _well(self, name: str, says: str) -> Finding:
        self._well_at[name] = self._now()
        return Finding(True, 0.0, says)

    def _ill(self, name: str, says: str) -> Finding:
        return Finding(False, self._age(name), says)

    def _age(self, name: str) -> float | None:
        at = self._well_at.get(name)
        return None if at is None else round((self._now() - at).total_seconds(), 1)
