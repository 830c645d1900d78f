"""A chosen handful of the catalogue on one real stack, several at a time: what was promised is what is seen."""

import pytest

from vtid.cli.scenarios import CATALOGUE, Result
from vtid.cli.scenarios.runner import perform, scenario_stack

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


@pytest.fixture(scope="module")
async def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    stack = scenario_stack(tmp_path_factory.mktemp("stack"), print)
    async with stack:
        played = await perform(stack, [CATALOGUE[name] for name in HANDFUL])
    return {result.name: result for result in played}


@pytest.mark.parametrize("name", HANDFUL)
def test_what_was_promised_is_what_is_seen(name: str, results: dict[str, Result]) -> None:
    assert results[name].why == ()
