"""The loop that holds the ledger's runs against Temporal's, so that nothing ends or hangs there unseen."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from api.engine import Engine, EngineUnavailable, Execution, Pollers, RunRef
from api.metrics import Metrics
from api.presenter import Presenter
from api.starts import Starts
from api.watches import Watches
from vtid.ledger import Ledger, LedgerUnavailable, Refusal
from vtid.ledger.records import RunRecord

PERIOD_SECONDS = 10.0
STUCK_AFTER_TRIES = 3
_AT_ONCE = 10  # describes under way at a time
# Many runs are looked at in shares, so that looking costs Temporal little; each within a minute.
_SHARES = 5
_MANY = 100

_Act = Callable[[RunRecord], Awaitable[None]]

log = structlog.get_logger()


class Reconciler:
    """Compares every unfinished run with what Temporal says of it, again and again.

    grace: how long a run that Temporal closed may still have its last events on the way to the ledger.
    """

    def __init__(
        self,
        ledger: Ledger,
        engine: Engine,
        starts: Starts,
        presenter: Presenter,
        metrics: Metrics,
        *,
        period_seconds: float = PERIOD_SECONDS,
        grace: timedelta = timedelta(seconds=5),
        start_grace: timedelta = timedelta(seconds=5),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._engine = engine
        self._starts = starts
        self._presenter = presenter
        self._metrics = metrics
        self._watches = Watches(ledger, engine, metrics)
        self._period_seconds = period_seconds
        self._grace = grace
        self._start_grace = start_grace
        self._now = now
        self._announced: bool | None = None  # the switch as the runs were last told of it
        self._untold: set[str] = set()  # start ids of the runs that have yet to hear of it
        self._hurry = asyncio.Event()
        self._passes = 0
        self._pollers: Pollers | None = None  # as this pass found them; None: could not be asked

    async def run(self) -> None:
        """One pass after the other until cancelled. What fails is logged and tried again; errors of ours are counted."""
        while True:
            try:
                await self.reconcile()
            except LedgerUnavailable as error:
                log.warning("reconciler.waits", reason=str(error))
            except Exception:
                # Without this loop nobody would see what ends in Temporal: no single pass may end it.
                self._metrics.reconciler_failed()
                log.exception("reconciler.pass_failed")
            self._hurry.clear()
            try:
                async with asyncio.timeout(self._period_seconds):
                    await self._hurry.wait()
            except TimeoutError:
                continue

    def hurry(self) -> None:
        """Begin the next pass now."""
        self._hurry.set()

    async def reconcile(self) -> None:
        """One pass over the unfinished runs, or over a share of them when they are many.

        Raises LedgerUnavailable.
        """
        records = await self._ledger.runs.unfinished()
        self._metrics.runs_are(records)
        self._pollers = await self._who_polls() if records else None
        contact = _Contact()
        await self._each(self._share_of(records), self._compare, contact)
        self._presenter.engine_unreachable = contact.is_lost
        if not contact.is_lost:
            await self._announce_switch(records, contact)
            await self._watch()

    async def _who_polls(self) -> Pollers | None:
        try:
            return await self._engine.pollers()
        except EngineUnavailable as error:
            log.warning("reconciler.engine_unreachable", reason=str(error))
            return None

    def _share_of(self, records: Sequence[RunRecord]) -> Sequence[RunRecord]:
        self._passes += 1
        return records if len(records) <= _MANY else records[self._passes % _SHARES :: _SHARES]

    async def _each(self, records: Sequence[RunRecord], act: _Act, contact: "_Contact") -> None:
        """Do this for every record, some at a time. Raises LedgerUnavailable; other errors stay with their record."""
        gate = asyncio.Semaphore(_AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                for record in records:
                    group.create_task(self._one(record, act, contact, gate))
        except ExceptionGroup as errors:
            raise LedgerUnavailable(str(errors.exceptions[0])) from errors

    async def _one(self, record: RunRecord, act: _Act, contact: "_Contact", gate: asyncio.Semaphore) -> None:
        async with gate:
            if contact.is_hopeless:
                return  # each further try would wait for its whole timeout; the next pass asks again
            try:
                await act(record)
            except EngineUnavailable as error:
                contact.failed += 1
                log.warning("reconciler.engine_unreachable", vtid=record.vtid, reason=str(error))
            except LedgerUnavailable:
                raise
            except Exception:
                # One record that cannot be dealt with must not hide the others; the next pass meets it again.
                self._metrics.reconciler_failed()
                log.exception("reconciler.record_failed", vtid=record.vtid)
            else:
                contact.answered += 1

    async def _compare(self, record: RunRecord) -> None:
        there = await self._engine.describe(record.vtid)
        if there is not None and there.start_id != record.start_id:
            # Someone else's run, or an older one of ours. The one that we mean may still be known by its id.
            there = await self._engine.describe(record.vtid, record.run_id) if record.run_id else None
        if record.state == "requested" and there is None:
            await self._start_again(record)
        elif there is None:
            await self._ended_there(record, "not_found", "Temporal does not know this run any more")
        elif _was_reset(record, there):
            text = (
                f"the run was reset in Temporal; the new execution {there.run_id} does nothing and ends itself: "
                "start the task again"
            )
            await self._ended_there(record, "terminated", text)
        elif there.is_running:
            await self._is_running(record, there)
        elif self._is_overdue(there):
            text = f"Temporal says {there.status}, and the run had not told its end"
            await self._ended_there(record, there.status, text)

    async def _start_again(self, record: RunRecord) -> None:
        if self._now() - record.created_at < self._start_grace:
            return  # the request that asked for it is probably still at it
        try:
            await self._starts.bring_to_engine(record)
        except Refusal as refusal:
            log.warning("reconciler.not_started", vtid=record.vtid, reason=refusal.message)

    async def _is_running(self, record: RunRecord, there: Execution) -> None:
        if record.run_id is None:
            await self._ledger.runs.opened(record.start_id, there.run_id)
        why = _why_stuck(there) or self._why_stranded(there)
        if why:
            await self._ledger.runs.set_engine(record.start_id, "stuck", why)
        elif record.engine != "ok":
            await self._ledger.runs.set_engine(record.start_id, "ok")

    def _why_stranded(self, there: Execution) -> str:
        """A run that is pinned to a build waits for a worker of it, and for no other, without end."""
        if not there.build or self._pollers is None or self._pollers.polls(there.build, self._now()):
            return ""
        return f"it is pinned to build {there.build}, and no worker of that build polls: start one, or move the run"

    def _is_overdue(self, there: Execution) -> bool:
        """A run tells its end before it closes; one that was ended from outside cannot."""
        if there.status in ("terminated", "timed_out"):
            return True
        return there.closed_at is None or self._now() - there.closed_at > self._grace

    async def _ended_there(self, record: RunRecord, status: str, message: str) -> None:
        await self._ledger.runs.terminated(record.start_id, status=status, message=message)

    async def _watch(self) -> None:
        try:
            await self._watches.begin()
        except EngineUnavailable as error:
            log.warning("reconciler.engine_unreachable", reason=str(error))

    async def _announce_switch(self, records: Sequence[RunRecord], contact: "_Contact") -> None:
        """Runs look at the switch themselves, ever less often; told, they look at once.

        Whoever switched it may have been a process that ended before it could tell, so the first pass tells all
        that it may be news to: armed, those that wait for it; disarmed, every run.
        """
        armed = (await self._ledger.switch.read()).armed
        if self._announced is None:
            self._untold = {record.start_id for record in records if not armed or _waits_to_be_armed(record)}
        elif self._announced is not armed:
            self._untold = {record.start_id for record in records}
        self._announced = armed

        async def tell(record: RunRecord) -> None:
            if record.run_id is not None:
                await self._engine.switch_changed(RunRef(record.vtid, record.run_id), armed=armed)
            self._untold.discard(record.start_id)

        await self._each([record for record in records if record.start_id in self._untold], tell, contact)


@dataclass
class _Contact:
    """How Temporal answered in one pass."""

    answered: int = 0
    failed: int = 0

    @property
    def is_lost(self) -> bool:
        """It did not answer for any run. Silence about some of them only is no outage."""
        return self.failed > 0 and self.answered == 0

    @property
    def is_hopeless(self) -> bool:
        return self.is_lost and self.failed >= _AT_ONCE


def _why_stuck(there: Execution) -> str:
    """Why the run cannot go on without a mended worker; nothing while it can."""
    if there.failing_tries >= STUCK_AFTER_TRIES:
        return f"its workflow task failed {there.failing_tries - 1} times; see the run in Temporal"
    if there.refused_write:
        return f"the ledger keeps refusing what it tells: {there.refused_write}"
    return ""


def _waits_to_be_armed(record: RunRecord) -> bool:
    return record.view.waiting is not None and record.view.waiting.get("who") == "approver"


def _was_reset(record: RunRecord, there: Execution) -> bool:
    """A reset inside Temporal goes on as a new execution, with the memo of the old one."""
    same_start = there.start_id == record.start_id
    return same_start and bool(record.run_id and there.run_id) and there.run_id != record.run_id
