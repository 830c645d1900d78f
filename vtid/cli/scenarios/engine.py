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

SCENARIOS = (TEMPORAL_RESTARTS,)
