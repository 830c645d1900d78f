"""Scenarios of what serves: merged is not deployed, and deployed is not proven."""

from collections.abc import Mapping

from vtid.cli.scenarios.calls import Json
from vtid.cli.scenarios.courses import works
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import MERGED, REPORTED, Claim, Course, Promise, Scenario
from vtid.domain.task import TaskStatus

_JUDGED = {"change.merged": 1, "proof.recorded": 1}


def deploying(**wish: object) -> Course:
    """An honest worker, and a deploy that goes like this."""

    async def course(drill: Drill) -> None:
        await works(deploy=wish)(drill)
        drill.notes["deployments"] = await drill.world.deployment_states()

    return course


def proven(claims: Mapping[str, Claim]) -> Promise:
    """Merged once, proven, and GitHub was told `success`."""
    claims = {**claims, **tells_github("success")}
    return Promise(TaskStatus.COMPLETED, effects=REPORTED, events=_JUDGED, claims=claims)


def unproven(code: str, claims: Mapping[str, Claim]) -> Promise:
    """Merged once, not proven, and GitHub was told `failure`."""
    claims = {**claims, **tells_github("failure")}
    return Promise(TaskStatus.BLOCKED, "DEPLOY", code, effects=REPORTED, events=_JUDGED, claims=claims)


def contradicted(code: str, link: str, claims: Mapping[str, Claim] | None = None) -> Promise:
    """Unproven because of this link."""
    name = f"the link {link} is contradicted"
    return unproven(
        code, {name: lambda seen: seen.link(link).get("state") == "contradicted", **(claims or {})}
    )


def tells_github(state: str) -> dict[str, Claim]:
    """GitHub's own deployment of the commit says the same."""
    return {f"GitHub's deployment says {state}": lambda seen: seen.notes["deployments"] == [state]}


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
    deploying(conclusion="failure"),
)

RUN_WITHOUT_JOBS = Scenario(
    "deploy-run-zero-jobs",
    "The deploy run is green and had no job: it did nothing.",
    _no_deploy("DEPLOY_RUN_FAILED"),
    deploying(jobs=0),
)

RUN_MISSING = Scenario(
    "deploy-run-missing",
    "The merge starts no deploy run at all.",
    _no_deploy("DEPLOY_RUN_NOT_FOUND", ended=0),
    deploying(auto=False),
)

RUN_NEVER_ENDS = Scenario(
    "deploy-never-ends",
    "The deploy run runs and runs.",
    _no_deploy("DEPLOY_TIMEOUT"),
    deploying(after_s=600),
)


async def _old_revision(drill: Drill) -> None:
    await deploying(serves=await drill.world.base_head())(drill)


OLD_REVISION = Scenario(
    "old-revision-serves",
    "The deploy run is green, and production still answers with the old commit.",
    contradicted(
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
    contradicted(
        "TRAFFIC_NOT_SHIFTED",
        "traffic",
        {"the proof says how much": lambda seen: "10 %" in str(seen.link("traffic").get("says"))},
    ),
    deploying(percent=10),
)

NOT_READY = Scenario(
    "revision-not-ready",
    "The new revision never becomes ready, so the old one goes on serving.",
    contradicted("REVISION_NOT_READY", "revision"),
    deploying(ready=False),
)


async def _label_lies(drill: Drill) -> None:
    await deploying(labels={"commit-sha": await drill.world.base_head()})(drill)


LABEL_LIES = Scenario(
    "label-lies",
    "The serving revision names two commits: its label the old one, its variable ours.",
    contradicted(
        "WRONG_COMMIT_SERVING",
        "traffic",
        {"both are told": lambda seen: "claims several commits" in seen.link("traffic")["says"]},
    ),
    _label_lies,
)


async def _answers_old(drill: Drill) -> None:
    await deploying(answers=await drill.world.base_head())(drill)


ANSWERS_OLD = Scenario(
    "live-answer-contradicts",
    "Cloud Run says that our commit serves, and the service itself answers with the old one.",
    contradicted(
        "WRONG_COMMIT_SERVING",
        "live_answer",
        {"Cloud Run's word alone stays a claim": lambda seen: seen.link("traffic")["state"] == "claimed"},
    ),
    _answers_old,
)

SAID_TO_HAVE_FAILED = Scenario(
    "deployment-said-to-have-failed",
    "The deploy run is green and our commit answers, but the workflow's own deployment on GitHub says failure.",
    Promise(
        TaskStatus.BLOCKED,
        "DEPLOY",
        "DEPLOY_RUN_FAILED",
        effects={**MERGED, "deployment_status": 1},  # the workflow's deployment is there already
        events={"change.merged": 1, "proof.recorded": 1},
        claims={
            "who says so, and what, is told": lambda seen: (
                "github-actions[bot] says failure of its deployment (smoke test failed)"
                in seen.link("actions_run")["says"]
            ),
            "that the service answers with our commit stands beside it": lambda seen: (
                seen.link("live_answer")["state"] == "proven"
            ),
            **tells_github("failure"),
        },
    ),
    deploying(deployment={"environment": "drill", "state": "failure", "description": "smoke test failed"}),
)

_NO_KEY: Json = {"API_KEY": None}

SECRET_MISSING = Scenario(
    "secret-missing",
    "Our commit serves all traffic, without the binding of a secret that it needs.",
    contradicted(
        "SECRETS_MISSING",
        "environment",
        {
            "the missing name is told": lambda seen: (
                seen.link("environment")["raw"]["missing_secrets"] == ["API_KEY"]
            )
        },
    ),
    deploying(secrets=_NO_KEY),
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
    SAID_TO_HAVE_FAILED,
    SECRET_MISSING,
)
