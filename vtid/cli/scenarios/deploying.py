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


def _no_deploy(code: str, *, ended: int = 1) -> Promise:
    """Merged once, and the deploy run did not do it: there is nothing to prove."""
    return Promise(
        TaskStatus.BLOCKED,
        "DEPLOY",
        code,
        effects=MERGED,
        events={"change.merged": 1, "deploy.run_ended": ended, "proof.recorded": 0},
        claims={
            "the view links to the deploy run, if there is one": lambda seen: (
                ("deploy_run" in (seen.run or {})["links"]) is bool(ended)
            )
        },
    )


RUN_FAILS = Scenario(
    "deploy-run-fails",
    "The deploy run on GitHub Actions fails after the merge.",
    _no_deploy("DEPLOY_RUN_FAILED"),
    _deploying(conclusion="failure"),
)

RUN_WITHOUT_JOBS = Scenario(
    "deploy-run-zero-jobs",
    "The deploy run is green and had no job: it did nothing.",
    _no_deploy("DEPLOY_RUN_FAILED"),
    _deploying(jobs=0),
)

RUN_MISSING = Scenario(
    "deploy-run-missing",
    "The merge starts no deploy run at all.",
    _no_deploy("DEPLOY_RUN_NOT_FOUND", ended=0),
    _deploying(auto=False),
)

RUN_NEVER_ENDS = Scenario(
    "deploy-never-ends",
    "The deploy run runs and runs.",
    _no_deploy("DEPLOY_TIMEOUT"),
    _deploying(after_s=600),
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

NOT_READY = Scenario(
    "revision-not-ready",
    "The new revision never becomes ready, so the old one goes on serving.",
    _contradicted("REVISION_NOT_READY", "revision"),
    _deploying(ready=False),
)


async def _label_lies(drill: Drill) -> None:
    await _deploying(labels={"commit-sha": await drill.world.base_head()})(drill)


LABEL_LIES = Scenario(
    "label-lies",
    "The serving revision names two commits: its label the old one, its variable ours.",
    _contradicted(
        "WRONG_COMMIT_SERVING",
        "traffic",
        {"both are told": lambda seen: "claims several commits" in seen.link("traffic")["says"]},
    ),
    _label_lies,
)


async def _answers_old(drill: Drill) -> None:
    await _deploying(answers=await drill.world.base_head())(drill)


ANSWERS_OLD = Scenario(
    "live-answer-contradicts",
    "Cloud Run says that our commit serves, and the service itself answers with the old one.",
    _contradicted(
        "WRONG_COMMIT_SERVING",
        "live_answer",
        {"Cloud Run's word alone stays a claim": lambda seen: seen.link("traffic")["state"] == "claimed"},
    ),
    _answers_old,
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

SCENARIOS = (
    RUN_FAILS,
    RUN_WITHOUT_JOBS,
    RUN_MISSING,
    RUN_NEVER_ENDS,
    OLD_REVISION,
    TEN_PERCENT,
    NOT_READY,
    LABEL_LIES,
    ANSWERS_OLD,
    SECRET_MISSING,
)
