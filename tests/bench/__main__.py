"""`python -m tests.bench [--quick] [--json FILE] [--storm]`: measure, and print the table."""

import argparse
import asyncio
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench import orchestration, page, served
from tests.bench.figures import HEADING, Row, as_data, line, machine
from tests.bench.ground import ground

STORM = (20, 20)  # runs, kills


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    runs: orchestration.Size
    lean: bool
    served: served.Size
    page: page.Size


FULL = Plan(
    orchestration.Size(pairs=5, singles=10, at_once=30), True, served.Size(5, 1.5, 6, 20), page.Size(5, 100)
)
QUICK = Plan(
    orchestration.Size(pairs=3, singles=4, at_once=8, settle_seconds=0.5),
    False,
    served.Size(3, 0.2, 1, 5),
    page.Size(2, 24),
)


async def bench(plan: Plan, show: Callable[[Row], None]) -> list[Row]:
    """Measure one part after the other, and show the rows of each as they come."""
    rows: list[Row] = []

    def add(more: Sequence[Row]) -> None:
        rows.extend(more)
        for row in more:
            show(row)

    with tempfile.TemporaryDirectory() as directory:
        async with ground(Path(directory)) as on:
            add(await orchestration.measure(on, plan.runs, lean=plan.lean))
    with tempfile.TemporaryDirectory() as directory:
        add(await served.measure(Path(directory), plan.served))
    with tempfile.TemporaryDirectory() as directory:
        add(await page.measure(Path(directory), plan.page))
    return rows


async def storm() -> dict[str, Any]:
    """A kill storm at full size, as its own figures tell it."""
    from tests.e2e import kill_storm  # it is long, so only who asks for it has it

    runs, kills = STORM
    with tempfile.TemporaryDirectory() as directory:
        figures = await kill_storm.storm(
            Path(directory), runs=runs, kills=kills, seed=secrets.randbelow(10**6)
        )
    return asdict(figures)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything could be measured; 1 when a storm did damage. Slow figures are no failure."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="Measure, and print the table."
    )
    parser.add_argument("--quick", action="store_true", help="in a minute, with more noise")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    parser.add_argument("--storm", action="store_true", help="also let a kill storm of 20 runs pass")
    chosen = parser.parse_args(arguments)
    where = machine()
    _say(", ".join(f"{key} {value}" for key, value in where.items()))
    _say(HEADING)
    data = as_data(where, asyncio.run(bench(QUICK if chosen.quick else FULL, lambda row: _say(line(row)))))
    if chosen.storm:
        data["storm"] = asyncio.run(storm())
        _say(json.dumps(data["storm"]))
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    return 1 if chosen.storm and data["storm"]["wrong"] else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    status = main()
    os._exit(status)  # the SDK may abort in the interpreter's own shutdown (its issue 300)
