"""Time in the simulated world: what is due happens as soon as anybody looks."""

import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime


class Schedule:
    """Future events, in order. While one happens, now() is the moment it was due, not the moment of looking."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        # Wall time is read once: a clock that is set back must not undo what has happened.
        self._offset = time.time() - monotonic()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._happening_at: float | None = None

    def now(self) -> float:
        """Seconds since the epoch."""
        if self._happening_at is not None:
            return self._happening_at
        return self._monotonic() + self._offset

    def after(self, seconds: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now() + seconds, next(self._order), happen))

    def advance(self) -> None:
        until = self._monotonic() + self._offset
        while self._due and self._due[0][0] <= until:
            at, _, happen = heapq.heappop(self._due)
            self._happening_at = at
            try:
                happen()
            finally:
                self._happening_at = None

    def skip(self, seconds: float) -> None:
        """Let time pass without waiting for it."""
        self._offset += seconds

    def clear(self) -> None:
        self._due.clear()


def moment(at: float, digits: int = 0) -> str:
    """RFC 3339 in UTC. GitHub tells whole seconds, Google microseconds."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds" if digits else "seconds")
    return text.replace("+00:00", "Z")
