"""Hands hints to the runs that wait for what they are about: debounced, and a bounded number a wait."""

import asyncio
import time
from collections.abc import Callable

import structlog

from api.engine import Engine, EngineUnavailable, RunRef
from vtid.domain.hints import Hint, concerns
from vtid.domain.limits import HINTS_A_WAIT, POLLS
from vtid.domain.task import TaskStatus
from vtid.ledger import Ledger
from vtid.ledger.records import RunRecord

PAUSE_SECONDS = 1.0  # between two hints for one run; what comes meanwhile becomes one more at its end
_REMEMBERED = 10_000  # waits whose hints are counted

log = structlog.get_logger()


class Nudges:
    """The way of hints to the runs. A hint that is lost costs the run time until its next poll, nothing else."""

    def __init__(
        self,
        ledger: Ledger,
        engine: Engine,
        *,
        pause_seconds: float = PAUSE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._engine = engine
        self._pause_seconds = pause_seconds
        self._clock = clock
        self._given: dict[tuple[str, str], int] = {}  # (run, since when it waits) -> hints
        self._last: dict[str, float] = {}
        self._later: dict[str, asyncio.Task[None]] = {}

    async def give(self, hint: Hint) -> list[str]:
        """Let every run look that waits for what this is about; gives their VTIDs. Raises LedgerUnavailable."""
        told = []
        for record in await self._ledger.runs.open_in(hint.repository):
            if record.run_id is None or not concerns(record.view, hint) or not _waits(record):
                continue
            if record.run_id in self._later or self._may_hear(record):
                await self._soon(RunRef(record.vtid, record.run_id), hint)
                told.append(record.vtid)
        return told

    def _may_hear(self, record: RunRecord) -> bool:
        """Whether it has not heard enough in this wait; counts one more."""
        wait = (record.run_id or "", str((record.view.waiting or {}).get("since")))
        given = self._given.pop(wait, 0)  # and to the end of the line
        if len(self._given) >= _REMEMBERED:
            del self._given[next(iter(self._given))]
        self._given[wait] = given + 1
        return given < HINTS_A_WAIT

    async def _soon(self, run: RunRef, hint: Hint) -> None:
        if run.run_id in self._later:
            return  # one that has yet to go speaks for this one, too
        pause = self._last.get(run.run_id, -self._pause_seconds) + self._pause_seconds - self._clock()
        if pause <= 0:
            await self._send(run, hint)
        else:
            self._later[run.run_id] = asyncio.create_task(self._after(pause, run, hint))

    async def _after(self, pause: float, run: RunRef, hint: Hint) -> None:
        await asyncio.sleep(pause)
        self._later.pop(run.run_id, None)
        await self._send(run, hint)

    async def _send(self, run: RunRef, hint: Hint) -> None:
        self._last.pop(run.run_id, None)
        if len(self._last) >= _REMEMBERED:
            del self._last[next(iter(self._last))]
        self._last[run.run_id] = self._clock()
        try:
            await self._engine.look_now(run, hint)
        except EngineUnavailable as error:
            log.warning("webhook.hint_lost", vtid=run.vtid, reason=str(error))

    def close(self) -> None:
        """Send nothing more: the process ends."""
        for task in self._later.values():
            task.cancel()
        self._later.clear()


def _waits(record: RunRecord) -> bool:
    """Whether it waits in a poll. A blocked one waits for a person, at the step that it stopped at."""
    view = record.view
    blocked = view.status is TaskStatus.BLOCKED
    return not blocked and view.waiting is not None and view.of(view.stage).step in POLLS
