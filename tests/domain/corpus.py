"""The labelled corpus and how an extractor is scored on it: `python -m tests.domain.corpus`."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from vtid.domain.extraction import ChangeText, Extraction, extract

FILE = Path(__file__).parents[1] / "data" / "vtid-corpus" / "dev.jsonl"
Row = dict[str, Any]


@dataclass(frozen=True)
class Score:
    """right: the expected id. false: an answer where none is expected. wrong: another id. missed: none."""

    right: int = 0
    false: int = 0
    wrong: int = 0
    missed: int = 0
    silent: int = 0  # rightly no answer

    @property
    def precision(self) -> float:
        answered = self.right + self.wrong + self.false
        return self.right / answered if answered else 1.0

    @property
    def recall(self) -> float:
        expected = self.right + self.wrong + self.missed
        return self.right / expected if expected else 1.0

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, 2 * self.right + 2 * self.wrong + self.false + self.missed)

    def __str__(self) -> str:
        return (
            f"precision {self.precision:.4f}  recall {self.recall:.4f}  F1 {self.f1:.4f}  "
            f"right {self.right:4}  false {self.false:2}  wrong {self.wrong:2}  missed {self.missed:2}  "
            f"rightly none {self.silent}"
        )


def rows() -> list[Row]:
    """The development half."""
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def split_of(row: Row) -> str:
    """`tuned` or `held`: rules were made with a look at the first only. One task is in one split only."""
    return ("tuned", "held")[sha256((row["expected"] or row["id"]).encode()).digest()[0] % 2]


def answer(row: Row) -> Extraction:
    return extract(ChangeText(row["subject"], row["body"], row["branch"]))


def verdict(row: Row) -> str:
    vtid, expected = answer(row).vtid, row["expected"]
    if vtid == expected:
        return "right" if expected else "silent"
    if vtid is None:
        return "missed"
    return "wrong" if expected else "false"


def score(some: Iterable[Row]) -> Score:
    return Score(**Counter(verdict(row) for row in some))


def scores_by(key: Callable[[Row], str], some: Iterable[Row]) -> dict[str, Score]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in some:
        groups[key(row)].append(row)
    return {name: score(group) for name, group in sorted(groups.items())}


def report() -> str:
    """All figures as a table."""
    everything = rows()
    figures = {"all": score(everything)}
    figures |= scores_by(split_of, everything)
    figures |= scores_by(lambda row: str(row["kind"]), everything)
    return "\n".join(f"{name:15} {figure}" for name, figure in figures.items())


def speed(seconds: float = 1.0) -> float:
    """Changes per second, one process."""
    changes = [ChangeText(row["subject"], row["body"], row["branch"]) for row in rows()]
    done, start = 0, time.perf_counter()
    while (took := time.perf_counter() - start) < seconds:
        for change in changes:
            extract(change)
        done += len(changes)
    return done / took


if __name__ == "__main__":
    print(report())  # noqa: T201
    print(f"{speed():,.0f} changes/s")  # noqa: T201
