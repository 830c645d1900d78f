"""Who called what, and what it changed: the witness for "exactly one merge"."""

import itertools
from collections import deque
from dataclasses import dataclass
from typing import Any

# A demo that polls for days must not grow for ever.
KEPT_ENTRIES = 50_000


@dataclass
class Entry:
    n: int
    at: str
    method: str
    path: str
    effect: str | None = None
    repository: str | None = None
    status: int | None = None
    """What was answered; None when the answer never left (cut, hanging)."""
    fault: str | None = None


class Journal:
    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT_ENTRIES)
        # Numbers go on after a reset, so that a reader's `since` never points into another life.
        self._numbers = itertools.count(1)

    def open(self, at: str, method: str, path: str) -> Entry:
        entry = Entry(next(self._numbers), at, method, path)
        self._entries.append(entry)
        return entry

    def since(self, n: int, repository: str | None = None) -> list[dict[str, Any]]:
        return [
            vars(entry).copy()
            for entry in self._entries
            if entry.n > n and repository in (None, entry.repository)
        ]

    def clear(self) -> None:
        self._entries.clear()
