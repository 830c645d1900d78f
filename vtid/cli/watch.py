"""`vtid run watch`: one run, live, until it is over."""

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from rich.console import RenderableType
from rich.live import Live

from vtid.cli.client import call
from vtid.cli.console import out, print_json, tell
from vtid.cli.exits import Exit, exit_for_run
from vtid.cli.faces import run_face
from vtid.cli.session import Session
from vtid.cli.stream import Connected, Happened, Lost, follow
from vtid.cli.words import event_line

SHOWN_EVENTS = 8


@dataclass
class Watched:
    """What is on the screen."""

    run: dict[str, Any]
    events: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=SHOWN_EVENTS))
    note: str = ""

    def take(self, told: Happened | Lost | Connected) -> None:
        """Put what the stream told on the screen."""
        match told:
            case Happened():
                self.events.append(told.event)
                self.run = told.run or self.run
            case Lost():
                self.note = f"connection lost ({told.reason}); reconnecting"
            case Connected():
                self.note = ""

    def face(self) -> RenderableType:
        return run_face(self.run, self.events, note=self.note)


async def watch(session: Session, vtid: str, *, until_blocked: bool, seconds: float | None) -> Exit:
    """Follow the run and return the exit code of where it ends. Raises CommandFailed."""
    watched = Watched(call(session, "GET", f"/api/v1/runs/{vtid}"))
    screen, tell_one = _screen(session, watched)
    for told in _so_far(session, watched.run):
        watched.take(told)
        tell_one(told)
    try:
        with screen:
            async with asyncio.timeout(seconds):
                await _follow(session, watched, tell_one, until_blocked=until_blocked)
    except TimeoutError:
        tell(f"vtid: {vtid} is still {watched.run['status']} after {seconds:g} s")
        return Exit.TIMED_OUT
    return exit_for_run(watched.run)


def _so_far(session: Session, run: dict[str, Any]) -> list[Happened]:
    """What happened in this run before the stream takes over; the view is the one that we have."""
    page = call(session, "GET", "/api/v1/events", params={"vtid": run["vtid"], "limit": 500})
    return [
        Happened(str(event["position"]), event, run)
        for event in page["items"]
        if event.get("run_id") == run["run_id"] and event["position"] <= run["position"]
    ]


async def _follow(
    session: Session,
    watched: Watched,
    tell_one: Callable[[Happened | Lost | Connected], None],
    *,
    until_blocked: bool,
) -> None:
    def is_over() -> bool:
        return bool(watched.run.get("outcome")) or (until_blocked and watched.run["status"] == "blocked")

    if is_over():
        return
    async for told in follow(session, watched.run["vtid"], after=str(watched.run["position"])):
        watched.take(told)
        tell_one(told)
        if is_over():
            return


def _screen(
    session: Session, watched: Watched
) -> tuple[AbstractContextManager[Any], Callable[[Happened | Lost | Connected], None]]:
    """A live picture for a person, JSON lines for `--json`, else one plain line for each event."""
    if session.as_json:
        return nullcontext(), _json_line
    if not sys.stdout.isatty():
        return nullcontext(), _plain_line
    # The picture is drawn anew four times a second, so that clocks and countdowns move.
    return Live(get_renderable=watched.face, console=out(), refresh_per_second=4), lambda _told: None


def _json_line(told: Happened | Lost | Connected) -> None:
    if isinstance(told, Happened):
        print_json({"event": told.event, "run": told.run})
    elif isinstance(told, Lost):
        tell(f"connection lost ({told.reason}); reconnecting")


def _plain_line(told: Happened | Lost | Connected) -> None:
    if isinstance(told, Happened):
        print(event_line(told.event), flush=True)
    elif isinstance(told, Lost):
        tell(f"connection lost ({told.reason}); reconnecting")
