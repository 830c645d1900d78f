"""Scenarios of the ground under the run: what is killed, and comes back."""

import asyncio
import sqlite3
from contextlib import closing

from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import REPORTED, Promise, Scenario
from vtid.domain.task import TaskStatus


async def _temporal_restarts(drill: Drill) -> None:
    worker = await drill.hire("worker", "slow", "--work-seconds", "4")
    await drill.start()
    await drill.until(lambda: worker.has_said("heartbeat"), "the worker to be at work")
    drill.stack.kill("temporal")
    await drill.stack.wait_serving("temporal")
    await drill.until_decided()


TEMPORAL_RESTARTS = Scenario(
    "temporal-restarts",
    "Temporal is killed with -9 while the worker works, and comes back: the run goes on to the end.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"run.started": 1, "run.blocked": 0, "change.merged": 1},
        claims={
            "the evidence was handed in by the worker": lambda seen: (
                [data["source"] for data in seen.of("evidence.observed")] == ["handed_in"]
            ),
        },
    ),
    _temporal_restarts,
    alone=True,
)


async def _killed_while_merging(drill: Drill) -> None:
    """GitHub takes the merge, and a moment later the answer finds nobody any more."""
    await drill.world.fault("PUT", "/merge", {"delay_s": 2})
    await drill.hire("worker")
    await drill.start()
    await drill.world.until_called("PUT", "/merge")
    drill.stack.kill("worker")
    await drill.stack.wait_serving("worker")
    await drill.until_decided()


KILLED_WHILE_MERGING = Scenario(
    "orchestrator-killed-while-merging",
    "The Temporal worker is killed with -9 while its merge is on the way: the next one finds it merged.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"run.blocked": 0, "change.merged": 1, "verdict.reached": 1},
        claims={
            "the merge was sent once": lambda seen: len(seen.calls("PUT", "/merge")) == 1,
            "it was found merged": lambda seen: (
                [data["merged_before"] for data in seen.of("change.merged")] == [True]
            ),
        },
    ),
    _killed_while_merging,
    alone=True,
)


STEPS_OF_A_RUN = (
    "find_merged_change",
    "pickup",
    "lease",
    "gather_facts",
    "await_checks",
    "merge_pull_request",
    "await_deploy_run",
    "prove_deployment",
    "report",
)


async def _killed_at_every_step(drill: Drill) -> None:
    """Each time the run tells that a step begins, whoever does it is killed; so also right before the run ends."""
    await drill.hire("worker", "slow", "--work-seconds", "2")
    await drill.begin()
    killed: list[str] = []

    def at_a_new_step() -> bool:
        return drill.is_over or len(drill.steps()) > len(killed)

    while True:
        await drill.until(at_a_new_step, f"a step after {killed[-1:] or 'none'}")
        if drill.is_over:
            break
        drill.stack.kill("worker")
        killed = drill.steps()
        await drill.stack.wait_serving("worker")
    drill.notes["killed"] = killed


KILLED_AT_EVERY_STEP = Scenario(
    "orchestrator-killed-at-every-step",
    "The Temporal worker is killed with -9 each time a step begins: the run ends as if nothing had happened.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"run.started": 1, "run.blocked": 0, "change.merged": 1, "work_order.claimed": 1},
        claims={
            "it was killed at every step that leads to the end": lambda seen: (
                set(STEPS_OF_A_RUN) <= set(seen.notes["killed"])
            ),
            "the merge was sent once, or its answer was found by reading": lambda seen: (
                [entry["status"] for entry in seen.calls("PUT", "/merge")].count(200) <= 1
            ),
        },
    ),
    _killed_at_every_step,
    alone=True,
)

LOCKED_SECONDS = 8.0  # longer than bookkeeping is tried in silence, and than SQLite waits for a lock


async def _ledger_down(drill: Drill) -> None:
    """Somebody holds the ledger's write lock: nothing can be written down, by anybody."""
    await drill.hire("worker")
    await drill.start()
    await drill.until_event("evidence.observed")
    with closing(sqlite3.connect(drill.stack.data_dir / "ledger.db", isolation_level=None)) as ledger:
        ledger.execute("BEGIN EXCLUSIVE")
        locked = asyncio.create_task(asyncio.sleep(LOCKED_SECONDS))
        wish = {"title": "not now", "environment": "drill", "repository": drill.world.repository}
        refused = await drill.ask("POST", "/api/v1/tasks", wish)
        drill.notes["task"] = refused.json() | {"status": refused.status_code}
        drill.notes["fresh"] = await drill.call("GET", f"/api/v1/runs/{drill.vtid}?fresh=true")
        await locked
        ledger.execute("ROLLBACK")
    await drill.until_decided()


LEDGER_DOWN = Scenario(
    "ledger-down",
    "The ledger takes nothing for a while after the work is done: the run waits for it, and no event is lost.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"run.blocked": 0, "work_order.claimed": 1, "verdict.reached": 1, "change.merged": 1},
        claims={
            "a new task was answered 503 LEDGER_UNAVAILABLE, and that it may be tried again": lambda seen: (
                (seen.notes["task"]["status"], seen.notes["task"]["code"], seen.notes["task"]["retryable"])
                == (503, "LEDGER_UNAVAILABLE", True)
            ),
            "the run itself could be asked where it stands": lambda seen: (
                seen.notes["fresh"]["outcome"] is None
                and seen.notes["fresh"]["stage"] in ("WORKER", "VALIDATOR", "DEPLOY")
            ),
        },
    ),
    _ledger_down,
    alone=True,
)

SCENARIOS = (TEMPORAL_RESTARTS, KILLED_WHILE_MERGING, KILLED_AT_EVERY_STEP, LEDGER_DOWN)
