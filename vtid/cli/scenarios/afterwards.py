"""Scenarios of what becomes of a deployment after its run: completed stays completed, and is not forgotten."""

from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import REPORTED, Promise, Scenario
from vtid.domain.task import TaskStatus


async def _proven(drill: Drill) -> None:
    await drill.hire("worker")
    await drill.start()
    await drill.until_over()
    await drill.until_event("deployment.watched")


async def _superseded(drill: Drill) -> None:
    await _proven(drill)
    await drill.world.commit("services/newer.py", "newer = 1\n", deploy=True)
    await drill.until_event("deployment.superseded")


SUPERSEDED = Scenario(
    "superseded-after-success",
    "After the proof somebody deploys a newer commit that contains ours: it is told, and the run stays as it ended.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"run.finished": 1, "deployment.superseded": 1, "deployment.reverted": 0},
        claims={
            "the run's view says so": lambda seen: (seen.run or {})["serving"]["state"] == "superseded",
        },
    ),
    _superseded,
)


async def _reverted(drill: Drill) -> None:
    before = (await drill.world.cloud_run())["trafficStatuses"][0]["revision"]
    await _proven(drill)
    await drill.world.shift(before)
    await drill.until_event("deployment.reverted")
    drill.notes["needs"] = (await drill.call("GET", "/api/v1/needs-you"))["serving"]["items"]


REVERTED = Scenario(
    "reverted-after-success",
    "After the proof somebody goes back to the revision of before: a person is told, and nothing is undone.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED | {"traffic": 1},  # that person's own
        events={"run.finished": 1, "deployment.reverted": 1},
        claims={
            "the run's view says so": lambda seen: (seen.run or {})["serving"]["state"] == "reverted",
            "it stands among what needs a person": lambda seen: (
                (seen.run or {})["vtid"] in [each["vtid"] for each in seen.notes["needs"]]
            ),
        },
    ),
    _reverted,
)

SCENARIOS = (SUPERSEDED, REVERTED)
