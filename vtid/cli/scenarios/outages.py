"""Scenarios of an outside that does not answer: what passes is waited for, what lasts is told."""

from vtid.cli.scenarios.calls import Json
from vtid.cli.scenarios.courses import works
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import MERGED, REPORTED, Course, Promise, Scenario
from vtid.domain.task import TaskStatus

_BAD_GATEWAY: Json = {"status": 502, "body": "<html>502 Bad Gateway</html>"}
_RATE_LIMITED: Json = {
    "status": 429,
    "headers": {"retry-after": "1"},
    "body": {"message": "API rate limit exceeded"},
}
_SECONDARY: Json = {
    "status": 403,
    "headers": {"retry-after": "1"},
    "body": {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."},
}
_BAD_CREDENTIALS: Json = {"status": 401, "body": {"message": "Bad credentials"}}
_UNAVAILABLE: Json = {
    "status": 503,
    "body": {"error": {"code": 503, "status": "UNAVAILABLE", "message": "later"}},
}


def _passes(what: str) -> Promise:
    """Nobody notices, and nothing is done twice."""
    return Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"run.blocked": 0, "work_order.offered": 1, "verdict.reached": 1, "change.merged": 1},
        claims={f"{what} was met": lambda seen: any(entry["fault"] for entry in seen.calls("GET", ""))},
    )


def _meets(fault: Json, *, times: int) -> Course:
    """Honest work, and so many reads that GitHub answers like this."""

    async def course(drill: Drill) -> None:
        await drill.hire("worker")
        await drill.start()
        await drill.until_event("plan.made")
        await drill.world.fault("GET", "", fault, times=times)
        await drill.until_decided()

    return course


GITHUB_502 = Scenario(
    "github-502-storm",
    "GitHub answers six reads in a row with 502: they are read again.",
    _passes("the storm"),
    _meets(_BAD_GATEWAY, times=6),
)


GITHUB_RATE_LIMITED = Scenario(
    "github-rate-limited",
    "GitHub says 429 and when to come back: the run comes back then.",
    _passes("the limit"),
    _meets(_RATE_LIMITED, times=3),
)


GITHUB_SECONDARY = Scenario(
    "github-secondary-limit",
    "GitHub answers 403 because we ask too fast: that is no refusal, and the pause that it names is kept.",
    _passes("the limit"),
    _meets(_SECONDARY, times=2),
)


async def _bad_credentials(drill: Drill) -> None:
    await drill.world.fault("GET", "", _BAD_CREDENTIALS, times=None)
    await works()(drill)


GITHUB_DENIED = Scenario(
    "github-bad-credentials",
    "GitHub does not take our token: no try helps, so the run says so at once.",
    Promise(
        TaskStatus.BLOCKED,
        "PLANNER",
        "GITHUB_DENIED",
        events={"work_order.offered": 0, "plan.made": 0},
        claims={
            "it was not asked again and again": lambda seen: (
                len([entry for entry in seen.calls("GET", "") if entry["status"] == 401]) <= 2
            )
        },
    ),
    _bad_credentials,
)


async def _cloud_run_flickers(drill: Drill) -> None:
    await drill.world.fault_cloud_run(_UNAVAILABLE, times=2)
    await works()(drill)


CLOUD_RUN_503 = Scenario(
    "cloud-run-503",
    "Cloud Run answers twice with 503 while the deployment is proven.",
    Promise(TaskStatus.COMPLETED, effects=REPORTED, events={"run.blocked": 0, "proof.recorded": 1}),
    _cloud_run_flickers,
)


async def _black_hole(drill: Drill) -> None:
    await drill.world.fault_cloud_run({"hang": True})
    await works()(drill)


CLOUD_RUN_BLACK_HOLE = Scenario(
    "cloud-run-black-hole",
    "Cloud Run takes every question and never answers: merged is told, deployed is not claimed.",
    Promise(
        TaskStatus.BLOCKED,
        "DEPLOY",
        "CLOUD_RUN_UNAVAILABLE",
        effects=MERGED,
        events={"change.merged": 1, "proof.recorded": 0},
    ),
    _black_hole,
)

SCENARIOS = (
    GITHUB_502,
    GITHUB_RATE_LIMITED,
    GITHUB_SECONDARY,
    GITHUB_DENIED,
    CLOUD_RUN_503,
    CLOUD_RUN_BLACK_HOLE,
)
