"""How a run looks on a terminal: four stage bars, what it waits for, what went wrong, what happened last."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from vtid.cli.blocked import evidence_rows, move_command
from vtid.cli.words import elapsed, event_line, failure_sentence, now_utc, span, waiting_sentence

Json = dict[str, Any]

# Never colour alone: each status has a mark of its own, too.
_MARKS = {
    "pending": ("·", "dim"),
    "running": ("▶", "cyan"),
    "blocked": ("‖", "yellow"),
    "success": ("✔", "green"),
    "error": ("✘", "red"),
    "skipped": ("↷", "dim"),
    "cancelled": ("■", "magenta"),
}
_STYLE_OF = {"completed": "green", "rejected": "red", "cancelled": "magenta", "blocked": "yellow"}
_BAR = 24


def run_face(
    view: Json,
    events: Sequence[Json] = (),
    *,
    note: str = "",
    now: datetime | None = None,
    apart: Collection[str] = (),
) -> RenderableType:
    """The whole run. `note` stands below it, such as the state of the connection; `apart` links stay out."""
    now = now or now_utc()
    parts: list[RenderableType] = [_stages(view, now)]
    if sentence := waiting_sentence(view.get("waiting"), now):
        parts.append(Text(f"\n{sentence}", style="bold"))
    if failure := view.get("failure"):
        parts.append(_failure(view, failure))
    parts += [Text(), _facts(view, apart)]
    if events:
        parts.append(Text())
        parts += [Text(event_line(event), overflow="ellipsis", no_wrap=True) for event in events]
    if note:
        parts.append(Text(f"\n{note}", style="yellow"))
    return Panel(
        Group(*parts), title=_title(view), title_align="left", border_style=_style(view), padding=(1, 2)
    )


def _title(view: Json) -> Text:
    title = Text(f" {view['vtid']} ", style="bold")
    title.append(f"{view.get('title') or ''} ")
    title.append(f"· {standing(view)} ", style=_style(view))
    return title


def standing(view: Json) -> str:
    """Status and outcome in two words at most."""
    outcome = view.get("outcome")
    return f"{view['status']}: {outcome}" if outcome else str(view["status"])


def _style(view: Json) -> str:
    return _STYLE_OF.get(view["status"], "cyan")


def _stages(view: Json, now: datetime) -> Table:
    table = Table.grid(padding=(0, 2))
    for stage in view["stages"]:
        mark, style = _MARKS[stage["status"]]
        attempt = stage.get("attempt")
        said = [stage.get("step") if stage["status"] in ("running", "blocked") else stage["status"]]
        said += [f"attempt {attempt}" if attempt else None, stage.get("why")]
        table.add_row(
            Text(f"{mark} {stage['stage']}", style=style),
            _bar(stage["status"], style, now),
            Text(elapsed(stage, now), style=style, justify="right"),
            Text(", ".join(each for each in said if each)),
        )
    return table


def _bar(status: str, style: str, now: datetime) -> Text:
    """Full when the stage is over, empty before it begins, and a wandering light while it runs."""
    if status == "pending":
        return Text("─" * _BAR, style="dim")
    if status != "running":
        return Text("━" * _BAR, style=style)
    lit = int(now.timestamp() * 8) % _BAR
    bar = Text()
    for place in range(_BAR):
        near = (lit - place) % _BAR < 6
        bar.append("━" if near else "─", style=f"bold {style}" if near else "dim")
    return bar


def _failure(view: Json, failure: Json) -> Text:
    text = Text(f"\n{failure_sentence(failure)}", style="red" if view.get("outcome") else "yellow")
    for move in view.get("moves") or ():
        text.append(f"\n  {move_command(view['vtid'], move)}", style="bold")
    return text


def links_apart(view: Json, width: int) -> dict[str, str]:
    """The links that do not fit into a face of this width beside their names: name -> address."""
    names = max((len(name) for name, _ in _known(view)), default=0)
    room = width - 6 - names - 2  # the frame with its padding, and the gap between the columns
    return {name: url for name, url in _links(view) if len(url) > room}


def _facts(view: Json, apart: Collection[str]) -> Table:
    """What is known: the evidence, the verdict, the proof, and where to look."""
    table = Table.grid(padding=(0, 2))
    for name, fact in _known(view):
        if name in apart:
            continue
        table.add_row(Text(name, style="dim", no_wrap=True), Text(fact, style="dim", overflow="fold"))
    return table


def _known(view: Json) -> Iterable[tuple[str, str]]:
    if view.get("worker"):
        yield "worker", view["worker"] + _clocks(view.get("lease"))
    if view["status"] == "blocked":
        yield from evidence_rows(view)
    if verdict := view.get("verdict"):
        failed = [rule["rule"] for rule in verdict.get("rules") or () if rule["answer"] == "fail"]
        yield "verdict", "passed" if verdict.get("passed") else "failed: " + ", ".join(failed)
    if view.get("merged"):
        yield "merged", view["merged"][:10]
    if proof := view.get("proof"):
        yield "proof", "complete" if proof.get("complete") else proof.get("code") or "incomplete"
    yield from _links(view)


def _clocks(lease: Json | None) -> str:
    """How long ago the worker gave a sign of life, and how long ago its work moved."""
    if not lease:
        return ""
    signs = (("last_beat_age_seconds", "last heartbeat"), ("last_progress_age_seconds", "last progress"))
    told = [f"{name} {span(lease[key])} ago" for key, name in signs if lease.get(key) is not None]
    return ", ".join(["", *told, *(["suspect"] if lease.get("suspect") else [])])


def _links(view: Json) -> Iterable[tuple[str, str]]:
    for name, url in (view.get("links") or {}).items():
        if str(url).startswith("http"):
            yield name.replace("_", " "), url


def board_face(
    views: Iterable[Json], *, header: Sequence[str] = (), now: datetime | None = None
) -> RenderableType:
    """Many runs, one line each: four marks, how it stands, what it waits for or why it failed."""
    now, views = now or now_utc(), list(views)
    table = Table.grid(padding=(0, 2))
    for view in views:
        marks = Text()
        for stage in view["stages"]:
            mark, style = _MARKS[stage["status"]]
            marks.append(f"{mark} ", style=style)
        told = Text(_last_word(view, now), overflow="ellipsis", no_wrap=not view.get("failure"))
        table.add_row(
            Text(view["vtid"], style="bold", no_wrap=True),
            marks,
            Text(standing(view), style=_style(view), no_wrap=True),
            Text(_age(view, now), style="dim", no_wrap=True),
            told,
        )
    asked = [Text(line, style="yellow") for view in views for line in _asks(view)]
    return Group(*(Text(line) for line in header), Text(), table, *asked)


def _asks(view: Json) -> Iterable[str]:
    """What a person is asked to decide."""
    if moves := [move["move"] for move in view.get("moves") or ()]:
        yield f"\n{view['vtid']} needs you: vtid run rescue {view['vtid']} {' | '.join(moves)}"
        yield f"  {failure_sentence(view['failure'])}"


def _age(view: Json, now: datetime) -> str:
    return elapsed(view, now) or span(0)


def _last_word(view: Json, now: datetime) -> str:
    if failure := view.get("failure"):
        # Of a run that waits for a decision, the lines below the table say the rest.
        return str(failure.get("code")) if view.get("moves") else failure_sentence(failure)
    if sentence := waiting_sentence(view.get("waiting"), now):
        return sentence
    if view.get("outcome") == "success":
        return f"{(view.get('merged') or '')[:10]} serves: proven"
    step = next((each.get("step") for each in view["stages"] if each["status"] == "running"), None)
    return str(step or view.get("title") or "")
