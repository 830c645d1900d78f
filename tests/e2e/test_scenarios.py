"""A chosen handful of the catalogue on one real stack, several at a time: what was promised is what is seen."""

import httpx
import pytest

from vtid.cli.scenarios import CATALOGUE, Result
from vtid.cli.scenarios.runner import perform, scenario_stack
from vtid.cli.stack import Stack
from vtid.domain.proof_checks import Finding, findings_against, findings_of
from vtid.domain.proof_shape import read_bundle

HANDFUL = (
    "worker-lies-no-pr",  # the longest first
    "zombie-late-result",
    "worker-dies-mid-work",
    "old-revision-serves",
    "happy-path",
    "http-version-service",
    "rescue-retry",
    "merge-answer-lost",
    "cancel-while-working",
)

pytestmark = pytest.mark.e2e


Proofs = dict[
    str, tuple[str, tuple[Finding, ...]]
]  # VTID -> how its run stands, and the checks of its bundle


@pytest.fixture(scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Result], Proofs]:
    stack = scenario_stack(tmp_path_factory.mktemp("stack"), print)
    async with stack:
        results = await perform(stack, [CATALOGUE[name] for name in HANDFUL])
        proofs = await bundles(stack)
    return {result.name: result for result in results}, proofs


async def bundles(stack: Stack) -> Proofs:
    """The bundle of every run that is blocked or over, held against the event log of its task."""
    found: Proofs = {}
    key = {"Authorization": f"Bearer {stack.token}"}
    async with httpx.AsyncClient(base_url=f"{stack.api}/api/v1", headers=key, timeout=30) as client:
        for run in (await client.get("/runs", params={"limit": 200})).raise_for_status().json()["items"]:
            if run["outcome"] or run["status"] == "blocked":
                vtid = run["vtid"]
                bundle = read_bundle((await client.get(f"/runs/{vtid}/proof/bundle")).raise_for_status().text)
                log = (await client.get("/events", params={"vtid": vtid, "limit": 500})).json()["items"]
                found[vtid] = (
                    bundle.predicate["status"],
                    (*findings_of(bundle.statement), *findings_against(bundle.statement, log)),
                )
    return found


@pytest.mark.parametrize("name", HANDFUL)
def test_what_was_promised_is_what_is_seen(name: str, played: tuple[dict[str, Result], Proofs]) -> None:
    assert played[0][name].why == ()


def test_every_run_has_a_proof_bundle_that_holds_against_its_own_log(
    played: tuple[dict[str, Result], Proofs],
) -> None:
    _, proofs = played

    assert {status for status, _ in proofs.values()} >= {"completed", "blocked", "cancelled"}
    assert {vtid: [each for each in found if each.holds is False] for vtid, (_, found) in proofs.items()} == {
        vtid: [] for vtid in proofs
    }
