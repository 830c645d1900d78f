"""Is this process able to serve? Three questions, each with an age and a sentence."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from api.engine import Engine, EngineUnavailable, Pollers
from vtid.ledger import Ledger, LedgerUnavailable
from workflows.connection import DEPLOYMENT

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
                pollers = await self._engine.pollers()
        except (EngineUnavailable, TimeoutError):
            unknown = Finding(False, self._age("worker"), "unknown while Temporal does not answer")
            return self._ill("temporal", "Temporal does not answer"), unknown
        return self._well("temporal", "Temporal answers"), self._worker(pollers)

    def _worker(self, pollers: Pollers) -> Finding:
        """Whether somebody takes new runs. Workers of other builds only end the runs that they began."""
        now, polled = self._now(), pollers.last_polled.get(pollers.current)
        if polled is not None:
            self._well_at["worker"] = polled
        if pollers.polls(pollers.current, now):
            return Finding(True, self._age("worker"), "a worker polls")
        if others := [build for build in pollers.last_polled if pollers.polls(build, now)]:
            return Finding(False, self._age("worker"), _takes_nothing_new(pollers.current, others))
        if polled is None:
            return Finding(False, None, "no worker polls; start one with python worker.py")
        return Finding(False, self._age("worker"), "the last worker stopped polling")

    def _well(self, name: str, says: str) -> Finding:
        self._well_at[name] = self._now()
        return Finding(True, 0.0, says)

    def _ill(self, name: str, says: str) -> Finding:
        return Finding(False, self._age(name), says)

    def _age(self, name: str) -> float | None:
        at = self._well_at.get(name)
        return None if at is None else round((self._now() - at).total_seconds(), 1)


def _takes_nothing_new(current: str, polling: list[str]) -> str:
    goes_to = f"build {current[:12]}" if current else "workers without a version"
    there = ", ".join(f"build {build[:12]}" if build else "workers without a version" for build in polling)
    says = f"no worker takes new runs: they go to {goes_to}, and there poll {there}"
    if newest := next((build for build in polling if build), ""):
        says += (
            "; make it current: temporal worker deployment set-current-version "
            f"--deployment-name {DEPLOYMENT} --build-id {newest}"
        )
    return says
