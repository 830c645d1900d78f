"""Health, metrics, the catalogue, the page."""

from datetime import UTC, datetime, timedelta

import pytest

from vtid.domain.failures import API_CODES, FAILURES
from vtid.domain.limits import LIMITS
from vtid.domain.rules import RULES

from .stage import Play


async def root(play: Play, path: str) -> tuple[int, dict[str, object]]:
    async with play.client(None) as client:
        answer = await client.get(path)
    return answer.status_code, answer.json()


async def test_ready_means_database_temporal_and_a_polling_worker(play: Play) -> None:
    status, body = await root(play, "/readyz")

    assert (status, body["status"]) == (200, "ready")
    assert set(body["checks"]) == {"database", "temporal", "worker"}  # type: ignore[call-overload]


@pytest.mark.parametrize("polled", [None, datetime.now(UTC) - timedelta(minutes=5)])
async def test_without_a_polling_worker_it_is_not_ready_and_says_so(
    play: Play, polled: datetime | None
) -> None:
    play.engine.polled_at = polled

    status, body = await root(play, "/readyz")

    assert status == 503
    assert "worker" in body["checks"]["worker"]["says"]  # type: ignore[index]


async def test_a_process_that_cannot_serve_is_still_alive(play: Play) -> None:
    play.engine.down = True

    assert (await root(play, "/readyz"))[0] == 503
    assert (await root(play, "/healthz"))[0] == 200


async def test_the_version_names_the_build(play: Play) -> None:
    assert set((await root(play, "/version"))[1]) == {"version", "commit", "build"}


async def test_metrics_count_by_route_template_and_never_by_vtid(play: Play) -> None:
    grant = await play.claimed()
    await play.get(f"/runs/{grant['vtid']}")
    await play.services.reconciler.reconcile()

    async with play.client(None) as client:
        text = (await client.get("/metrics")).text

    assert 'route="/api/v1/runs/{vtid}"' in text
    assert 'vtid_order_claims_total{result="granted"} 1.0' in text
    assert "vtid_runs{" in text
    assert "VTID-" not in text


async def test_the_tables_are_served_whole(play: Play) -> None:
    limits = (await play.get("/limits")).json()["items"]
    codes = (await play.get("/failure-codes")).json()
    rules = (await play.get("/rules")).json()["items"]
    environments = (await play.get("/environments")).json()["items"]

    assert {row["name"] for row in limits} == set(LIMITS)
    assert {row["code"] for row in codes["items"]} == set(FAILURES)
    assert {row["code"] for row in codes["api"]} == set(API_CODES)
    assert len(rules) == len(RULES)
    assert {"dev", "staging", "production"} <= {row["name"] for row in environments}


async def test_the_page_runs_under_its_own_content_security_policy(play: Play) -> None:
    async with play.client(None) as client:
        page = await client.get("/")
        script = await client.get("/ui/app.js")
        style = await client.get("/ui/css/tokens.css")

    policy = page.headers["content-security-policy"]
    assert page.text.count("<script") == 2  # the import map, admitted by its hash, and the module
    assert "'sha256-" in policy
    assert "unsafe" not in policy
    assert "javascript" in script.headers["content-type"]
    assert "css" in style.headers["content-type"]


async def test_a_person_at_an_address_that_is_none_gets_the_page_and_a_program_a_problem(play: Play) -> None:
    browser = {"Accept": "text/html,*/*;q=0.8"}
    async with play.client(None) as client:
        person = await client.get("/nowhere/at/all", headers=browser)
        program = await client.get("/nowhere/at/all")
        mistyped = await client.get("/api/v1/nowhere", headers=browser)
        wrong_verb = await client.get("/webhooks/github", headers=browser)

    assert (person.status_code, person.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert (program.status_code, program.json()["code"]) == (404, "NOT_FOUND")
    assert (mistyped.status_code, mistyped.json()["code"]) == (404, "NOT_FOUND")
    assert wrong_verb.status_code == 405
