"""A blocked run as a person reads it: what went wrong, what was claimed and observed, what can be done."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

Json = dict[str, Any]
Row = tuple[str, Sequence[str]]  # a heading, and the lines beside it


def rows_of(letter: Json) -> list[Row]:
    """Everything that a person needs to decide about a dead letter."""
    causes = [f"{cause['type']}: {cause['message']}" for cause in letter["causes"]]
    rows: list[Row] = [
        ("VTID", [letter["vtid"]]),
        ("stage", [" · ".join(filter(None, (letter["stage"], letter.get("step"))))]),
        ("failure", [letter["code"]]),
        ("message", str(letter["message"]).splitlines()),
        ("advice", [letter["advice"]]),
        ("causes", causes),
        *((name, [said]) for name, said in _inputs(letter["inputs"])),
        *((name, [said]) for name, said in evidence_rows(letter["inputs"])),
        ("side effects", [_effect(each) for each in letter["side_effects"]]),
        ("since", [letter["since"]]),
        ("until", [letter.get("until") or ""]),
        ("moves", [line for move in letter["moves"] for line in _move(letter["vtid"], move)]),
        ("resolved", [_resolution(letter)]),
    ]
    return [(heading, lines) for heading, lines in rows if any(lines)]


def _inputs(inputs: Json) -> Iterator[tuple[str, str]]:
    """What the failed stage worked from, beside the evidence."""
    if spec := inputs.get("spec_hash"):
        yield "spec", f"version {inputs.get('spec_version') or '?'}, {spec[:12]}"
    if verdict := inputs.get("verdict"):
        failed = [rule["rule"] for rule in verdict.get("rules") or () if rule["answer"] != "pass"]
        yield "verdict", "passed" if verdict.get("passed") else f"not passed: {', '.join(failed)}"


def _effect(effect: Json) -> str:
    return f"{effect['says']} {effect['url'] or ''}".rstrip()


def _move(vtid: str, move: Json) -> Iterator[str]:
    yield move_command(vtid, move)
    yield from (f"    would: {effect}" for effect in move.get("effects") or ())


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
    for said, times in Counter(map(_contradiction, evidence.get("contradictions") or ())).items():
        yield "contradiction", said if times == 1 else f"{said} ({times} times)"


def _contradiction(each: Json) -> str:
    who = each.get("by") or "somebody"
    return f"{each['field']}: {who} says {each['claimed']}; observed {each['observed']}"


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
