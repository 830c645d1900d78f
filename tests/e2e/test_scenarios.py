"""A chosen handful of the catalogue on one real stack, several at a time: what was promised is what is seen."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.docs.alerts import rules, samples, selectors, why_not_exposed
from tests.e2e.bundles import Bundles, wrong_in_bundles
from vtid.cli.scenarios import CATALOGUE, Result
from vtid.cli.scenarios.runner import perform, scenario_stack

HANDFUL = (
    "worker-lies-no-pr",  # the longest first
    "zombie-late-result",
    "github-502-storm",
    "worker-dies-mid-work",
    "old-revision-serves",
    "superseded-after-success",
    "happy-path",
    "http-version-service",
    "rescue-retry",
    "merge-answer-lost",
    "cancel-while-working",
)

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Afternoon:
    """How the handful ended, what is wrong with its proof bundles, and what the worker tells Prometheus afterwards."""

    results: dict[str, Result]
    bundles: Bundles
    of_the_worker: str


@pytest.fixture(scope="module")
async def afternoon(tmp_path_factory: pytest.TempPathFactory) -> Afternoon:
    stack = scenario_stack(tmp_path_factory.mktemp("stack"), print)
    async with stack, httpx.AsyncClient(timeout=10) as client:
        played = await perform(stack, [CATALOGUE[name] for name in HANDFUL])
        bundles = await wrong_in_bundles(stack, client)
        worker = await client.get(stack.addresses.worker_metrics)
    return Afternoon({result.name: result for result in played}, bundles, worker.text)


def counted(metrics: str, name: str, **labels: str) -> float:
    """The sum of the samples of this name that carry these labels."""
    return sum(each.value for each in samples(metrics, name) if labels.items() <= each.labels.items())


@pytest.mark.parametrize("name", HANDFUL)
def test_what_was_promised_is_what_is_seen(name: str, afternoon: Afternoon) -> None:
    assert afternoon.results[name].why == ()


def test_every_run_has_a_proof_bundle_that_holds_against_its_own_log(afternoon: Afternoon) -> None:
    assert afternoon.bundles.keys() >= {"completed", "cancelled"}
    assert afternoon.bundles.keys() & {
        "blocked",
        "rejected",
    }  # a run that nobody decides about fails in the end
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


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_the_worker_exposes(rule: dict[str, Any], afternoon: Afternoon) -> None:
    told = afternoon.of_the_worker
    values = [each for each in selectors(rule) if each.name.startswith("temporal_")]

    assert why_not_exposed(rule, told, by_the_worker=True) == []
    # The SDK chooses these values, not we: a pattern that none of them fits would never wake anybody.
    assert [each for each in values if not any(each.takes(s.labels) for s in samples(told, each.name))] == []
