"""Scenarios of the emergency stop: while a run waits, while its order is offered, while a worker works."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import REPORTED, Promise, Scenario
from vtid.cli.scenarios.seen import Seen
from vtid.domain.task import TaskStatus


@asynccontextmanager
async def _disarmed(drill: Drill) -> AsyncIterator[None]:
    """The whole system is stopped, and armed again whatever happens meanwhile."""
    await drill.call("POST", "/api/v1/system/disarm", {"reason": "a drill"})
    try:
        yield
    finally:
        await drill.call("POST", "/api/v1/system/arm")


async def _claim(drill: Drill, *, wait_seconds: float = 0) -> None:
    """What a worker is answered that asks for this order now."""
    claim = {"worker_id": "early", "vtid": drill.vtid, "wait_seconds": wait_seconds}
    answer = await drill.ask("POST", "/api/v1/work-orders/claim", claim)
    drill.notes["claim"] = answer.json() | {"status": answer.status_code}


def _claim_was_refused(seen: Seen) -> bool:
    claim = seen.notes["claim"]
    code = "EXECUTION_DISARMED"
    return (claim["status"], claim["code"]) == (403, code) and code in claim["detail"]


async def _before_the_start(drill: Drill) -> None:
    async with _disarmed(drill):
        await drill.create()  # the approval is given while nothing may go out
        drill.notes["start"] = await drill.begin()
        await drill.until_event("wait.started")
        drill.notes["waiting"] = await drill.call("GET", f"/api/v1/runs/{drill.vtid}")
        await _claim(drill)
    await drill.hire("worker")
    await drill.until_decided()


DISARMED = Scenario(
    "disarmed-then-armed",
    "The emergency stop is on: an approval and a start are accepted and wait, a claim is refused; once armed, the run goes on.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"spec.approved": 1, "work_order.offered": 1, "run.blocked": 0},
        claims={
            "a claim was answered 403 EXECUTION_DISARMED, in code and text": _claim_was_refused,
            "the run waited in PLANNER, still scheduled, for an approver": lambda seen: (
                (seen.notes["waiting"]["stage"], seen.notes["waiting"]["status"]) == ("PLANNER", "scheduled")
                and seen.notes["waiting"]["waiting"]["who"] == "approver"
            ),
            "it is the run that was accepted while disarmed": lambda seen: (
                seen.notes["start"]["run_id"] == (seen.run or {})["run_id"]
            ),
        },
    ),
    _before_the_start,
    alone=True,
)


async def _while_offered(drill: Drill) -> None:
    await drill.start()
    offered = await drill.until_event("work_order.offered")
    waiting = asyncio.create_task(_other_orders(drill))
    async with _disarmed(drill):
        await drill.until_event("work_order.withdrawn", order_id=offered["order_id"])
        await _claim(drill, wait_seconds=5)
        await drill.until_event("wait.started", who="approver")
        drill.notes["waiting call"] = await waiting
        drill.notes["offers while disarmed"] = sum(e["type"] == "work_order.offered" for e in drill.events)
    await drill.hire("worker")
    await drill.until_decided()


async def _other_orders(drill: Drill) -> int:
    """The answer of a worker that waited for some other order when the stop came."""
    claim = {"worker_id": "patient", "vtid": "VTID-99999", "wait_seconds": 20}
    return (await drill.ask("POST", "/api/v1/work-orders/claim", claim)).status_code


DISARMED_OFFERED = Scenario(
    "disarmed-while-offered",
    "The emergency stop comes while an order lies ready: it is taken back, waiting workers are told, and it is offered anew once armed.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={
            "work_order.offered": 2,
            "work_order.withdrawn": 1,
            "work_order.claimed": 1,
            "run.blocked": 0,
        },
        claims={
            "a claim was answered 403 EXECUTION_DISARMED, in code and text": _claim_was_refused,
            "a worker that waited already was answered 403 as well": lambda seen: (
                seen.notes["waiting call"] == 403
            ),
            "nothing was offered while the stop was on": lambda seen: (
                seen.notes["offers while disarmed"] == 1
            ),
        },
    ),
    _while_offered,
    alone=True,
)


async def _while_working(drill: Drill) -> None:
    """The lease that runs goes on; the repair order that its red checks bring does not go out."""
    await drill.world.behave({"checks": {"fails_on": "FIXME"}})
    worker = await drill.hire("worker", "careless", "--work-seconds", "3")
    await drill.start()
    await drill.until(lambda: worker.has_said("heartbeat"), "the worker to be at work")
    async with _disarmed(drill):
        await drill.until(lambda: worker.has_said("evidence-accepted"), "the worker to hand in")
        await drill.until_event("repair.ordered")
        await drill.until_event("wait.started", who="approver")
        drill.notes["offers while disarmed"] = sum(e["type"] == "work_order.offered" for e in drill.events)
    await drill.until_decided()


DISARMED_WORKING = Scenario(
    "disarmed-while-working",
    "The emergency stop comes while a worker works: its lease goes on and its result counts, and nothing new goes out until armed.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"attempt.ended": 0, "work_order.claimed": 2, "repair.ordered": 1, "run.blocked": 0},
        claims={
            "nothing was offered while the stop was on": lambda seen: (
                seen.notes["offers while disarmed"] == 1
            ),
            "the worker was never told to stop": lambda seen: not seen.told("worker", "told-to-stop"),
        },
    ),
    _while_working,
    alone=True,
)

SCENARIOS = (DISARMED, DISARMED_OFFERED, DISARMED_WORKING)
