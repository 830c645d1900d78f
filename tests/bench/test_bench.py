"""The bench itself still measures: not how fast anything is."""

from pathlib import Path

import pytest

from tests.bench import orchestration
from tests.bench.figures import as_data, line, machine
from tests.bench.ground import ground


@pytest.mark.e2e
async def test_the_bench_measures_a_green_run_beside_a_bare_one(tmp_path: Path) -> None:
    size = orchestration.Size(pairs=1, singles=1, at_once=1, settle_seconds=0)
    async with ground(tmp_path) as on:
        rows = await orchestration.measure(on, size, lean=True)

    by_name = {row.name: row for row in rows}
    assert by_name["green run, p50 (bare)"].ratio is not None
    assert by_name["runs a second, 1 at once (lean bare)"].ratio is not None
    assert by_name["events in Temporal's history, a run"].ours is not None
    assert all(line(row).startswith(row.name) for row in rows)
    assert len(as_data(machine(), rows)["rows"]) == len(rows)
