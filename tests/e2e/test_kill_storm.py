"""Killed at random moments: every run ends completed, once.

STORM=20x20 lets the full storm pass (runs x kills); STORM_SEED repeats one.
"""

import os
import secrets
from pathlib import Path

import pytest

from tests.e2e.kill_storm import storm
from vtid.cli.console import tell

RUNS, KILLS = (int(n) for n in os.environ.get("STORM", "8x8").split("x"))
SEED = int(os.environ.get("STORM_SEED", secrets.randbelow(10**6)))


@pytest.mark.e2e
@pytest.mark.timeout(300)
async def test_nothing_is_lost_or_done_twice_however_often_we_are_killed(tmp_path: Path) -> None:
    tell(f"seed {SEED}, {RUNS} runs, {KILLS} kills")

    figures = await storm(tmp_path, runs=RUNS, kills=KILLS, seed=SEED)

    tell(str(figures))
    assert figures.wrong == ()
    assert (figures.completed, figures.merges, figures.dispatches) == (RUNS, RUNS, RUNS)
