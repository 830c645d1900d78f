"""Scenarios of credentials: of services that let nobody in without, and of who says them back."""

import json

from vtid.cli.scenarios.courses import works
from vtid.cli.scenarios.credentials import GITHUB_TOKEN
from vtid.cli.scenarios.deploying import deploying, proven, unproven
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import TOLD, Promise, Scenario
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
    proven(
        {
            "the service itself has answered": lambda seen: seen.link("live_answer")["state"] == "proven",
            "no token stands in anything that is told": _no_token_is_told,
        }
    ),
    _private,
    environment="drill-private",
)

LOCKED = Scenario(
    "version-endpoint-locked",
    "The version endpoint lets nobody in without credentials, and the environment declares none.",
    unproven(
        "PROBE_FAILED",
        {
            "what to set is told": lambda seen: "version_auth: id_token" in seen.link("live_answer")["says"],
            "it is unknown, not contradicted": lambda seen: seen.link("live_answer")["state"] == "unknown",
        },
    ),
    _private,
)


async def _said_back(drill: Drill) -> None:
    said = {"message": f"Bad credentials: {GITHUB_TOKEN}, from {_SIGNED_ADDRESS}"}
    await drill.world.fault("PUT", "/merge", {"status": 401, "body": said}, times=None)
    await works()(drill)
    drill.notes["kept"] = [
        await drill.history(),
        await drill.dead_letters(),
        await drill.world.github("GET", "issues/1/comments"),
    ]


_SIGNATURE = "q1w2e3r4t5y6u7i8o9p0"
_SIGNED_ADDRESS = f"https://store.test/answer?sv=1&sig={_SIGNATURE}"


def _is_kept_nowhere(seen: Seen) -> bool:
    kept = json.dumps([seen.run, list(seen.events), seen.notes["kept"]])
    return not any(secret in kept for secret in (GITHUB_TOKEN, _SIGNATURE))


SAID_BACK = Scenario(
    "secrets-said-back",
    "GitHub refuses the merge, and says our own token and a signed address back in its answer.",
    Promise(
        TaskStatus.BLOCKED,
        "DEPLOY",
        "GITHUB_DENIED",
        effects=TOLD,
        events={"change.merged": 0},
        claims={
            "why is told, without the secrets in it": lambda seen: (
                "Bad credentials: [secret masked], from https://store.test/answer?sv=1&sig=[masked]"
                in seen.sentence
            ),
            "neither events nor dead letter nor comment nor Temporal's history has them": _is_kept_nowhere,
        },
    ),
    _said_back,
)

SCENARIOS = (PRIVATE, LOCKED, SAID_BACK)
