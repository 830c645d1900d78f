"""A world that answers at once, so that what is measured is our orchestration: GitHub and coding worker in memory."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any

from temporalio.client import Client

from tests.workflows.world import REPOSITORY, GitHub
from vtid.domain.change import Check, CheckState, PullRequest
from vtid.domain.commands.messages import Acknowledge, SubmitEvidence
from vtid.domain.commands.work_orders import OfferWorkOrder, Progress, Workers
from vtid.domain.environment import ChecksPolicy, Environment, Service
from vtid.domain.evidence import ClaimedEvidence
from vtid.domain.ports import OrderBook
from vtid.domain.vtid import digits_of
from workflows.vtid_run import VtidRun

ENVIRONMENT = Environment(
    name="dev",
    project="bench",
    region="here",
    repository=REPOSITORY,
    services=(Service("shop", "shop", ("services/shop/**",)),),
    checks=ChecksPolicy(required=("ci",)),
)


class InstantGitHub(GitHub):
    """The world of the workflow tests for many runs at once: a pull request for each VTID, of the same number."""

    def __init__(self) -> None:
        super().__init__()
        self._looked_at: set[str] = set()

    def opened_for(self, vtid: str, branch: str) -> PullRequest:
        """What the coding worker brings."""
        number = int(digits_of(vtid))
        return self.open_pull(
            number, branch, head_sha=f"{number:040x}", title=f"{vtid}: do it", vtids=(vtid,)
        )

    def find_pull_requests(
        self, repository: str, vtid: str, environment: Environment, since: datetime | None = None
    ) -> Sequence[PullRequest]:
        pull = self.pulls.get(int(digits_of(vtid)))
        return [pull] if pull else []

    def checks(self, repository: str, sha: str) -> tuple[Check, ...]:
        """Pending when first looked at, then green: so that there is something to wait for, as in life."""
        state = CheckState.GREEN if sha in self._looked_at else CheckState.PENDING
        self._looked_at.add(sha)
        return (Check("ci", state, id=1),)

    def check_log(self, repository: str, check: Check) -> str:
        return ""


class StaffedOrders:
    """An order book with a coding worker who stands beside it: `staff` is told of each offer."""

    def __init__(self, orders: OrderBook, staff: Callable[[OfferWorkOrder], None]) -> None:
        self._orders = orders
        self._staff = staff

    async def offer(self, command: OfferWorkOrder) -> None:
        await self._orders.offer(command)
        self._staff(command)

    async def withdraw(self, order_id: str, reason: str) -> None:
        await self._orders.withdraw(order_id, reason)

    async def workers(self, seen_within_seconds: float) -> Workers:
        return await self._orders.workers(seen_within_seconds)

    async def progress(self, order_id: str) -> Progress:
        return await self._orders.progress(order_id)

    async def late_claims(self, run_id: str) -> Sequence[str]:
        return await self._orders.late_claims(run_id)


class Staff:
    """Coding workers that claim at once and hand in at once, each by the two Updates that the API sends."""

    def __init__(self, client: Client, github: InstantGitHub | None = None) -> None:
        self._client = client
        self._github = github or InstantGitHub()
        self._at_work: set[asyncio.Task[None]] = set()

    def take(self, order: OfferWorkOrder) -> None:
        """Work on an order of ours."""
        self._begin(self._work(order))

    def take_bare(self, vtid: str) -> None:
        """Work on an order of the bare workflow."""
        self._begin(self._work_bare(vtid))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._at_work.discard(task)
        task.result()  # a worker that fails is told by the event loop; its run does not end, and that is seen

    async def _work(self, order: OfferWorkOrder) -> None:
        run = self._client.get_workflow_handle(order.vtid, run_id=order.run_id)
        terms = await run.execute_update(VtidRun.acknowledge, Acknowledge(order.order_id, "ada"))
        pull = self._github.opened_for(order.vtid, order.branch)
        claim = ClaimedEvidence(pr_url=pull.url, head_sha=pull.head_sha, branch=pull.branch, by="ada")
        await run.execute_update(VtidRun.submit_evidence, SubmitEvidence(terms.attempt, "ada", claim))

    async def _work_bare(self, vtid: str) -> None:
        run = self._client.get_workflow_handle(f"bare-{vtid}")
        await run.execute_update("acknowledge", "ada")
        await run.execute_update("submit", "https://github.test/acme/shop/pull/7")
