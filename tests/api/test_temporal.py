"""The door to Temporal, against a real dev server and the real workflow."""

import asyncio
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from fastapi import FastAPI
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from api.app import create_app, stop
from api.engine import EngineUnavailable, RunRef
from api.reconciler import Reconciler
from api.runs import Runs
from api.starts import Starts
from vtid.configuration.environments import load_environments
from vtid.configuration.settings import SHIPPED_ENVIRONMENTS
from vtid.domain.change import PullRequest
from vtid.domain.limits import carried
from vtid.domain.ports import CodeHost, MigrationsHost, TrafficHost, VersionProbe
from vtid.domain.serving import WatchRequest
from vtid.ledger import Ledger
from worker import steps, workers
from workflows.connection import VtidPlugin, connect

from .broken_run import BrokenRun
from .conftest import OPTIONS
from .stage import Play

pytestmark = pytest.mark.e2e

ATTRIBUTES = ("VtidStage", "VtidState", "VtidFailureCode", "VtidEnvironment", "VtidRepository")


class EmptyForge:
    """A code host on which nobody has done anything yet: as far as these runs come."""

    def find_pull_requests(self, *_: Any, **__: Any) -> tuple[PullRequest, ...]:
        return ()


@pytest.fixture(scope="module")
async def temporal() -> AsyncIterator[Client]:
    keys = [SearchAttributeKey.for_keyword(name) for name in ATTRIBUTES]
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(Path(sys.executable).with_name("temporal")),
        search_attributes=keys,
        dev_server_log_level="error",
        plugins=[VtidPlugin()],
    ) as environment:
        yield environment.client


@dataclass
class Live(Play):
    """A play whose engine is Temporal, with a worker that works in it."""

    app: FastAPI

    async def started(self) -> str:
        """A run whose order lies ready for workers."""
        vtid = await self.task()
        answer = await self.post("/runs", {"vtid": vtid})
        assert answer.status_code == 202, answer.text
        return vtid

    async def view_once(self, vtid: str, **wanted: object) -> dict[str, Any]:
        """The run view as soon as it has these values."""
        async with asyncio.timeout(15):
            while True:
                view: dict[str, Any] = (await self.get(f"/runs/{vtid}")).json()
                if wanted.items() <= view.items():
                    return view
                await self.ledger.events.more(await self.ledger.events.last_position(), 0.2)


@pytest.fixture
async def live(temporal: Client, ledger: Ledger, keys: dict[str, str]) -> AsyncIterator[Live]:
    for role, secret in keys.items():
        await ledger.keys.create(name=f"{role}-1", role=role, secret=secret)
    nobody = (
        cast(CodeHost, EmptyForge()),
        cast(TrafficHost, None),
        cast(VersionProbe, None),
        cast(MigrationsHost, None),
    )
    activities = steps(ledger.journal, ledger.orders, *nobody)
    app = create_app(ledger, Runs(temporal), load_environments(SHIPPED_ENVIRONMENTS), OPTIONS)
    async with AsyncExitStack() as running:
        threads = running.enter_context(ThreadPoolExecutor(4))
        for worker in workers(temporal, activities, threads):
            await running.enter_async_context(worker)
        yield Live(app, ledger, cast(Any, app.state.services.engine), keys)
        stop(app)
        # By name and not by Temporal's list, which learns of a run only after a while: the next test's ledger counts
        # from one again.
        for record in (await ledger.runs.list(limit=100)).items:
            with suppress(RPCError):  # it ended by itself
                await temporal.get_workflow_handle(record.vtid).terminate("the test is over")


async def test_a_run_is_claimed_once_beaten_and_stopped_through_temporal(live: Live) -> None:
    vtid = await live.started()

    claims = await asyncio.gather(*(live.claim(f"w{n}", vtid=vtid, wait_seconds=2) for n in range(20)))
    (won,) = [claim for claim in claims if claim.status_code == 200]
    grant = won.json()
    assert {claim.status_code for claim in claims} == {200, 204}
    assert (await live.say(grant, "heartbeat")).json()["action"] == "continue"
    await live.view_once(vtid, stage="WORKER", worker=grant["worker_id"])

    cancelled = await live.post(f"/runs/{vtid}/cancel", {"reason": "not wanted"})
    assert cancelled.status_code == 200
    async with asyncio.timeout(10):
        while (told := (await live.say(grant, "heartbeat")).json())["action"] == "continue":
            await asyncio.sleep(0.05)
    assert told["reason"] == "not wanted"
    assert (await live.say(grant, "release", reason="stopped")).status_code == 200

    view = await live.view_once(vtid, status="cancelled")
    assert "confirmed the stop" in view["note"]
    assert (await live.post("/runs", {"vtid": vtid})).status_code == 202


async def test_a_start_is_found_again_by_its_id(live: Live) -> None:
    vtid = await live.started()
    record = await live.ledger.runs.current(vtid)
    again = await live.services.starts.bring_to_engine(record)

    assert again.run_id == record.run_id


async def test_a_claim_that_is_repeated_meets_the_same_update(live: Live) -> None:
    vtid = await live.started()
    first = (await live.claim("w1", vtid=vtid, wait_seconds=5)).json()
    again = (await live.claim("w1", vtid=vtid)).json()

    assert [again[name] for name in ("order_id", "attempt")] == [first["order_id"], first["attempt"]]


async def test_evidence_under_no_lease_is_refused_by_the_run(live: Live) -> None:
    vtid = await live.started()
    grant = (await live.claim("w1", vtid=vtid, wait_seconds=5)).json()
    pull = {"pr_url": "https://github.com/acme/shop/pull/7", "head_sha": "a" * 40}
    assert (await live.say(grant, "fail", message="no disk", retryable=True)).status_code == 200
    await live.view_once(vtid, worker=None)

    late = await live.say(grant, "evidence", **pull)

    assert (late.status_code, late.json()["code"]) == (409, "LEASE_LOST")


async def test_a_run_terminated_in_temporal_is_seen(live: Live, temporal: Client) -> None:
    vtid = await live.started()
    await temporal.get_workflow_handle(vtid).terminate("by hand")
    given = live.services
    loop = Reconciler(
        live.ledger, given.engine, given.starts, given.presenter, given.metrics, grace=timedelta(0)
    )

    await loop.reconcile()

    view = (await live.get(f"/runs/{vtid}")).json()
    assert (view["status"], view["failure"]["code"]) == ("rejected", "ENGINE_TERMINATED")
    assert (await live.post("/runs", {"vtid": vtid})).status_code == 202


async def test_a_missing_namespace_is_an_outage_and_says_nothing_about_runs(temporal: Client) -> None:
    runs = Runs(Client(temporal.service_client, namespace="nowhere"))

    with pytest.raises(EngineUnavailable, match="Namespace nowhere is not found"):
        await runs.describe("VTID-00001")
    with pytest.raises(EngineUnavailable, match="nowhere"):
        await runs.beat(RunRef("VTID-00001", "x"), 1)


async def reset(temporal: Client, run: RunRef, task: int) -> str:
    """Reset a run by hand to its n-th completed workflow task (0 the first, -1 the last); the new run id."""
    history = await temporal.get_workflow_handle(run.vtid, run_id=run.run_id).fetch_history()
    done = [e for e in history.events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    answer = await temporal.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=temporal.namespace,
            workflow_execution=WorkflowExecution(workflow_id=run.vtid, run_id=run.run_id),
            workflow_task_finish_event_id=done[task].event_id,
            reason="by hand",
            request_id=uuid4().hex,
        )
    )
    return answer.run_id


@pytest.mark.parametrize("task", [0, -1], ids=["to its first task", "to its last task"])
async def test_a_run_reset_in_temporal_is_over_and_its_new_execution_does_nothing(
    live: Live, temporal: Client, task: int
) -> None:
    vtid = await live.started()
    # A claim is answered by a workflow task, so one is complete; the ledger may hear of the stage before that.
    assert (await live.claim("w1", vtid=vtid, wait_seconds=5)).status_code == 200
    await live.view_once(vtid, worker="w1")
    run_id = (await live.ledger.runs.current(vtid)).run_id or ""
    new = await reset(temporal, RunRef(vtid, run_id), task)

    with pytest.raises(WorkflowFailureError) as ended:
        await asyncio.wait_for(temporal.get_workflow_handle(vtid, run_id=new).result(), 15)
    await live.services.reconciler.reconcile()

    cause = ended.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, "does nothing" in cause.message) == ("ENGINE_TERMINATED", True)
    view = (await live.get(f"/runs/{vtid}")).json()
    assert (view["engine"], view["failure"]["code"]) == ("terminated", "ENGINE_TERMINATED")
    assert new in view["failure"]["message"]
    orders = [order for order in await live.ledger.orders.list() if order.vtid == vtid]
    assert [(order.run_id, order.state) for order in orders] == [(run_id, "ended")]
    assert {event.run_id for event in await live.ledger.events.read(vtid=vtid)} == {None, run_id}
    assert (await live.post("/runs", {"vtid": vtid})).status_code == 202


async def test_a_hundred_heartbeats_add_nothing_to_the_history(live: Live, temporal: Client) -> None:
    vtid = await live.started()
    grant = (await live.claim("w1", vtid=vtid, wait_seconds=5)).json()
    await live.view_once(vtid, worker="w1")
    assert (await live.say(grant, "heartbeat")).status_code == 200
    before = len((await temporal.get_workflow_handle(vtid).fetch_history()).events)

    for _ in range(100):
        assert (await live.say(grant, "heartbeat")).json()["action"] == "continue"

    assert len((await temporal.get_workflow_handle(vtid).fetch_history()).events) == before


async def test_a_run_whose_workflow_task_keeps_failing_is_told_to_be_stuck(
    live: Live, temporal: Client
) -> None:
    given = live.services
    broken = Starts(live.ledger, Runs(temporal, task_queue="broken"), load_environments(SHIPPED_ENVIRONMENTS))
    loop = Reconciler(live.ledger, given.engine, broken, given.presenter, given.metrics)
    vtid = await live.task()
    async with Worker(temporal, task_queue="broken", workflows=[BrokenRun], max_cached_workflows=0):
        await broken.start(vtid, by="ann")
        async with asyncio.timeout(60):
            while (await live.get(f"/runs/{vtid}")).json()["engine"] != "stuck":
                await loop.reconcile()
                await asyncio.sleep(0.2)

    view = (await live.get(f"/runs/{vtid}")).json()
    assert view["outcome"] is None  # a bug of ours fails no run


async def test_readiness_sees_the_polling_worker(live: Live) -> None:
    await live.started()

    findings = await live.services.readiness.look()

    assert findings["worker"].ok


async def test_without_temporal_the_api_answers_and_says_so(
    ledger: Ledger, keys: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    runs = Runs(await connect(lazy=True))
    await ledger.keys.create(name="admin-1", role="admin", secret=keys["admin"])
    app = create_app(ledger, runs, load_environments(SHIPPED_ENVIRONMENTS), OPTIONS)
    play = Play(app, ledger, cast(Any, runs), keys)
    vtid = await play.task()

    answer = await play.post("/runs", {"vtid": vtid})

    assert (answer.status_code, answer.json()["code"]) == (503, "TEMPORAL_UNAVAILABLE")
    with pytest.raises(EngineUnavailable):
        await runs.beat(RunRef(vtid, "x"), 1)


async def test_a_sentinel_that_was_ended_is_begun_anew_and_one_at_work_is_left(temporal: Client) -> None:
    environment = load_environments(SHIPPED_ENVIRONMENTS)["dev"]
    run_id, engine = str(uuid4()), Runs(temporal, task_queue="nobody works here")
    request = WatchRequest("VTID-04711", run_id, "acme/shop", environment, (), "b" * 40, carried({}))
    sentinel = temporal.get_workflow_handle(f"VTID-04711-sentinel-{run_id[-8:]}")

    await engine.watch(request)
    first = (await sentinel.describe()).run_id
    await engine.watch(request)
    assert (await sentinel.describe()).run_id == first
    await sentinel.terminate("by hand")
    await engine.watch(request)

    assert (await sentinel.describe()).run_id != first
    await sentinel.terminate("the test is over")
