"""The yardstick: the outside steps of a green run as a bare Temporal workflow, with no ledger and no story.

Nine steps, one of them a lease that is completed from outside, and two Updates of the coding worker. Whatever
VtidRun costs more is ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

BARE_QUEUE = "bench-bare"
BARE_GITHUB_QUEUE = "bench-bare-github"

_ONE_TRY = timedelta(seconds=30)
_LEASE = timedelta(minutes=30)
_SILENCE = timedelta(seconds=90)


@dataclass(frozen=True)
class Order:
    """What a bare run is started with, and what it offers to the coding worker.

    Every step is an ordinary activity, five of them on GitHub's queue as ours. lean: the least that Temporal
    can do for these steps; two of them local, as ours, and one queue for all.
    """

    vtid: str
    lean: bool = False


class BareSteps:
    """Steps that answer at once. `staff` plays the coding worker of an offered order."""

    def __init__(self, staff: Callable[[str], None]) -> None:
        self._staff = staff

    @activity.defn
    def find_merged(self, order: Order) -> str | None:
        return None

    @activity.defn
    async def offer(self, order: Order) -> None:
        self._staff(order.vtid)

    @activity.defn
    async def hold(self, order: Order) -> None:
        activity.raise_complete_async()

    @activity.defn
    def facts(self, order: Order) -> str:
        return "green"

    @activity.defn
    def checks(self, order: Order) -> str:
        return "green"

    @activity.defn
    def merge(self, order: Order) -> str:
        return "b" * 40

    @activity.defn
    def deploy_run(self, order: Order) -> str:
        return "success"

    @activity.defn
    def prove(self, order: Order) -> str:
        return "proven"

    @activity.defn
    def report(self, order: Order) -> str:
        return "success"


def bare_steps(staff: Callable[[str], None]) -> tuple[list[Callable[..., Any]], list[Callable[..., Any]]]:
    """(those of the runs' queue, those of GitHub's queue); the runs' queue can do all, for lean runs."""
    steps = BareSteps(staff)
    github: list[Callable[..., Any]] = [
        steps.facts, steps.checks, steps.merge, steps.deploy_run, steps.report,
    ]  # fmt: skip
    return [steps.find_merged, steps.offer, steps.hold, steps.prove, *github], github


@workflow.defn
class BareRun:
    def __init__(self) -> None:
        self._claimed = False
        self._evidence: str | None = None

    @workflow.run
    async def run(self, order: Order) -> str:
        await _done_here(BareSteps.find_merged, order)
        await _done_here(BareSteps.offer, order)
        await workflow.wait_condition(lambda: self._claimed)
        lease = workflow.start_activity_method(
            BareSteps.hold,
            order,
            schedule_to_close_timeout=_LEASE,
            heartbeat_timeout=_SILENCE,
            retry_policy=RetryPolicy(maximum_attempts=1),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await workflow.wait_condition(lambda: self._evidence is not None)
        lease.cancel()
        queue = BARE_QUEUE if order.lean else BARE_GITHUB_QUEUE
        for step in (BareSteps.facts, BareSteps.checks, BareSteps.merge, BareSteps.deploy_run):
            await _done(step, order, queue)
        proven = await _done(BareSteps.prove, order, BARE_QUEUE)
        await _done(BareSteps.report, order, queue)
        return proven

    @workflow.update
    def acknowledge(self, worker: str) -> int:
        self._claimed = True
        return 1

    @acknowledge.validator
    def _check_acknowledge(self, worker: str) -> None:
        if self._claimed:
            raise ApplicationError("claimed already")

    @workflow.update
    def submit(self, evidence: str) -> None:
        self._evidence = evidence

    @submit.validator
    def _check_submit(self, evidence: str) -> None:
        if not self._claimed:
            raise ApplicationError("not claimed")


async def _done_here(step: Callable[[Any, Order], Any], order: Order) -> None:
    do = workflow.execute_local_activity_method if order.lean else workflow.execute_activity_method
    await do(step, order, start_to_close_timeout=_ONE_TRY)


async def _done(step: Callable[[Any, Order], str], order: Order, queue: str) -> str:
    return await workflow.execute_activity_method(
        step, order, task_queue=queue, start_to_close_timeout=_ONE_TRY
    )
