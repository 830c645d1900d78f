"""Scenarios of what answers in the end: who has the traffic, what it was given, and what it says of itself."""

from typing import Any

from vtid.cli.scenarios.calls import Json
from vtid.cli.scenarios.deploying import contradicted, deploying, tells_github, unproven
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import REPORTED, Course, Promise, Scenario
from vtid.domain.task import TaskStatus

PINNED = Scenario(
    "traffic-pinned",
    "The new revision is ready, and somebody has pinned all traffic to the old one.",
    contradicted(
        "TRAFFIC_NOT_SHIFTED",
        "traffic",
        {
            "the proof says that it is pinned, and where ours is": lambda seen: (
                "has our commit but gets no traffic" in seen.link("traffic")["says"]
                and "pinned" in seen.link("traffic")["says"]
            )
        },
    ),
    deploying(percent=0),
)


async def _template(drill: Drill) -> None:
    await deploying(ready=False)(drill)
    drill.notes["service"] = await drill.world.cloud_run()


def _template_names(seen: Any) -> bool:
    service, merged = seen.notes["service"], seen.run["merged"]
    serving = service["trafficStatuses"][0]["revision"]
    return service["template"]["labels"]["commit-sha"] == merged and not serving.endswith(merged[:3])


TEMPLATE = Scenario(
    "template-shows-new-serving-old",
    "After a failed rollout Cloud Run's template names our commit while the old revision serves.",
    contradicted("REVISION_NOT_READY", "revision", {"the template would have said yes": _template_names}),
    _template,
)

NO_NAME: Json = {"DATABASE_NAME": None}

ENV_MISSING = Scenario(
    "env-missing",
    "Our commit serves all traffic, without a variable that the environment requires.",
    contradicted(
        "ENVIRONMENT_MISMATCH",
        "environment",
        {
            "the missing name is told": lambda seen: (
                seen.link("environment")["raw"]["missing_env"] == ["DATABASE_NAME"]
            )
        },
    ),
    deploying(env=NO_NAME),
)


def _answering(body: object) -> Course:
    async def course(drill: Drill) -> None:
        await drill.world.answer(body)
        await deploying()(drill)

    return course


def _no_commit(words: str) -> Promise:
    """Cloud Run says yes, and the service says nothing that could be believed: not proven, and no "no" either."""
    return unproven(
        "PROBE_FAILED",
        {
            "the live answer is unknown, not contradicted": lambda seen: (
                seen.link("live_answer")["state"] == "unknown"
            ),
            "Cloud Run's word alone stays a claim": lambda seen: seen.link("traffic")["state"] == "claimed",
            "what was answered is told": lambda seen: words in seen.link("live_answer")["says"],
        },
    )


HTML = Scenario(
    "version-endpoint-html",
    "The version endpoint answers 200 with a page of HTML.",
    _no_commit("answers with HTML"),
    _answering("<!doctype html><title>Welcome</title>"),
)

REVISION_NAME = Scenario(
    "version-endpoint-revision-name",
    "The version endpoint answers with the name of a revision: that is no commit.",
    _no_commit("names no commit"),
    _answering({"version": "drill-00002-abc"}),
)


async def _older_is_late(drill: Drill) -> None:
    """Somebody's older deploy is run again, and ends while ours still settles."""
    older = await drill.world.commit("services/older.py", "older = 1\n", deploy=True)
    await drill.world.until_deployed(older)
    await drill.world.behave({"deploy": {"after_s": 0.5}, "reconcile_s": 3})
    await drill.hire("worker")
    await drill.start()
    await drill.until_event("step.started", step="prove_deployment")
    await drill.world.behave({"deploy": {"after_s": 0.1}, "reconcile_s": 0.5})
    await drill.world.rerun_deploy(older)
    await drill.until_decided()
    drill.notes["deployments"] = await drill.world.deployment_states()


OLDER_LATE = Scenario(
    "older-deploy-finishes-late",
    "A deploy of an older commit ends after ours and takes the traffic.",
    contradicted(
        "WRONG_COMMIT_SERVING",
        "traffic",
        {"it is named": lambda seen: "an older deploy ended after ours" in seen.link("traffic")["says"]},
    ),
    _older_is_late,
)


async def _collapse(drill: Drill) -> None:
    """Somebody pushes to the base while our deploy is under way: GitHub cancels ours for the newer one."""
    await drill.world.behave({"deploy": {"after_s": 3, "collapse": True}})
    await drill.hire("worker")
    await drill.start()
    await drill.until_event("change.merged")
    drill.notes["newer"] = await drill.world.commit("services/newer.py", "newer = 1\n", deploy=True)
    await drill.world.behave({"deploy": {"after_s": 1}})
    await drill.until_decided()
    drill.notes["deployments"] = await drill.world.deployment_states()


COLLAPSE = Scenario(
    "queued-deploys-collapse",
    "A newer deploy cancels ours: it is followed, since its commit contains ours.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"change.merged": 1, "deploy.run_ended": 1, "run.blocked": 0},
        claims={
            "the run that is believed is the newer one": lambda seen: (
                seen.link("actions_run")["raw"]["head_sha"] == seen.notes["newer"]
            ),
            "the proof says contains, not exact": lambda seen: (
                [seen.link(name)["match"] for name in ("actions_run", "traffic", "live_answer")]
                == ["contains"] * 3
            ),
            **tells_github("success"),
        },
    ),
    _collapse,
)


async def _second_fails(drill: Drill) -> None:
    first, second = drill.world.service, f"{drill.world.service}-second"
    await drill.create(services=["drill", "second"])
    await deploying(services=[first, second], unready=[second])(drill)


SECOND_FAILS = Scenario(
    "second-service-fails",
    "Two services are deployed; the first one serves our commit, the second never becomes ready.",
    unproven(
        "REVISION_NOT_READY",
        {
            "everything of the first one is proven": lambda seen: (
                {link["state"] for link in seen.links_of("drill")} == {"proven"}
            ),
            "the second one is not": lambda seen: (
                "contradicted" in {link["state"] for link in seen.links_of("second")}
            ),
        },
    ),
    _second_fails,
)


async def _roll_back(drill: Drill) -> None:
    drill.notes["before"] = await drill.world.base_head()
    await deploying(secrets={"API_KEY": None})(drill)


ROLLBACK = Scenario(
    "rollback-then-verify",
    "Our commit serves without a secret that it needs; policy goes back to what served before, and proves that it does.",
    Promise(
        TaskStatus.BLOCKED,
        "DEPLOY",
        "ROLLED_BACK",
        effects=REPORTED | {"traffic": 1},
        events={"change.merged": 1, "proof.recorded": 1, "rollback.done": 1, "rollback.held": 0},
        claims={
            "what serves again is proven, link by link": lambda seen: (
                seen.of("rollback.done")[0]["proven"]
                and {link["state"] for link in seen.of("rollback.done")[0]["links"]} == {"proven"}
            ),
            "it is the commit of before": lambda seen: (
                seen.of("rollback.done")[0]["commit"] == seen.notes["before"]
            ),
            "why it went back is told": lambda seen: "SECRETS_MISSING" in seen.sentence,
            **tells_github("failure"),
        },
    ),
    _roll_back,
    environment="drill-strict",
)

HELD = Scenario(
    "rollback-held-by-a-pin",
    "Somebody has pinned all traffic by hand: policy would go back, and leaves it to that person.",
    Promise(
        TaskStatus.BLOCKED,
        "DEPLOY",
        "TRAFFIC_NOT_SHIFTED",
        effects=REPORTED,
        events={"proof.recorded": 1, "rollback.done": 0, "rollback.held": 1},
        claims={
            "the pin is the reason": lambda seen: "by hand" in seen.of("rollback.held")[0]["reason"],
            **tells_github("failure"),
        },
    ),
    deploying(percent=0),
    environment="drill-strict",
)

SCENARIOS = (
    PINNED,
    TEMPLATE,
    ENV_MISSING,
    HTML,
    REVISION_NAME,
    OLDER_LATE,
    COLLAPSE,
    SECOND_FAILS,
    ROLLBACK,
    HELD,
)
