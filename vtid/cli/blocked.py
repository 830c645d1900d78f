"""A blocked run as a person reads it: what went wrong, what was claimed and observed, what can be done."""

from collections.abc import Iterator, Sequence
from typing import Any

Json = dict[str, Any]
Row = tuple[str, Sequence[str]]  # a heading, and the lines beside it


def rows_of(letter: Json, view: Json) -> list[Row]:
    """A dead letter with the view of its run; the view is empty when the task has a later run."""
    failure = letter["failure"]
    causes = [f"{cause['type']}: {cause['message']}" for cause in failure.get("causes") or ()]
    rows: list[Row] = [
        ("VTID", [letter["vtid"]]),
        ("stage", [letter["stage"]]),
        ("failure", [letter["code"]]),
        ("message", str(letter["message"]).splitlines()),
        ("advice", [failure.get("advice") or ""]),
        ("causes", causes),
        *((name, [said]) for name, said in evidence_rows(view)),
        ("side effects", letter.get("side_effects") or ()),
        ("since", [letter["since"]]),
        ("until", [letter.get("until") or ""]),
        ("moves", [move_command(letter["vtid"], move) for move in view.get("moves") or ()]),
        ("resolved", [_resolution(letter)]),
    ]
    return [(heading, lines) for heading, lines in rows if any(lines)]


def evidence_rows(view: Json) -> Iterator[tuple[str, str]]:
    """What was claimed beside what was found on GitHub; nothing when nobody claimed or found anything."""
    evidence = view.get("evidence") or {}
    claimed, observed = evidence.get("claimed"), evidence.get("observed")
    if claimed:
        yield "claimed", _change(claimed.get("pr_url"), claimed.get("head_sha"), claimed.get("by"))
    if observed:
        yield "observed", _change(observed.get("url"), observed.get("head_sha"), None)
    elif claimed:
        yield "observed", "nothing on GitHub that bears it out"


def move_command(vtid: str, move: Json) -> str:
    """The whole command line of a move."""
    rules: list[str] = move.get("rules") or []
    given = {"rule": rules[0]} if len(rules) == 1 else {}
    params = move.get("params", ())
    needs = "".join(f" --{param.replace('_', '-')} {given.get(param, '…')}" for param in params)
    return f"vtid run rescue {vtid} {move['move']}{needs}"


def _change(url: str | None, head: str | None, by: str | None) -> str:
    said = (url or "no pull request", f"head {head[:10]}" if head else "no head", f"by {by}" if by else "")
    return ", ".join(filter(None, said))


def _resolution(letter: Json) -> str:
    if not letter.get("resolution"):
        return ""
    return f"{letter['resolution']} by {letter.get('resolved_by')} at {letter.get('resolved_at')}"
