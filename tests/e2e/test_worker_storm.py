"""Workers that die, hang, lie, repeat themselves and answer late: every order is accepted once.

WORKER_STORM=200x50 lets the full storm pass (orders x workers); WORKER_STORM_SEED repeats one.
"""

import os
import secrets
from pathlib import Path

import pytest

from tests.e2e.worker_storm import storm
from vtid.cli.console import tell

ORDERS, WORKERS = (int(n) for n in os.environ.get("WORKER_STORM", "12x10").split("x"))
SEED = int(os.environ.get("WORKER_STORM_SEED", secrets.randbelow(10**6)))
PAUSES = (1.0, 2.5)  # so that a short storm strikes, too


@pytest.mark.e2e
@pytest.mark.timeout(600)
async def test_every_order_is_accepted_once_whatever_its_workers_do(tmp_path: Path) -> None:
    tell(f"seed {SEED}, {ORDERS} orders, {WORKERS} workers")

    figures = await storm(tmp_path, orders=ORDERS, workers=WORKERS, seed=SEED, seconds=400, pauses=PAUSES)

    tell(str(figures))
    assert figures.wrong == ()
    assert figures.completed == ORDERS
    assert figures.deaths
