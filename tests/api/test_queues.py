"""Whether a queue's groups get their checks, through the API, over the simulated GitHub."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.composing import Outside
from api.shapes import GroupChecks
from tests.api.conftest import OPTIONS, Staging
from tests.api.engine import FakeEngine
from tests.api.stage import Play
from vtid.adapters.github import GitHub
from vtid.configuration.environments import load_environments
from vtid.configuration.settings import SHIPPED_ENVIRONMENTS
from vtid.domain.ports import BranchHost
from vtid.ledger import Ledger
from vtid.simulator.server import serving

SHOP = "acme/shop"
DEAF = "on: [pull_request]\njobs:\n  ci: {}\n"


@pytest.fixture(scope="module")
def simulator() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def told(simulator: str) -> Any:
    """The simulator's control plane, with the shop's repository."""

    def tell(method: str, path: str, **body: Any) -> None:
        answer = httpx.request(method, f"{simulator}/_sim/{path}", json=body)
        assert answer.is_success, answer.text

    tell("POST", "reset")
    tell("POST", "repos", full_name=SHOP)
    return tell


def play_with(host: BranchHost | None, ledger: Ledger, staging: Staging, keys: dict[str, str]) -> Play:
    staging()  # makes the keys
    environments = load_environments(SHIPPED_ENVIRONMENTS)
    app = create_app(ledger, FakeEngine(), environments, OPTIONS, Outside(branch_host=host))
    return Play(app, ledger, FakeEngine(), keys)


@pytest.fixture
def play(told: Any, ledger: Ledger, staging: Staging, keys: dict[str, str], simulator: str) -> Play:
    return play_with(GitHub(f"{simulator}/api/v3", "t"), ledger, staging, keys)


@pytest.mark.parametrize(
    ("required", "state", "says"),
    [
        ([], "warn", "not protected"),
        (["ci"], "warn", "does not require vtid: "),
        (["vtid"], "ok", "requires vtid"),
    ],
)
async def test_a_branch_without_a_queue_is_asked_what_it_lets_past(
    play: Play, told: Any, required: list[str], state: str, says: str
) -> None:
    told("PUT", "behaviour", repository=SHOP, protection={"required_checks": required})

    report = (await play.get("/environments/dev/merge-queue")).json()

    queue, branch = report["findings"]
    assert (report["merge_queue"], queue["about"], queue["state"]) == (False, "merge queue", "ok")
    assert (branch["about"], branch["state"]) == ("base branch", state)
    assert says in branch["says"]
    GroupChecks.model_validate(report)


async def test_a_workflow_without_the_trigger_is_named_before_it_hurts(play: Play, told: Any) -> None:
    file = {"path": ".github/workflows/ci.yml", "content": DEAF}
    told("POST", "commits", repository=SHOP, branch="main", files=[file])
    told("PUT", "behaviour", repository=SHOP, queue={"enabled": True}, protection={"required_checks": ["ci"]})

    [finding] = (await play.get("/environments/dev/merge-queue")).json()["findings"]

    assert finding["state"] == "fail"
    assert ".github/workflows/ci.yml" in finding["says"]


async def test_an_environment_of_many_repositories_needs_one_of_them(play: Play, told: Any) -> None:
    told("POST", "repos", full_name="acme/drill-x")

    unnamed = await play.get("/environments/drill/merge-queue")
    named = await play.get("/environments/drill/merge-queue", params={"repository": "acme/drill-x"})

    assert (unnamed.status_code, unnamed.json()["errors"][0]["field"]) == (422, "repository")
    assert named.json()["repository"] == "acme/drill-x"


async def test_refused_credentials_are_no_answer_about_the_branch(
    told: Any, ledger: Ledger, staging: Staging, keys: dict[str, str], simulator: str
) -> None:
    denied = play_with(GitHub(f"{simulator}/api/v3", "bad-token"), ledger, staging, keys)

    answer = await denied.get("/environments/dev/merge-queue")

    assert (answer.status_code, answer.json()["code"]) == (502, "GITHUB_DENIED")


async def test_an_api_without_a_code_host_says_so(
    ledger: Ledger, staging: Staging, keys: dict[str, str]
) -> None:
    answer = await play_with(None, ledger, staging, keys).get("/environments/dev/merge-queue")

    assert (answer.status_code, answer.json()["code"]) == (503, "GITHUB_UNAVAILABLE")
