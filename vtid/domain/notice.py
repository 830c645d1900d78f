"""What GitHub is told of a run: a headline, a conclusion, and the rules and links behind it. Pure.

The same words stand in the check run on the head and in the one comment of the pull request. They come
from the run view, so GitHub never hears anything that the page does not show.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vtid.domain.task import TaskStatus
from vtid.domain.view import RunView

CHECK_NAME = "vtid"  # of our own check run, which the rules leave out: a verdict does not wait for itself
MAX_TITLE = 200
MAX_TEXT = 30_000  # characters; GitHub takes 65,535
MAX_CELL = 300

_MARKS = {"pass": "✅", "fail": "❌", "not_asked": "❔", "skipped": "⏭️"} | {
    "proven": "✅",
    "contradicted": "❌",
    "claimed": "💬",
    "unknown": "❔",
}


class Conclusion(StrEnum):
    """GitHub's words for how a check run ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    ACTION_REQUIRED = "action_required"


@dataclass(frozen=True)
class Notice:
    """What stands on the pull request. `title` is one plain line, `text` is Markdown; `url` is the run's page."""

    vtid: str
    title: str
    conclusion: Conclusion
    text: str
    url: str = ""


def notice_of(view: RunView) -> Notice:
    """The notice of a run as it stands."""
    title, conclusion = _headline(view)
    blocks = (_needs(view), _rules(view), _proof(view), _links(view))
    text = "\n\n".join(block for block in blocks if block)
    return Notice(view.vtid, title[:MAX_TITLE], conclusion, text[:MAX_TEXT], view.links.get("page", ""))


def _headline(view: RunView) -> tuple[str, Conclusion]:
    failure = view.failure or {}
    why = _line(f"{failure.get('code')}: {failure.get('message', '')}")
    if view.status is TaskStatus.CANCELLED:
        return _line(f"cancelled: {view.note or 'no reason'}"), Conclusion.CANCELLED
    if view.status is TaskStatus.REJECTED:
        return f"failed in {view.stage}, {why}", Conclusion.FAILURE
    if view.status is TaskStatus.BLOCKED:
        return f"blocked in {view.stage}, {why}", Conclusion.ACTION_REQUIRED
    if view.proof and view.proof["complete"]:
        commit = (view.merged or "")[:12]
        served = any(link.get("service") for link in view.proof["links"])
        return f"{commit} serves: proven" if served else f"merged as {commit}", Conclusion.SUCCESS
    if view.merged:
        return f"merged as {view.merged[:12]}, not proven to serve yet", Conclusion.SUCCESS
    return f"validated, {_held(view)}", Conclusion.SUCCESS


def _held(view: RunView) -> str:
    rules = (view.verdict or {}).get("rules", ())
    skipped = sum(rule["answer"] == "skipped" for rule in rules)
    return f"{len(rules) - skipped} rules hold" + (f", {skipped} skipped by a person" if skipped else "")


def _needs(view: RunView) -> str:
    if not view.moves:
        return ""
    moves = " | ".join(move["move"] for move in view.moves)
    advice = escaped((view.failure or {}).get("advice", ""))
    return f"**Needs a person:** {advice}\n\n```\nvtid run rescue {view.vtid} {moves}\n```"


def _rules(view: RunView) -> str:
    if not view.verdict:
        return ""
    head = f"**Rules** over `{view.verdict['head_sha'][:12]}`\n\n"
    rows = [
        (_MARKS.get(rule["answer"], ""), rule["rule"], rule["title"], rule["reason"])
        for rule in view.verdict["rules"]
    ]
    return head + _table(("", "rule", "says", "because"), rows)


def _proof(view: RunView) -> str:
    if not view.proof:
        return ""
    rows = [
        (_MARKS.get(link["state"], ""), link["name"], link.get("service") or "", link["says"])
        for link in view.proof["links"]
    ]
    return "**Deployment proof**\n\n" + _table(("", "link", "service", "says"), rows)


def _links(view: RunView) -> str:
    names = {"page": "the run", "deploy_run": "its deploy run"}
    shown = [f"[{words}]({view.links[name]})" for name, words in names.items() if view.links.get(name)]
    return " · ".join(shown)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *(tuple(escaped(cell) for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escaped(text: Any) -> str:
    """Words that a worker may have chosen, as one line of Markdown without any link, mention or table in it."""
    return re.sub(r"[\\`*_{}\[\]<>|#@!&~]", lambda mark: f"&#{ord(mark[0])};", _line(text))


def _line(text: Any) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= MAX_CELL else f"{line[:MAX_CELL]}…"
