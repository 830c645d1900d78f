"""The live stream: one reader of the event log per process, and as many listeners as there are pages.

A listener has a cursor, not a queue: it takes what is new from a shared, bounded window, and from the log
when it is further behind than that. So a slow one costs nothing, and none can miss or repeat an event.
"""

import asyncio
import json
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from api.presenter import Presenter
from vtid.domain.fold import fold, fold_all
from vtid.domain.view import RunView
from vtid.ledger import Ledger, LedgerUnavailable, Unknown
from vtid.ledger.event_log import run_event
from vtid.ledger.records import LoggedEvent

PAGE = 500
_WAIT_SECONDS = 15.0
# Events that no workflow told but that are about a run: they carry the run as it stands now.
_ABOUT_RUNS = ("run.", "engine.")


@dataclass(frozen=True)
class Message:
    """One event with the run as it looked right after it, ready to be sent."""

    position: int
    vtid: str | None
    text: str


class Folds:
    """Run views as of an event, folded forward; the last few runs are remembered."""

    def __init__(self, ledger: Ledger, *, remembered: int = 500) -> None:
        self._ledger = ledger
        self._remembered = remembered
        self._views: OrderedDict[str, RunView] = OrderedDict()

    async def after(self, event: LoggedEvent) -> RunView:
        """The view of the event's run with this event as the last one."""
        assert event.run_id is not None
        assert event.seq is not None
        view = self._views.get(event.run_id)
        if view is not None and view.seq == event.seq - 1:
            view = fold(view, run_event(event))
        else:
            told = await self._ledger.events.of_run(event.run_id, upto=event.position)
            view = fold_all(RunView(event.vtid or "", event.run_id), map(run_event, told))
        self._views[event.run_id] = view
        self._views.move_to_end(event.run_id)
        if len(self._views) > self._remembered:
            self._views.popitem(last=False)
        return view


class Feed:
    """Follows the log from the process's start on."""

    def __init__(
        self, ledger: Ledger, presenter: Presenter, *, window: int = 2_000, pause_seconds: float = 1.0
    ) -> None:
        self._ledger = ledger
        self._presenter = presenter
        self._pause_seconds = pause_seconds
        self._window: deque[Message] = deque(maxlen=window)
        self._floor: int | None = None  # every later event up to `_top` is in the window
        self._top = 0
        self._news = asyncio.Event()
        self._broken: Exception | None = None
        self._closing = False
        self._hooks: list[Callable[[LoggedEvent], None]] = []

    def on_event(self, hook: Callable[[LoggedEvent], None]) -> None:
        """Call this for each new event, in order."""
        self._hooks.append(hook)

    def close(self) -> None:
        """End all streams: the process stops."""
        self._closing = True
        self._tell()

    @property
    def is_closing(self) -> bool:
        return self._closing

    async def run(self) -> None:
        """Read the log until closed. An outage ends the streams with its reason, and is tried again."""
        folds = Folds(self._ledger)
        while not self._closing:
            try:
                if self._floor is None:
                    self._floor = self._top = await self._ledger.events.last_position()
                if await self._ledger.events.more(self._top, _WAIT_SECONDS):
                    await self._take(folds)
                self._broken = None
            except LedgerUnavailable as error:
                self._broken = error
                self._tell()
                await asyncio.sleep(self._pause_seconds)
            except Exception as error:
                # A reader that stands still must not look like a quiet system: the streams end, too.
                self._broken = error
                self._tell()
                raise

    async def _take(self, folds: Folds) -> None:
        for event in await self._ledger.events.read(after=self._top, limit=PAGE):
            message = await self._message(event, folds)
            if len(self._window) == self._window.maxlen:
                self._floor = self._window[0].position
            self._window.append(message)
            self._top = event.position
            for hook in self._hooks:
                hook(event)
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    # --- listening

    async def follow(self, after: int | None, vtid: str | None = None) -> AsyncIterator[Message]:
        """Every event after this position, once; None: from now on. Ends when the process stops.

        Raises LedgerUnavailable; the listener comes back with the last position that it has.
        """
        cursor = await self._ledger.events.last_position() if after is None else after
        folds = Folds(self._ledger)
        while not self._closing:
            news = self._news
            if self._broken is not None:
                raise self._broken
            if self._floor is None or cursor < self._floor:
                known = self._floor or 0
                events = await self._ledger.events.read(vtid=vtid, after=cursor, limit=PAGE)
                for event in events:
                    yield await self._message(event, folds)
                    cursor = event.position
                if len(events) < PAGE:
                    cursor = max(cursor, known)
                if events or self._floor is not None:
                    continue
            else:
                later, top = self._since(cursor, vtid), self._top
                for message in later:
                    yield message
                cursor = max(cursor, top)
                if news.is_set():
                    continue
            await news.wait()

    def _since(self, cursor: int, vtid: str | None) -> list[Message]:
        later: list[Message] = []
        for message in reversed(self._window):
            if message.position <= cursor:
                break
            if vtid in (None, message.vtid):
                later.append(message)
        return later[::-1]

    async def _message(self, event: LoggedEvent, folds: Folds) -> Message:
        run: dict[str, Any] | None = None
        if event.run_id is not None and event.seq is not None:
            run = self._presenter.view(await folds.after(event), position=event.position, as_of=event.at)
        elif event.vtid is not None and event.type.startswith(_ABOUT_RUNS):
            with suppress(Unknown):
                run = self._presenter.run(await self._ledger.runs.current(event.vtid))
        text = json.dumps({"event": self._presenter.event(event), "run": run}, separators=(",", ":"))
        return Message(event.position, event.vtid, text)
