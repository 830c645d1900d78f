"""A chosen handful of the catalogue on one real stack, several at a time: what was promised is what is seen."""

import json
from dataclasses import dataclass

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from vtid.cli.scenarios import CATALOGUE, Result
from vtid.cli.scenarios.runner import perform, scenario_stack
from vtid.cli.stack import Stack
from vtid.domain.proof_checks import Finding, findings_against, findings_of
from vtid.domain.proof_shape import read_bundle

HANDFUL = (
    "worker-lies-no-pr",  # the longest first
    "zombie-late-result",
    "github-502-storm",
    "worker-dies-mid-work",
    "old-revision-serves",
    "happy-path",
    "http-version-service",
    "rescue-retry",
    "merge-answer-lost",
    "cancel-while-working",
)

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Afternoon:
    """How the handful ended, what is wrong with each run's proof bundle, and what Prometheus is told afterwards."""

    results: dict[str, Result]
    bundles: dict[str, list[tuple[str, Finding]]]
    of_the_worker: str
    of_the_api: str


@pytest.fixture(scope="module")
async def afternoon(tmp_path_factory: pytest.TempPathFactory) -> Afternoon:
    stack = scenario_stack(tmp_path_factory.mktemp("stack"), print)
    async with stack, httpx.AsyncClient(timeout=10) as client:
        played = await perform(stack, [CATALOGUE[name] for name in HANDFUL])
        bundles = await wrong_in_bundles(stack, client)
        worker = await client.get(stack.addresses.worker_metrics)
        api = await client.get(f"{stack.api}/metrics")
    return Afternoon({result.name: result for result in played}, bundles, worker.text, api.text)


async def wrong_in_bundles(stack: Stack, client: httpx.AsyncClient) -> dict[str, list[tuple[str, Finding]]]:
    """How a run stands -> what does not hold in the bundles of such runs, each against the event log of its task."""

    async def asked(path: str, **params: str | int) -> str:
        key = {"Authorization": f"Bearer {stack.token}"}
        answer = await client.get(f"{stack.api}/api/v1{path}", params=params, headers=key)
        return answer.raise_for_status().text

    wrong: dict[str, list[tuple[str, Finding]]] = {}
    for run in json.loads(await asked("/runs", limit=200))["items"]:
        if run["outcome"] or run["status"] == "blocked":
            statement = read_bundle(await asked(f"/runs/{run['vtid']}/proof/bundle")).statement
            log = json.loads(await asked("/events", vtid=run["vtid"], limit=500))["items"]
            found = (*findings_of(statement), *findings_against(statement, log))
            of_status = wrong.setdefault(statement["predicate"]["status"], [])
            of_status += [(run["vtid"], each) for each in found if each.holds is False]
    return wrong


def counted(metrics: str, name: str, **labels: str) -> float:
    """The sum of the samples of this name that carry these labels."""
    families = text_string_to_metric_families(metrics)
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


@pytest.mark.parametrize("name", HANDFUL)
def test_what_was_promised_is_what_is_seen(name: str, afternoon: Afternoon) -> None:
    assert afternoon.results[name].why == ()


def test_every_run_has_a_proof_bundle_that_holds_against_its_own_log(afternoon: Afternoon) -> None:
    assert afternoon.bundles.keys() >= {"completed", "blocked", "cancelled"}
    assert [each for found in afternoon.bundles.values() for each in found] == []


def test_the_worker_tells_prometheus_of_its_work_in_the_units_of_prometheus(afternoon: Afternoon) -> None:
    told = afternoon.of_the_worker
    waited = "temporal_workflow_task_schedule_to_start_latency_seconds"

    assert counted(told, f"{waited}_count", task_queue="vtid-runs") > 0
    assert counted(told, f"{waited}_sum", task_queue="vtid-runs") < 1_000 * len(HANDFUL)  # no milliseconds
    assert counted(told, "temporal_num_pollers", task_queue="vtid-runs", poller_type="workflow_task") > 0
    assert counted(told, "temporal_activity_execution_failed_total", activity_type="gather_facts") > 0


def test_an_error_of_a_step_is_counted_by_its_system_and_its_name_and_a_poll_is_none(
    afternoon: Afternoon,
) -> None:
    told = afternoon.of_the_worker
    stormed = {"activity_type": "gather_facts", "system": "GITHUB", "error": "Unavailable"}

    assert counted(told, "vtid_step_errors_total", task_queue="vtid-github", **stormed) > 0
    assert counted(told, "vtid_step_errors_total", error="NOT_READY") == 0
    assert "VTID-" not in told
