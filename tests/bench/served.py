"""What the whole stack serves: reads against FastAPI's floor, changes to the stream, heartbeats."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import httpx
import yaml
from temporalio.client import Client

from tests.bench import hints
from tests.bench.figures import Row, of_pairs, p95
from tests.bench.gets import Get, times
from vtid.cli.layout import ROOT
from vtid.cli.ports import LOOPBACK, free_ports
from vtid.cli.probes import answering, until
from vtid.cli.processes import Child
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.hired import Hired
from vtid.cli.scenarios.runner import ENVIRONMENT, ENVIRONMENTS
from vtid.cli.session import Session
from vtid.cli.stack import Stack
from vtid.cli.stream import Connected, Happened, follow
from vtid.configuration.environments import load_environments
from vtid.domain.environment import Environment

BEATS = 100
CONNECTIONS = 16
READY_SECONDS = 30.0


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    pairs: int
    seconds: float  # of each half of a pair of reads
    runs: int  # that are watched
    hints: int  # runs that wait for a webhook


async def measure(data_dir: Path, size: Size) -> list[Row]:
    """All rows of this part, on a stack of its own in `data_dir`."""
    file = _environments(data_dir)
    async with Stack(data_dir, simulate=True, port=0, env={"VTID_ENVIRONMENTS": str(file)}) as stack:
        environment = load_environments(file)[ENVIRONMENT]
        client = await Client.connect(stack.temporal)
        finished, rows = await _measure_stream(stack, environment, client, size.runs)
        rows += await hints.measure(stack, load_environments(file)[hints.HINTED], size.hints)
        async with Drill(stack, environment, "bench-held") as drill:
            rows += await _measure_beats(drill, client)
            for state, vtid in (("under way", drill.vtid), ("finished", finished)):
                rows += await _measure_reads(stack, vtid, state, size)
    return rows


def _environments(data_dir: Path) -> Path:
    """The shipped drill, but a lease may stay silent for minutes, so that its run stands still to be read."""
    drill = yaml.safe_load(ENVIRONMENTS.read_text(encoding="utf-8"))[ENVIRONMENT]
    drill["limits"] |= {
        "hold_lease": {"one_try": "10m", "budget": "10m", "heartbeat": "5m"},
        "progress": "10m",
    }
    file = data_dir / "environments.yaml"
    file.write_text(
        yaml.safe_dump({ENVIRONMENT: drill, hints.HINTED: hints.declared(drill)}), encoding="utf-8"
    )
    return file


# --- a change of the workflow to a client of the stream


async def _measure_stream(
    stack: Stack, environment: Environment, client: Client, runs: int
) -> tuple[str, list[Row]]:
    """The VTID of a finished run, and the rows. Simulated workers carry the runs out."""
    told: list[float] = []
    history: list[float] = []
    connected = asyncio.Event()
    session = Session(stack.api, stack.token, stack.data_dir, True)
    watching = [asyncio.create_task(_watch(session, told, connected))]
    worker = await Hired.start(stack, "bench-worker", news=lambda: None)
    try:
        await asyncio.wait_for(connected.wait(), READY_SECONDS)
        for n in range(runs):
            async with Drill(stack, environment, f"bench-{n}") as drill:
                await drill.start()
                watching.append(asyncio.create_task(_watch_history(client, drill.vtid, history)))
                await drill.until_over()
                vtid = drill.vtid
    finally:
        await worker.dismiss()
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    floor = "Temporal's own long poll of the history"
    return vtid, [
        Row("change to stream client, p50", median(told), median(history), "ms", "", median(told) / median(history), note=floor),
        Row("change to stream client, p95", p95(told), p95(history), "ms", "<= 2x", p95(told) / p95(history), note=f"{len(told)} changes"),
    ]  # fmt: skip


async def _watch(session: Session, told: list[float], connected: asyncio.Event) -> None:
    async for each in follow(session):
        if isinstance(each, Connected):
            connected.set()
        elif isinstance(each, Happened) and each.run is not None and each.event["seq"] is not None:
            told.append(_age_ms(datetime.fromisoformat(each.event["at"])))


async def _watch_history(client: Client, vtid: str, seen: list[float]) -> None:
    """What was there before we looked is not counted."""
    began = datetime.now(UTC)
    async for event in client.get_workflow_handle(vtid).fetch_history_events(wait_new_event=True):
        at = event.event_time.ToDatetime(tzinfo=UTC)
        if at > began:
            seen.append(_age_ms(at))


def _age_ms(at: datetime) -> float:
    return (datetime.now(UTC) - at).total_seconds() * 1000


# --- heartbeats


async def _measure_beats(drill: Drill, client: Client) -> list[Row]:
    """A claimed order, kept alive through the API; its run stands still meanwhile."""
    await drill.start()
    ask = {"worker_id": "bench-beater", "vtid": drill.vtid, "wait_seconds": 20}
    grant = await drill.call("POST", "/api/v1/work-orders/claim", ask)
    await drill.until_event("work_order.claimed")
    run = client.get_workflow_handle(drill.vtid)
    await asyncio.sleep(1)  # the lease is opened a moment after the claim
    before = (await run.describe()).history_length
    taken = []
    for n in range(BEATS):
        began = datetime.now(UTC)
        beat = {"lease": grant["lease"], "progress": {"step": n}}
        answer = await drill.call("POST", f"/api/v1/work-orders/{grant['order_id']}/heartbeat", beat)
        assert answer["action"] == "continue"
        taken.append(_age_ms(began))
    after = (await run.describe()).history_length
    return [
        Row(f"history events of {BEATS} heartbeats", after - before, None, "", "0"),
        Row("heartbeat through the API, p50", median(taken), None, "ms"),
    ]


# --- reads


async def _measure_reads(stack: Stack, vtid: str, state: str, size: Size) -> list[Row]:
    ours = Get(f"{stack.api}/api/v1/runs/{vtid}", stack.token)
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {stack.token}"}) as client:
        content = (await client.get(ours.url)).raise_for_status().content
    async with _floor(stack.data_dir, content) as url:
        floor = Get(f"{url}/api/v1/runs/{vtid}")
        alone: dict[Get, list[float]] = {ours: [], floor: []}
        rates: dict[Get, list[float]] = {ours: [], floor: []}
        for get in (ours, floor):  # warm
            await times(get, connections=2, seconds=0.3)
        for _ in range(size.pairs):
            for get in (ours, floor):
                taken, _ = await times(get, connections=1, seconds=size.seconds / 2)
                alone[get].append(median(taken))
                rates[get].append((await times(get, connections=CONNECTIONS, seconds=size.seconds))[1])
    name = f"GET of a run {state}"
    return [
        of_pairs(f"{name}, {CONNECTIONS} at once", rates[ours], rates[floor], "/s", ">= 0.75x", f"{len(content)} bytes"),
        of_pairs(f"{name}, p50 of one at a time", alone[ours], alone[floor], "ms"),
    ]  # fmt: skip


@asynccontextmanager
async def _floor(data_dir: Path, content: bytes) -> AsyncIterator[str]:
    """A process that answers with these bytes."""
    (port,) = free_ports(1)
    url = f"http://{LOOPBACK}:{port}"
    file = data_dir / "answer.json"
    file.write_bytes(content)
    argv = (sys.executable, "-m", "tests.bench.floor", str(file), str(port))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = await Child.start("floor", argv, env, data_dir / "logs" / "floor.log")
    try:
        await asyncio.wait_for(until(answering(f"{url}/api/v1/runs/any")), READY_SECONDS)
        yield url
    finally:
        child.kill()
        await child.wait()
