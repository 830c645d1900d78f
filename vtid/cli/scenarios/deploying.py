"""Scenarios of what serves: merged is not deployed, and deployed is not proven."""

from collections.abc import Mapping

from vtid.cli.scenarios.calls import Json
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import MERGED, REPORTED, Claim, Course, Promise, Scenario
from vtid.domain.task import TaskStatus


def _deploying(**wish: object) -> Course:
    """An honest worker, and a deploy that goes like this."""

    async def course(drill: Drill) -> None:
        await drill.world.behave({"deploy": wish})
        await drill.hire("worker")
        await drill.start()
        await drill.until_decided()
        drill.notes["deployments"] = await drill.world.deployment_states()

    return course


def _contradicted(code: str, link: str, claims: Mapping[str, Claim] | None = None) -> Promise:
    """Merged once, not proven because of this link, and GitHub was told `failure`."""
    return Promise(
        TaskStatus.BLOCKED,
        "DEPLOY",
        code,
        effects=REPORTED,
        events={"change.merged": 1, "proof.recorded": 1},
        claims={
            f"the link {link} is contradicted": lambda seen: seen.link(link).get("state") == "contradicted",
            "GitHub's deployment says failure": lambda seen: seen.notes["deployments"] == ["failure"],
            **(claims or {}),
        },
    )


RUN_FAILS = Scenario(
    "deploy-run-fails",
    "The deploy run on GitHub Actions fails after the merge.",
    Promise(
        TaskStatus.BLOCKED,
        "DEPLOY",
        "DEPLOY_RUN_FAILED",
        effects=MERGED,
        events={"change.merged": 1, "deploy.run_ended": 1, "proof.recorded": 0},
        claims={"the view links to the deploy run": lambda seen: "deploy_run" in (seen.run or {})["links"]},
    ),
    _deploying(conclusion="failure"),
)


async def _old_revision(drill: Drill) -> None:
    await _deploying(serves=await drill.world.base_head())(drill)


OLD_REVISION = Scenario(
    "old-revision-serves",
    "The deploy run is green, and production still answers with the old commit.",
    _contradicted(
        "WRONG_COMMIT_SERVING",
        "traffic",
        {
            "the live answer contradicts as well": lambda seen: (
                seen.link("live_answer")["state"] == "contradicted"
            )
        },
    ),
    _old_revision,
)

TEN_PERCENT = Scenario(
    "traffic-at-ten-percent",
    "The new revision is there and ready, and gets a tenth of the traffic.",
    _contradicted(
        "TRAFFIC_NOT_SHIFTED",
        "traffic",
        {"the proof says how much": lambda seen: "10 %" in str(seen.link("traffic").get("says"))},
    ),
    _deploying(percent=10),
)

_NO_KEY: Json = {"API_KEY": None}

SECRET_MISSING = Scenario(
    "secret-missing",
    "Our commit serves all traffic, without the binding of a secret that it needs.",
    _contradicted(
        "SECRETS_MISSING",
        "environment",
        {
            "the missing name is told": lambda seen: (
                seen.link("environment")["raw"]["missing_secrets"] == ["API_KEY"]
            )
        },
    ),
    _deploying(secrets=_NO_KEY),
)

SCENARIOS = (RUN_FAILS, OLD_REVISION, TEN_PERCENT, SECRET_MISSING)
