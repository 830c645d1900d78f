"""Versions of the worker, against a real dev server of their own: a run ends with the build that began it."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from api.app import create_app, stop
from api.reconciler import Reconciler
from api.runs import Runs
from vtid.configuration.environments import load_environments
from vtid.configuration.settings import SHIPPED_ENVIRONMENTS
from vtid.domain.limits import LIMITS, carried
from vtid.domain.serving import WatchRequest
from vtid.domain.vtid import short_run
from vtid.ledger import Ledger
from worker import steps, workers
from workflows.connection import DEPLOYMENT, VtidPlugin
from workflows.first_build import NotMadeCurrent, make_first_current

from .conftest import OPTIONS
from .stage import Play
from .test_temporal import ATTRIBUTES, EmptyForge, Live

pytestmark = pytest.mark.e2e

OLD, NEW = "a" * 40, "b" * 40


@pytest.fixture
async def temporal() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(Path(sys.executable).with_name("temporal")),
        search_attributes=[SearchAttributeKey.for_keyword(name) for name in ATTRIBUTES],
        dev_server_log_level="never",
        plugins=[VtidPlugin()],
    ) as environment:
        yield environment.client


@pytest.fixture
async def live(temporal: Client, ledger: Ledger, keys: dict[str, str]) -> AsyncIterator[Live]:
    for role, secret in keys.items():
        await ledger.keys.create(name=f"{role}-1", role=role, secret=secret)
    app = create_app(ledger, Runs(temporal), load_environments(SHIPPED_ENVIRONMENTS), OPTIONS)
    yield Live(app, ledger, cast(Any, app.state.services.engine), keys)
    stop(app)


@asynccontextmanager
async def working(temporal: Client, ledger: Ledger, build: str | None) -> AsyncIterator[None]:
    """A worker process of this build."""
    outside = [cast(Any, EmptyForge()), *(cast(Any, None) for _ in range(3))]
    activities = steps(ledger.journal, ledger.orders, *outside)
    async with AsyncExitStack() as running:
        threads = running.enter_context(ThreadPoolExecutor(4))
        for worker in workers(temporal, activities, threads, build=build):
            await running.enter_async_context(worker)
        yield


async def make_current(temporal: Client, build: str) -> None:
    """As an operator does, as soon as Temporal has heard of the build."""
    wish = SetWorkerDeploymentCurrentVersionRequest(
        namespace=temporal.namespace, deployment_name=DEPLOYMENT, build_id=build
    )
    async with asyncio.timeout(30):
        while True:
            try:
                await temporal.workflow_service.set_worker_deployment_current_version(wish)
            except RPCError:
                await asyncio.sleep(0.1)  # it cannot be told when: nobody announces a version
            else:
                return


async def move_to_current(temporal: Client, vtid: str) -> None:
    """As an operator does, by the command that the page for the night names."""
    behaviour = ("--versioning-override-behavior", "auto_upgrade")
    command = ("workflow", "update-options", "--workflow-id", vtid, *behaviour)
    where = ("--address", temporal.service_client.config.target_host)
    program = str(Path(sys.executable).with_name("temporal"))
    ran = await asyncio.create_subprocess_exec(program, *command, *where, stdout=DEVNULL)
    assert await ran.wait() == 0


async def offered(live: Live) -> str:
    """A run that lies ready for coding workers."""
    vtid = await live.started()
    async with asyncio.timeout(15):
        while not (await live.ledger.orders.list(state="offered", vtid=vtid)):
            await live.ledger.events.more(await live.ledger.events.last_position(), 0.2)
    return vtid


async def ended(live: Live, vtid: str) -> None:
    await live.post(f"/runs/{vtid}/cancel", {"reason": "enough seen"})
    await live.view_once(vtid, outcome="cancellation")


async def worked_by(temporal: Client, vtid: str) -> set[str]:
    """The builds that did its workflow tasks."""
    history = await temporal.get_workflow_handle(vtid).fetch_history()
    done = [each.workflow_task_completed_event_attributes for each in history.events
            if each.HasField("workflow_task_completed_event_attributes")]  # fmt: skip
    return {each.deployment_version.build_id for each in done}


async def test_a_run_ends_with_the_build_that_began_it_and_new_ones_begin_with_the_current(
    temporal: Client, live: Live
) -> None:
    ready = live.services.readiness.look
    async with working(temporal, live.ledger, NEW), AsyncExitStack() as old:
        await old.enter_async_context(working(temporal, live.ledger, OLD))
        await make_current(temporal, OLD)
        first, left, moved = await offered(live), await offered(live), await offered(live)
        await make_current(temporal, NEW)
        second = await offered(live)

        await ended(live, first)
        await ended(live, second)
        assert (await worked_by(temporal, first), await worked_by(temporal, second)) == ({OLD}, {NEW})
        assert (await ready())["worker"].ok

        await old.aclose()
        later = datetime.now(UTC) + timedelta(seconds=90)
        assert await engine_seen(live, left, at=later) == "stuck"

        await move_to_current(temporal, moved)
        assert await engine_seen(live, moved, at=later) == "ok"
        await ended(live, moved)
        assert await worked_by(temporal, moved) == {OLD, NEW}

        async with working(temporal, live.ledger, OLD):
            assert await engine_seen(live, left, at=datetime.now(UTC)) == "ok"
            await ended(live, left)


async def engine_seen(play: Play, vtid: str, *, at: datetime) -> str:
    """What a comparison at this moment finds."""
    given = play.services
    loop = Reconciler(
        play.ledger, given.engine, given.starts, given.presenter, given.metrics, now=lambda: at
    )  # fmt: skip
    await loop.reconcile()
    return str((await play.get(f"/runs/{vtid}")).json()["engine"])


async def test_the_first_build_of_an_installation_is_current_by_itself_and_no_later_one(
    temporal: Client, live: Live
) -> None:
    async with working(temporal, live.ledger, OLD):
        assert await make_first_current(temporal, OLD)
        vtid = await offered(live)
        async with working(temporal, live.ledger, NEW):
            assert not await make_first_current(temporal, NEW)
            await ended(live, vtid)

    assert await worked_by(temporal, vtid) == {OLD}


async def test_a_build_that_nobody_works_for_is_not_made_current(temporal: Client) -> None:
    with pytest.raises(NotMadeCurrent, match="within 1 s"):
        await make_first_current(temporal, NEW, within_seconds=1)


async def test_a_worker_whose_build_is_not_current_is_told_with_the_command_that_makes_it_so(
    temporal: Client, live: Live
) -> None:
    async with working(temporal, live.ledger, NEW):
        async with asyncio.timeout(30):
            while NEW not in (await live.services.engine.pollers()).last_polled:
                await asyncio.sleep(0.1)
        before = (await live.services.readiness.look())["worker"]
        await make_current(temporal, NEW)
        after = (await live.services.readiness.look())["worker"]

    assert (before.ok, after.ok) == (False, True)
    assert f"set-current-version --deployment-name {DEPLOYMENT} --build-id {NEW}" in before.says


async def test_runs_of_workers_without_a_version_go_on_with_the_first_build_that_is_made_current(
    temporal: Client, live: Live
) -> None:
    async with working(temporal, live.ledger, None):
        vtid = await offered(live)
    async with working(temporal, live.ledger, NEW):
        await make_current(temporal, NEW)
        await ended(live, vtid)

    assert await worked_by(temporal, vtid) == {"", NEW}


async def test_a_sentinel_goes_on_with_the_build_that_is_current(temporal: Client, live: Live) -> None:
    request = watch_request(live)
    async with working(temporal, live.ledger, NEW):
        async with working(temporal, live.ledger, OLD):
            await make_current(temporal, OLD)
            await live.services.engine.watch(request)
            await looked(temporal, OLD)
            await make_current(temporal, NEW)

        await looked(temporal, NEW)


async def test_a_sentinel_looks_again_where_workers_have_no_version(temporal: Client, live: Live) -> None:
    async with working(temporal, live.ledger, None):
        await live.services.engine.watch(watch_request(live))

        await looked(temporal, "", times=3)


def watch_request(live: Live) -> WatchRequest:
    """A sentinel that looks every second."""
    environment = live.services.environments["dev"]
    looks = replace(LIMITS["watch_deployment"], back_off=(timedelta(seconds=1),))
    limits = carried(LIMITS | {"watch_deployment": looks})
    return WatchRequest("VTID-00077", "run-77", "acme/shop", environment, (), "c" * 40, limits)


async def looked(temporal: Client, build: str, *, times: int = 1) -> None:
    """The sentinel has looked so often, and this build took the last look."""
    handle = temporal.get_workflow_handle(f"VTID-00077-sentinel-{short_run('run-77')}")
    async with asyncio.timeout(30):
        while True:
            steps = (await handle.describe()).raw_description.pending_activities
            if any(each.attempt > times and each.last_deployment_version.build_id == build for each in steps):
                return
            await asyncio.sleep(0.1)
