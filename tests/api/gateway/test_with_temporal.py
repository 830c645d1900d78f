"""The clients of old against the real workflow on a real dev server."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any, cast

import pytest
from temporalio.client import Client

from api.app import create_app, stop
from api.composing import Outside
from api.runs import Runs
from tests.api.conftest import OPTIONS
from tests.api.gateway.clients import HEAD, Forge, Mcp, Runner
from tests.api.test_temporal import Live, temporal
from vtid.configuration.environments import load_environments
from vtid.configuration.settings import SHIPPED_ENVIRONMENTS
from vtid.domain.ports import MigrationsHost, TrafficHost, VersionProbe
from vtid.ledger import Ledger
from worker import steps, workers

pytestmark = pytest.mark.e2e
__all__ = ["temporal"]  # the fixture of the dev server


@pytest.fixture
async def live(temporal: Client, ledger: Ledger, forge: Forge) -> AsyncIterator[Live]:
    keys = {role: f"secret-of-{role}" for role in ("viewer", "admin")}
    for role, secret in keys.items():
        await ledger.keys.create(name=f"{role}-1", role=role, secret=secret)
    nobody = (cast(TrafficHost, None), cast(VersionProbe, None), cast(MigrationsHost, None))
    activities = steps(ledger.journal, ledger.orders, forge.port(), *nobody)
    app = create_app(
        ledger, Runs(temporal), load_environments(SHIPPED_ENVIRONMENTS), OPTIONS, Outside(forge.port())
    )
    async with AsyncExitStack() as running:
        threads = running.enter_context(ThreadPoolExecutor(4))
        for worker in workers(temporal, activities, threads):
            await running.enter_async_context(worker)
        yield Live(app, ledger, cast(Any, app.state.services.engine), keys)
        stop(app)
        async for execution in temporal.list_workflows("ExecutionStatus='Running'"):
            await temporal.get_workflow_handle(execution.id).terminate("the test is over")


async def told_of(live: Live, vtid: str, kind: str) -> list[dict[str, Any]]:
    """The run's events of this type, as soon as there is one."""
    async with asyncio.timeout(30):
        while True:
            position = await live.ledger.events.last_position()
            found = [each.data for each in await live.ledger.events.read(vtid=vtid) if each.type == kind]
            if found:
                return found
            await live.ledger.events.more(position, 0.5)


async def test_success_without_a_pull_request_is_looked_up_and_refused_once(live: Live) -> None:
    vtid, runner = await live.task(), Runner(live)
    await runner.register()
    await runner.post("/api/v1/vtid/lifecycle/start", {"vtid": vtid, "source": "ui"})
    claims = await asyncio.gather(*(runner.claim(vtid) for _ in range(4)))
    run_id = (await runner.route(vtid))["run_id"]
    await runner.subagent("start", vtid, run_id)
    assert (await runner.beat(vtid))["action"] == "continue"

    await asyncio.gather(*(runner.complete(vtid, run_id) for _ in range(4)))
    await asyncio.gather(*(runner.terminalize(vtid, run_id) for _ in range(4)))
    await runner.release(vtid)

    assert {(claim["run_id"], claim["attempt"]) for claim in claims} == {(run_id, 1)}
    (ended,) = await told_of(live, vtid, "attempt.ended")
    assert (ended["attempt"], ended["code"]) == (1, "EVIDENCE_REFUSED")
    assert len(await told_of(live, vtid, "evidence.claimed")) == 1


async def test_a_pull_request_that_github_shows_takes_the_run_to_the_validator(
    live: Live, forge: Forge
) -> None:
    vtid, mcp = await live.started(), Mcp(live)
    decision = await mcp.route(vtid)
    pull = forge.open(vtid)

    await mcp.tell(vtid, "vtid.progress", step="pushed")
    told = await mcp.evidence(vtid, pull.url)
    done = await mcp.complete(vtid)

    assert (decision["mode"], told["evidence"]["state"], done["is_terminal"]) == (
        "unattended",
        "handed_in",
        False,
    )
    (observed,) = await told_of(live, vtid, "evidence.observed")
    assert (observed["source"], observed["pull_request"]["head_sha"]) == ("handed_in", HEAD)
    assert (await live.view_once(vtid, stage="VALIDATOR"))["evidence"]["claimed"]["head_sha"] == HEAD
    timeline = (await mcp.get(f"/api/v1/vtid/{vtid}"))["stageTimeline"]
    assert [entry["status"] for entry in timeline[:2]] == ["success", "success"]


async def test_a_pull_request_that_nobody_named_is_found_by_its_branch(live: Live, forge: Forge) -> None:
    vtid, runner = await live.started(), Runner(live)
    claim = await runner.claim(vtid)
    pull = forge.open(vtid)

    await runner.complete(vtid, claim["run_id"])

    (observed,) = await told_of(live, vtid, "evidence.observed")
    assert (observed["source"], observed["pull_request"]["url"]) == ("found", pull.url)
