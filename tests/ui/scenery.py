"""A little of everything, so that every view has something to show."""

from dataclasses import dataclass
from typing import Any

from tests.api.stage import SPEC, Play
from vtid.domain.stages import Stage

UNTIL = "2099-01-01T00:00:00Z"
# What does not fit a drawer: code and a table.
WIDE = f"{SPEC}\n```\n{'a long line of code ' * 20}\n```\n\n| what | {'w' * 80} |\n| --- | --- |\n| it | {'z' * 80} |\n"


def failure(code: str = "PICKUP_TIMEOUT", stage: Stage = Stage.WORKER, **more: Any) -> dict[str, Any]:
    """Why a run is blocked, as its workflow tells it."""
    told: dict[str, Any] = {
        "code": code, "stage": stage.value, "message": "no worker took the order in 60 s", "outcome": "timeout",
        "retryable": True, "advice": "start a worker, then retry", "step": "offer_work_order", "attempt": None,
        "since": "2026-01-02T03:04:05Z", "moves": ["retry", "adopt", "abandon"],
        "causes": [{"type": "PickupTimeout", "message": "offer 3 of 3 was not claimed"}],
    }  # fmt: skip
    return told | more


async def blocked(play: Play, code: str = "PICKUP_TIMEOUT", **more: Any) -> str:
    """A run that waits for a decision. Gives its VTID."""
    vtid = await play.run()
    await play.tell(vtid, "stage.started", stage=Stage.WORKER)
    await play.tell(vtid, "run.blocked", stage=Stage.WORKER, failure=failure(code, **more), until=UNTIL)
    return vtid


async def completed(play: Play) -> str:
    """A run that ended well. Gives its VTID."""
    vtid = await play.run()
    for stage in Stage:
        if stage is not Stage.PLANNER:
            await play.tell(vtid, "stage.started", stage=stage)
        await play.tell(vtid, "stage.finished", stage=stage, status="success")
    await play.tell(vtid, "run.finished", status="completed", outcome="success", failure=None)
    return vtid


@dataclass(frozen=True)
class Scenery:
    """The VTIDs of what there is."""

    draft: str
    working: str
    blocked: str
    completed: str
    coded: str

    def views(self) -> dict[str, str]:
        """Every view by name: its path."""
        return {
            "board": "/",
            "a filtered board": "/?q=nothing-has-these-words",
            "new task": "/tasks/new",
            "drawer": f"/tasks/{self.draft}",
            "drawer of a spec with code": f"/tasks/{self.coded}",
            "drawer of a run": f"/tasks/{self.blocked}",
            "run under way": f"/runs/{self.working}",
            "blocked run": f"/runs/{self.blocked}",
            "completed run": f"/runs/{self.completed}",
            "dead letters": "/dead-letters",
            "one dead letter": f"/dead-letters/{self.blocked}",
            "statistics": "/statistics",
            "workers": "/workers",
            "limits": "/limits",
            "failure codes": "/failure-codes#PICKUP_TIMEOUT",
            "rules": "/rules",
            "environments": "/environments",
        }


async def painted(play: Play) -> Scenery:
    """One of each kind of task, two of them blocked for the same reason: all that waits for a person."""
    working = (await play.claimed("a-worker"))["vtid"]
    await blocked(play)
    return Scenery(
        draft=await play.task(approved=False),
        working=working,
        blocked=await blocked(play),
        completed=await completed(play),
        coded=await play.task(WIDE, approved=False),
    )
