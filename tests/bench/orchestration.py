"""A green run of ours against the same steps on bare Temporal: one at a time, many at once, cpu and bytes."""

import asyncio
import itertools
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter

from temporalio.client import WorkflowHandle

from api.runs import Runs
from api.starts import Starts
from tests.bench.bare import BARE_QUEUE, BareRun, Order
from tests.bench.figures import Row, of_pairs
from tests.bench.ground import Ground
from tests.bench.instant import ENVIRONMENT
from tests.workflows.world import REPOSITORY
from vtid.domain.commands.run import RunReport
from vtid.domain.task import TaskStatus

SPEC = "# Goal\nA shop.\n## Scope\nservices/shop\n## Acceptance Criteria\n- it sells\n"
ENDS_WITHIN_SECONDS = 120.0
_numbers = itertools.count(1)

OneRun = Callable[[str], Awaitable[None]]


@dataclass
class Measured:
    """Of one kind of run, pair by pair."""

    single_ms: list[float] = field(default_factory=list)  # p50 of runs one after another
    per_second: list[float] = field(default_factory=list)  # of many at once
    together_ms: list[float] = field(default_factory=list)  # p50 of many at once
    cpu_ms: list[float] = field(default_factory=list)  # a run, of server, worker and who starts it
    server_cpu_ms: list[float] = field(default_factory=list)  # of it Temporal's server


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    pairs: int
    singles: int
    at_once: int
    settle_seconds: float = 1.5  # what Temporal's server still writes about runs that are over


class Pipeline:
    """Runs of ours, started as the API does, and bare ones, on the same ground."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        environments = {ENVIRONMENT.name: ENVIRONMENT}
        self._starts = Starts(ground.ledger, Runs(ground.client), environments)

    async def prepare(self) -> str:
        """A task with an approved spec; gives its VTID."""
        vtid, tasks = f"VTID-{next(_numbers):05}", self._ground.ledger.tasks
        task = await tasks.create(
            vtid=vtid, title="A shop", repository=REPOSITORY, environment=ENVIRONMENT.name,
            services=(), priority=3, created_by="bench", markdown=SPEC,
        )  # fmt: skip
        assert task.spec is not None
        await tasks.approve_spec(vtid, task.spec.hash, by="bench")
        return vtid

    async def ours(self, vtid: str) -> None:
        """From the accepted start to the end that Temporal tells. Raises when the run is not green."""
        record = await self._starts.start(vtid, by="bench")
        run = self._ground.client.get_workflow_handle(vtid, run_id=record.run_id, result_type=RunReport)
        report = await asyncio.wait_for(run.result(), ENDS_WITHIN_SECONDS)
        assert report.status == TaskStatus.COMPLETED

    async def bare(self, vtid: str) -> None:
        await self._bare(Order(vtid))

    async def lean(self, vtid: str) -> None:
        await self._bare(Order(vtid, lean=True))

    async def _bare(self, order: Order) -> None:
        proven = await self._ground.client.execute_workflow(
            BareRun.run, order, id=f"bare-{order.vtid}", task_queue=BARE_QUEUE
        )
        assert proven == "proven"

    async def measure(self, one: OneRun, into: Measured, size: Size) -> None:
        """One half of a pair."""
        hands = "ours" if one == self.ours else "bare"
        vtids = [await self.prepare() for _ in range(size.singles + size.at_once)]
        cpu, server_cpu = self._cpu_ms("temporal", hands, "driver"), self._cpu_ms("temporal")
        into.single_ms.append(median([await _timed(one, vtid) for vtid in vtids[: size.singles]]))
        began = perf_counter()
        together = await asyncio.gather(*(_timed(one, vtid) for vtid in vtids[size.singles :]))
        into.per_second.append(size.at_once / (perf_counter() - began))
        into.together_ms.append(median(together))
        into.cpu_ms.append((self._cpu_ms("temporal", hands, "driver") - cpu) / len(vtids))
        into.server_cpu_ms.append((self._cpu_ms("temporal") - server_cpu) / len(vtids))

    def _cpu_ms(self, *names: str) -> float:
        return self._ground.cpu_seconds(*names) * 1000

    async def measure_sizes(self, runs: int, settle_seconds: float) -> list[Row]:
        """Events, history and database bytes of green runs."""
        files = (self._ground.ledger_file, self._ground.temporal_file)
        vtids = [await self.prepare() for _ in range(runs)]
        grown: dict[OneRun, list[float]] = {}
        seen: dict[OneRun, list[tuple[int, int]]] = {}
        for one, prefix in ((self.ours, ""), (self.bare, "bare-")):
            await asyncio.sleep(settle_seconds)
            before = [_bytes_of(file) for file in files]
            await asyncio.gather(*(one(vtid) for vtid in vtids))
            await asyncio.sleep(settle_seconds)
            grown[one] = [(_bytes_of(file) - was) / runs for file, was in zip(files, before, strict=True)]
            handles = [self._ground.client.get_workflow_handle(f"{prefix}{vtid}") for vtid in vtids]
            seen[one] = [await _history_of(handle) for handle in handles]
        of_ledger = await self._ground.ledger.events.read(vtid=vtids[0])
        kib = 1024
        (our_events, our_bytes), (bare_events, bare_bytes) = (seen[one][0] for one in (self.ours, self.bare))
        return [
            Row("events in Temporal's history, a run", our_events, bare_events, "", "<= 80"),
            Row("bytes of Temporal's history, a run", our_bytes / kib, bare_bytes / kib, "KiB"),
            Row("Temporal's database, a run", grown[self.ours][1] / kib, grown[self.bare][1] / kib, "KiB"),
            Row("events in the ledger, a run", sum(event.run_id is not None for event in of_ledger)),
            Row("the ledger's database, a run", grown[self.ours][0] / kib, None, "KiB"),
        ]


async def measure(ground: Ground, size: Size, *, lean: bool) -> list[Row]:
    """All rows of this part. lean: also against the leanest bare run, which takes half as long again."""
    pipeline = Pipeline(ground)
    kinds: dict[OneRun, Measured] = {pipeline.ours: Measured(), pipeline.bare: Measured()}
    if lean:
        kinds[pipeline.lean] = Measured()
    for one in kinds:  # the first ones fill caches and are not counted
        await pipeline.measure(one, Measured(), Size(1, 1, min(5, size.at_once)))
    for _ in range(size.pairs):
        for one, measured in kinds.items():
            await pipeline.measure(one, measured, size)
    ours, bare, *more = kinds.values()
    rows = _rows(ours, bare, size, "bare")
    for each in more:
        rows += _rows(ours, each, size, "lean bare")
    return rows + await pipeline.measure_sizes(size.at_once, size.settle_seconds)


def _rows(ours: Measured, bare: Measured, size: Size, name: str) -> list[Row]:
    at_once = f"{size.at_once} at once"
    return [
        of_pairs(f"green run, p50 ({name})", ours.single_ms, bare.single_ms, "ms", "<= 1.25x"),
        of_pairs(f"runs a second, {at_once} ({name})", ours.per_second, bare.per_second, "/s", ">= 0.85x"),
        of_pairs(f"p50, {at_once} ({name})", ours.together_ms, bare.together_ms, "ms"),
        of_pairs(f"cpu of a run ({name})", ours.cpu_ms, bare.cpu_ms, "ms", "<= 1.18x"),
        of_pairs(f"of it Temporal's server ({name})", ours.server_cpu_ms, bare.server_cpu_ms, "ms"),
    ]


async def _timed(one: OneRun, vtid: str) -> float:
    began = perf_counter()
    await one(vtid)
    return (perf_counter() - began) * 1000


async def _history_of(run: WorkflowHandle[object, object]) -> tuple[int, int]:
    """(events, bytes)"""
    info = (await run.describe()).raw_description.workflow_execution_info
    return info.history_length, info.history_size_bytes


def _bytes_of(file: Path) -> int:
    """The size of the database, with what still stands in its write-ahead log."""
    with closing(sqlite3.connect(file, timeout=10)) as database:
        pages, size = (
            database.execute(f"PRAGMA {each}").fetchone()[0] for each in ("page_count", "page_size")
        )
        return int(pages * size)
