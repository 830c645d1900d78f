"""`vtid demo`: the whole product on this machine, with something to look at."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from rich.live import Live

from vtid.cli.addresses import lock
from vtid.cli.client import call
from vtid.cli.console import out, print_json, tell, tell_while_heard
from vtid.cli.dev import explained, run_stack, welcome
from vtid.cli.exits import CommandFailed, Exit
from vtid.cli.faces import board_face
from vtid.cli.layout import ROOT, SEEDED
from vtid.cli.session import Session
from vtid.cli.stack import Stack
from vtid.cli.stream import Happened, Lost, follow
from vtid.cli.words import event_line

SEED = ROOT / "examples" / "VTID-01227.md"


@dataclass(frozen=True)
class Shown:
    """A task of the demo, and how its worker behaves."""

    title: str
    spec: str
    vtid: str | None = None
    behaviour: str = "honest"
    work_seconds: float = 3.0


def shown_tasks() -> tuple[Shown, ...]:
    """The document that this product answers, two everyday tasks, and a worker that lies."""
    return (
        Shown(
            "Stabilise the autonomous execution pipeline",
            SEED.read_text(encoding="utf-8"),
            "VTID-01227",
            "slow",
            6.0,
        ),
        Shown(
            "Say the price in the visitor's currency",
            _spec("Prices are shown in the visitor's own currency."),
        ),
        Shown(
            "Answer /healthz without touching the database",
            _spec("/healthz answers while the database is away."),
        ),
        Shown(
            "Send the receipt once", _spec("A retried payment sends one receipt, not two."), None, "lies", 2.0
        ),
    )


def _spec(promise: str) -> str:
    return f"# {promise}\n\n## Goal\n\n{promise}\n\n## Scope\n\nservices/shop\n\n## Acceptance Criteria\n\n- a test proves it\n"


def demo(*, data_dir: Path, port: int, as_json: bool) -> None:
    """Run the stack, seed the tasks through the public API, and show their runs until a person stops it."""
    with explained():
        start_anew(data_dir)
    stack = Stack(data_dir, simulate=True, port=port, say=tell_while_heard)
    run_stack(stack, partial(_present, as_json=as_json))


def start_anew(data_dir: Path) -> None:
    """Forget the demo before this one: the simulated world was in memory and is gone, its ledger must not stay.

    Data that no demo made is left alone. A demo that is still running keeps its files.
    """
    mark = data_dir / "made-by-the-demo"
    if mark.exists():
        with lock(data_dir):
            for name in ("ledger.db", "temporal.db"):
                for file in data_dir.glob(f"{name}*"):
                    file.unlink()
    elif not (data_dir / "ledger.db").exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        mark.touch()


async def _present(stack: Stack, *, as_json: bool) -> None:
    session = Session(stack.api, stack.token, stack.data_dir, as_json)
    if as_json:
        print(stack.addresses.ready_line(), flush=True)
    board = Board(welcome(stack))
    both = asyncio.gather(_seed(stack, session), board.show(session))
    try:
        await both
    finally:
        both.cancel()


async def _seed(stack: Stack, session: Session) -> None:
    """Every task has a worker of its own first; who comes later, and a retry, meet an honest one."""
    await _send_webhooks(stack)
    tasks = shown_tasks()
    made = [await asyncio.to_thread(_create, session, each) for each in tasks]
    for vtid, each in zip(made, tasks, strict=True):
        work = ("--work-seconds", str(each.work_seconds))
        await stack.add_worker(
            f"worker-of-{vtid.lower()}", "--vtid", vtid, "--behaviour", each.behaviour, *work
        )
        await asyncio.to_thread(call, session, "POST", "/api/v1/runs", json={"vtid": vtid})
    await _until_decided(session, made)
    await stack.add_worker("simulated-worker")


async def _send_webhooks(stack: Stack) -> None:
    """GitHub tells us when something happened, so that nobody waits for the next look."""
    hook = {"url": f"{stack.api}/webhooks/github", "secret": stack.webhook_secret}
    async with httpx.AsyncClient(base_url=stack.simulator, timeout=10) as client:
        (await client.put("/_sim/behaviour", json={"webhooks": hook})).raise_for_status()


def _create(session: Session, shown: Shown) -> str:
    """The task with its approved spec; under another VTID when a ledger that is not ours has this one."""
    wish = {"title": shown.title, "environment": SEEDED, "repository": "acme/shop", "spec": shown.spec}
    try:
        task = call(
            session, "POST", "/api/v1/tasks", json=wish | ({"vtid": shown.vtid} if shown.vtid else {})
        )
    except CommandFailed as failure:
        if failure.code is not Exit.CONFLICT:
            raise
        task = call(session, "POST", "/api/v1/tasks", json=wish)
    vtid = str(task["vtid"])
    approval = {"hash": task["spec"]["hash"], "reason": "the demo's own task"}
    call(session, "POST", f"/api/v1/tasks/{vtid}/spec/approve", json=approval)
    return vtid


async def _until_decided(session: Session, vtids: list[str]) -> None:
    """Until each run is over or waits for a person."""
    open_ones = set(vtids)
    async for told in follow(session, after="0"):
        if isinstance(told, Happened) and told.run:
            run = told.run
            if run.get("outcome") or run["status"] == "blocked":
                open_ones.discard(run["vtid"])
        if not open_ones:
            return


@dataclass
class Board:
    """Every run of the stack, one line each."""

    header: list[str]
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def show(self, session: Session) -> None:
        """Follow all runs for ever."""
        screen, tell_one = self._screen(session)
        with screen:
            async for told in follow(session, after="0"):
                if isinstance(told, Happened) and told.run:
                    self.runs[told.run["vtid"]] = told.run
                if isinstance(told, Happened):
                    tell_one(told)
                elif isinstance(told, Lost):
                    tell(f"connection lost ({told.reason}); reconnecting")

    def _screen(self, session: Session) -> tuple[AbstractContextManager[Any], Callable[[Happened], None]]:
        if session.as_json:
            return nullcontext(), lambda told: print_json({"event": told.event, "run": told.run})
        if not sys.stdout.isatty():
            for line in self.header:
                print(line, flush=True)
            return nullcontext(), lambda told: print(
                told.event.get("vtid") or "-", event_line(told.event), flush=True
            )
        live = Live(
            get_renderable=lambda: board_face(self.runs.values(), header=self.header),
            console=out(),
            refresh_per_second=4,
        )
        return live, lambda _told: None
