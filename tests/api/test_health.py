"""Health, metrics, the catalogue, the page."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.docs.alerts import rules, why_not_exposed
from vtid.domain.failures import API_CODES, FAILURES
from vtid.domain.limits import LIMITS
from vtid.domain.rules import RULES
from vtid.domain.stages import Stage

from .stage import Play

PARTS = ("database", "temporal", "worker")


async def root(play: Play, path: str) -> tuple[int, dict[str, object]]:
    async with play.client(None) as client:
        answer = await client.get(path)
    return answer.status_code, answer.json()


async def test_ready_means_database_temporal_and_a_polling_worker(play: Play) -> None:
    status, body = await root(play, "/readyz")

    assert (status, body["status"]) == (200, "ready")
    assert set(body["checks"]) == set(PARTS)  # type: ignore[call-overload]


@pytest.mark.parametrize("polled", [None, datetime.now(UTC) - timedelta(minutes=5)])
async def test_without_a_polling_worker_it_is_not_ready_and_says_so(
    play: Play, polled: datetime | None
) -> None:
    play.engine.polled_at = polled

    status, body = await root(play, "/readyz")

    assert status == 503
    assert "worker" in body["checks"]["worker"]["says"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("current", "polling", "told"),
    [
        ("", ["b" * 40], "workers without a version, and there poll build bbbbbbbbbbbb; make it current: temporal "),
        ("a" * 40, ["b" * 40], f"build aaaaaaaaaaaa, and there poll build bbbbbbbbbbbb; make it current: temporal "
         f"worker deployment set-current-version --deployment-name vtid --build-id {'b' * 40}"),
        ("a" * 40, [""], "build aaaaaaaaaaaa, and there poll workers without a version"),
    ],
)  # fmt: skip
async def test_workers_that_take_no_new_run_are_not_ready_and_it_is_said_how_they_would(
    play: Play, current: str, polling: list[str], told: str
) -> None:
    play.engine.polled_at, play.engine.current_build = None, current
    play.engine.builds = dict.fromkeys(polling, datetime.now(UTC))

    status, body = await root(play, "/readyz")

    assert status == 503
    assert told in body["checks"]["worker"]["says"]  # type: ignore[index]


async def test_a_worker_of_the_current_build_is_ready_whoever_else_polls(play: Play) -> None:
    play.engine.polled_at, play.engine.current_build = None, "a" * 40
    play.engine.builds = {"a" * 40: datetime.now(UTC), "b" * 40: datetime.now(UTC)}

    assert (await root(play, "/readyz"))[0] == 200


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


async def metrics(play: Play) -> dict[str, float]:
    """Series -> value, as Prometheus would read them."""
    async with play.client(None) as client:
        lines = (await client.get("/metrics")).text.splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}


async def test_metrics_tell_what_answers_now_and_nothing_of_what_could_not_be_asked(play: Play) -> None:
    well = await metrics(play)
    play.engine.polled_at = None
    nobody_polls = await metrics(play)
    play.engine.down = True
    away = await metrics(play)

    def parts(told: dict[str, float]) -> dict[str, float]:
        return {name: told[key] for name in PARTS if (key := f'vtid_ready{{part="{name}"}}') in told}

    assert parts(well) == {"database": 1, "temporal": 1, "worker": 1}
    assert parts(nobody_polls) == {"database": 1, "temporal": 1, "worker": 0}
    assert parts(away) == {"database": 1, "temporal": 0}


async def test_alerts_ask_for_what_the_api_exposes(play: Play) -> None:
    failure = {"code": "CHECKS_FAILED", "message": "ci is red", "moves": ["retry"]}
    await play.tell(await play.run(), "run.blocked", stage=Stage.VALIDATOR, failure=failure, until=None)
    await play.services.reconciler.reconcile()

    async with play.client(None) as client:
        told = (await client.get("/metrics")).text

    missing = {rule["alert"]: why_not_exposed(rule, told, by_the_worker=False) for rule in rules()}
    assert {name: series for name, series in missing.items() if series} == {}


async def test_metrics_tell_since_when_a_run_is_blocked_and_by_what(play: Play) -> None:
    before = datetime.now(UTC).timestamp()
    failure = {"code": "CHECKS_FAILED", "message": "ci is red", "moves": ["retry", "abandon"]}
    first, second = await play.run(), await play.run()
    for vtid in (first, second):
        await play.tell(vtid, "run.blocked", stage=Stage.VALIDATOR, failure=failure, until=None)

    await play.services.reconciler.reconcile()
    told = await metrics(play)

    labels = '{code="CHECKS_FAILED",outcome="failure"}'
    view = (await play.get(f"/runs/{first}")).json()
    since = datetime.fromisoformat(view["waiting"]["since"]).timestamp()
    assert told[f"vtid_runs_blocked{labels}"] == 2
    assert told[f"vtid_runs_blocked_oldest_timestamp_seconds{labels}"] == pytest.approx(since, abs=0.001)
    assert since >= before


async def test_a_webhook_that_nobody_signed_is_counted_from_nought(play: Play) -> None:
    before = await metrics(play)
    async with play.client(None) as client:
        refused = await client.post("/webhooks/github", content=b"{}")
    after = await metrics(play)

    series = f'vtid_webhooks_refused_total{{code="{refused.json()["code"]}"}}'
    assert (before[series], after[series]) == (0, 1)
