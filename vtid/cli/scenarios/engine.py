"""Scenarios of the ground under the run: what is killed, and comes back."""

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


async def _killed_at_every_step(drill: Drill) -> None:
    """-9 to the Temporal worker as soon as a step has begun that it was not killed in yet."""
    await drill.hire("worker")
    await drill.start()
    struck: set[str] = set()

    def begun() -> set[str]:
        return {event["data"]["step"] for event in drill.events if event["type"] == "step.started"}

    while True:
        await drill.until(lambda: begun() > struck or drill.is_over, "the next step")  # noqa: B023 - awaited here
        if drill.is_over:
            break
        struck |= begun()
        drill.stack.kill("worker")
        await drill.stack.wait_serving("worker")
    drill.notes["struck"] = sorted(struck)


KILLED_AT_EVERY_STEP = Scenario(
    "orchestrator-killed-at-every-step",
    "The Temporal worker is killed with -9 in every single step: the run ends as if nothing had happened.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"run.blocked": 0, "change.merged": 1, "verdict.reached": 1, "deployment.reported": 1},
        claims={
            "every step from the first to the last was struck": lambda seen: (
                {
                    "find_merged_change",
                    "pickup",
                    "lease",
                    "gather_facts",
                    "merge_pull_request",
                    "await_deploy_run",
                    "prove_deployment",
                    "report",
                }
                <= set(seen.notes["struck"])
            )
        },
    ),
    _killed_at_every_step,
    alone=True,
)

SCENARIOS = (TEMPORAL_RESTARTS, KILLED_AT_EVERY_STEP)
