"""What is declared beside what runs, through the API, over the simulated Cloud Run."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.composing import Outside
from tests.api.conftest import OPTIONS, Staging
from tests.api.engine import FakeEngine
from tests.api.stage import Play
from vtid.adapters.cloud_run import CloudRun
from vtid.adapters.hosts import service_hosts
from vtid.adapters.http_probe import HttpProbe
from vtid.configuration.environments import load_environments
from vtid.configuration.settings import SHIPPED_ENVIRONMENTS
from vtid.domain.environment import Environment, Service
from vtid.ledger import Ledger
from vtid.simulator.server import serving


@pytest.fixture(scope="module")
def simulator() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def play(ledger: Ledger, staging: Staging, keys: dict[str, str], simulator: str) -> Play:
    environments = load_environments(SHIPPED_ENVIRONMENTS)
    host = CloudRun(simulator)
    httpx.post(f"{simulator}/_sim/reset")
    staging()  # makes the keys
    app = create_app(ledger, FakeEngine(), environments, OPTIONS, Outside(settings_host=host))
    return Play(app, ledger, FakeEngine(), keys)


def runs(simulator: str, **revision: Any) -> None:
    """The service `shop` of staging with this one revision."""
    wish = {"name": "shop-1", "commit_sha": "a" * 40, "ready": True} | revision
    place = {"project": "acme-staging", "region": "europe-west1"}
    answer = httpx.put(f"{simulator}/_sim/services/shop", json={**place, "revisions": [wish]})
    assert answer.is_success, answer.text


async def looked(play: Play, name: str = "staging", **params: str) -> dict[str, Any]:
    answer = await play.get(f"/environments/{name}/drift", params=params)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


async def test_what_runs_as_declared_is_equal_and_its_address_is_discovered(
    play: Play, simulator: str
) -> None:
    runs(simulator, env={"DATABASE_NAME": "shop"}, secrets={"API_KEY": "API_KEY:latest"})

    report = await looked(play)

    assert (report["equal"], report["drift"]) == (True, [])
    assert report["services"][0]["url"].startswith(simulator)


async def test_missing_extra_and_conflicting_names_are_told(play: Play, simulator: str) -> None:
    runs(simulator, env={"API_KEY": "in plain text", "DEBUG": "1"}, secrets={"OLD": "old:1"})

    report = await looked(play)

    assert not report["equal"]
    assert {(drift["kind"], drift["name"], drift["type"]) for drift in report["drift"]} == {
        ("missing", "DATABASE_NAME", "plain"),
        ("type_conflict", "API_KEY", "secret"),
        ("extra", "DEBUG", "plain"),
        ("extra", "OLD", "secret"),
    }
    assert "in plain text" not in str(report)


async def test_a_service_that_does_not_run_is_told(play: Play) -> None:
    assert [drift["kind"] for drift in (await looked(play))["drift"]] == ["service_missing"]


async def test_cloud_run_out_of_reach_is_no_difference(play: Play, simulator: str) -> None:
    match = {"method": "GET", "path_regex": "^/v2/"}
    httpx.post(f"{simulator}/_sim/faults", json={"match": match, "times": 1, "action": {"status": 503}})

    answer = await play.get("/environments/staging/drift")

    assert (answer.status_code, answer.json()["code"]) == (503, "CLOUD_RUN_UNAVAILABLE")


async def test_a_service_that_only_answers_is_asked_for_its_version_and_nothing_else(
    ledger: Ledger, staging: Staging, keys: dict[str, str], simulator: str, play: Play
) -> None:
    place = f"{simulator}/run/acme-staging/europe-west1/shop"
    pages = Service("shop", host="http_version", url=place)
    environment = Environment("elsewhere", "", "", "acme/shop", services=(pages,))
    hosts = service_hosts(None, HttpProbe())
    app = create_app(ledger, FakeEngine(), {"elsewhere": environment}, OPTIONS, Outside(settings_host=hosts))
    elsewhere = Play(app, ledger, FakeEngine(), keys)

    before = await looked(elsewhere, "elsewhere")
    runs(simulator)
    after = await looked(elsewhere, "elsewhere")

    assert [drift["kind"] for drift in before["drift"]] == ["no_version"]
    assert (after["equal"], after["services"][0]["commit"]) == (True, "a" * 40)
    assert after["services"][0]["unseen"] == "http_version shows no variables and no secrets"


async def test_an_unknown_name_lists_the_declared_ones(play: Play) -> None:
    answer = await play.get("/environments/stagging/drift")

    assert answer.status_code == 404
    assert answer.json()["expected"] == [
        "dev",
        "drill",
        "drill-http",
        "drill-private",
        "drill-strict",
        "production",
        "staging",
    ]


async def test_an_environment_of_many_repositories_needs_one_of_them(play: Play) -> None:
    answer = await play.get("/environments/drill/drift")
    named = await looked(play, "drill", repository="acme/drill-x")
    wrong = await play.get("/environments/drill/drift", params={"repository": "acme/shop"})

    assert (answer.status_code, wrong.status_code) == (422, 422)
    assert named["services"][0]["cloud_run"] == "drill-x"
