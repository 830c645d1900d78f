"""Scenarios of services on other hosts than Cloud Run: nothing is seen of them but their own answers."""

from vtid.cli.scenarios.deploying import contradicted, deploying, proven
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import Claim, Course, Scenario

ENVIRONMENT = "drill-http"

ITS_CHAIN: dict[str, Claim] = {
    "the chain has the links that there are, and no others": lambda seen: (
        [link["name"] for link in (seen.run or {})["proof"]["links"]]
        == ["commit", "actions_run", "live_answer"]
    ),
    "Cloud Run was never asked about it": lambda seen: seen.notes["asked"] == 0,
}


def _deployed(*, serves_old: bool = False) -> Course:
    async def course(drill: Drill) -> None:
        wish = {"serves": await drill.world.base_head()} if serves_old else {}
        await deploying(**wish)(drill)
        drill.notes["asked"] = await drill.world.asked_of_cloud_run()

    return course


ANSWERS = Scenario(
    "http-version-service",
    "The service runs where nothing can be seen of it but its version endpoint.",
    proven(
        {
            "three answers are kept, each with its time": lambda seen: (
                [bool(each["at"]) for each in seen.link("live_answer")["raw"]["answers"]] == [True] * 3
            ),
            **ITS_CHAIN,
        }
    ),
    _deployed(),
    environment=ENVIRONMENT,
)

ANSWERS_OLD = Scenario(
    "http-version-lies-old",
    "The deploy run is green, and the service goes on answering with the old commit.",
    contradicted("WRONG_COMMIT_SERVING", "live_answer", ITS_CHAIN),
    _deployed(serves_old=True),
    environment=ENVIRONMENT,
)


async def _both(drill: Drill) -> None:
    first, second = drill.world.service, f"{drill.world.service}-second"
    await drill.create(services=["drill", "second"])
    await deploying(services=[first, second])(drill)


MIXED = Scenario(
    "http-version-beside-cloud-run",
    "One service only answers, the other one runs on Cloud Run; each is proven by what its host can show.",
    proven(
        {
            "the first by its answers alone": lambda seen: (
                [link["name"] for link in seen.links_of("drill")] == ["live_answer"]
            ),
            "the second by everything that Cloud Run shows": lambda seen: (
                [link["name"] for link in seen.links_of("second")]
                == ["image_digest", "revision", "traffic", "environment", "live_answer"]
            ),
        }
    ),
    _both,
    environment=ENVIRONMENT,
)

SCENARIOS = (ANSWERS, ANSWERS_OLD, MIXED)
