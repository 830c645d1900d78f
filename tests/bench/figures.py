"""Figures as rows: ours, the yardstick beside it, their ratio, and the aim."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of the table. ratio: the median of the ratios of the pairs; spread: the least and the greatest."""

    name: str
    ours: float | None
    yardstick: float | None = None
    unit: str = ""
    aim: str = ""
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    note: str = ""


def of_pairs(
    name: str, ours: Sequence[float], yardstick: Sequence[float], unit: str, aim: str = "", note: str = ""
) -> Row:
    """A row of figures that were taken pair by pair."""
    ratios = [a / b for a, b in zip(ours, yardstick, strict=True)]
    return Row(
        name, median(ours), median(yardstick), unit, aim, median(ratios), (min(ratios), max(ratios)), note
    )


def p95(values: Sequence[float]) -> float:
    """The 95th percentile of at least two values."""
    return quantiles(values, n=20)[-1]


def machine() -> dict[str, Any]:
    """Where and when this was measured, and how busy the machine was before."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "load_before": os.getloadavg()[0],
    }


def as_data(where: dict[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    """Everything as JSON has it."""
    return {"machine": where | {"load_after": os.getloadavg()[0]}, "rows": [asdict(row) for row in rows]}


def line(row: Row) -> str:
    """The row as text."""
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}x"
    spread = "" if row.spread is None else f"[{row.spread[0]:.2f}-{row.spread[1]:.2f}]"
    cells = (f"{row.name:<44}", f"{_short(row.ours):>9}", f"{_short(row.yardstick):>9}", f"{row.unit:<11}")
    return "  ".join((*cells, f"{ratio:>6} {spread:<12}", f"{row.aim:<9}", row.note)).rstrip()


HEADING = "  ".join(
    (f"{'':<44}", f"{'ours':>9}", f"{'yardstick':>9}", f"{'':<11}", f"{'ratio':>6} {'':<12}", "aim")
)


def _short(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"
