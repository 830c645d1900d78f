"""Scenarios of services that let nobody in without credentials: their version endpoint, too."""

import json

from vtid.cli.scenarios.deploying import deploying, tells_github
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import REPORTED, Promise, Scenario
from vtid.cli.scenarios.seen import Seen
from vtid.domain.task import TaskStatus


async def _private(drill: Drill) -> None:
    await drill.world.close_to_strangers()
    await deploying()(drill)
    drill.notes["tokens"] = await drill.world.id_tokens()


def _no_token_is_told(seen: Seen) -> bool:
    told = json.dumps([seen.run, list(seen.events)])
    return bool(seen.notes["tokens"]) and not any(token in told for token in seen.notes["tokens"])


PRIVATE = Scenario(
    "version-endpoint-private",
    "The version endpoint lets in only who brings an ID token for it, as the environment declares.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"change.merged": 1, "proof.recorded": 1},
        claims={
            "the service itself has answered": lambda seen: seen.link("live_answer")["state"] == "proven",
            "no token stands in anything that is told": _no_token_is_told,
            **tells_github("success"),
        },
    ),
    _private,
    environment="drill-private",
)

LOCKED = Scenario(
    "version-endpoint-locked",
    "The version endpoint lets nobody in without credentials, and the environment declares none.",
    Promise(
        TaskStatus.BLOCKED,
        "DEPLOY",
        "PROBE_FAILED",
        effects=REPORTED,
        events={"change.merged": 1, "proof.recorded": 1},
        claims={
            "what to set is told": lambda seen: "version_auth: id_token" in seen.link("live_answer")["says"],
            "it is unknown, not contradicted": lambda seen: seen.link("live_answer")["state"] == "unknown",
            **tells_github("failure"),
        },
    ),
    _private,
)

SCENARIOS = (PRIVATE, LOCKED)
