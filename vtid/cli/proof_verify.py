"""`vtid proof verify`: one sentence for each check, and one for each that was not made. Asks nobody."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vtid.adapters.proof_signatures import BadSignature, NotAKey, verify
from vtid.cli.exits import CommandFailed, Exit
from vtid.domain.proof_checks import Finding, findings_against, findings_of
from vtid.domain.proof_shape import BadBundle, Bundle, read_bundle

_SIGNS = {True: "✔", False: "✘", None: "–"}
_LONGEST = 1_000  # characters of one sentence
_PRESENT = Finding(
    "now",
    None,
    "not checked: what serves today. A bundle says what was proven then; `vtid run show` says what became of it",
)
_EVENT_FIELDS = frozenset({"position", "run_id", "seq", "vtid", "type", "stage", "at", "actor", "data"})


def verify_file(file: Path, key: Path | None, events: Path | None, *, as_json: bool) -> Exit:
    """Check the bundle in this file and tell. Raises CommandFailed for a file that cannot be read or is no key."""
    text = _content(file)
    try:
        bundle = read_bundle(text)
    except BadBundle as problem:
        return _tell(None, [Finding("shape", False, str(problem))], as_json)
    findings = [
        Finding("shape", True, "one statement about one run, in an envelope"),
        _signature(bundle, key),
        *findings_of(bundle.statement),
        *_log(bundle, events),
        _PRESENT,
    ]
    return _tell(bundle, findings, as_json)


def _signature(bundle: Bundle, key: Path | None) -> Finding:
    if key is None:
        named = ", ".join(bundle.key_ids)
        return Finding(
            "signature", None, f"not checked: give the public key with --key. It names the key {named}"
        )
    pem = _content(key)
    try:
        return Finding(
            "signature", True, f"the key {verify(bundle.envelope, pem)} signed exactly this statement"
        )
    except BadSignature as problem:
        return Finding("signature", False, str(problem))
    except NotAKey as problem:
        raise CommandFailed(f"--key {key}: {problem}; `vtid proof key` gives it", Exit.USAGE) from problem


def _log(bundle: Bundle, events: Path | None) -> tuple[Finding, ...]:
    if events is None:
        vtid = bundle.predicate["vtid"]
        return (
            Finding(
                "events",
                None,
                f"not checked: give the event log with --events; `vtid run events {vtid}` gives it",
            ),
        )
    try:
        return findings_against(bundle.statement, _events(events))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        # Whatever is wrong with an event that somebody made: it is not the log of this run.
        return (Finding("events", False, f"{events} is no event log of this run: {error!r}"),)


def _tell(bundle: Bundle | None, findings: list[Finding], as_json: bool) -> Exit:
    code, says = _whole(bundle, findings)
    if as_json:
        from vtid.cli.console import print_json

        predicate = bundle.predicate if bundle else {}
        about = {name: predicate.get(name) for name in ("vtid", "run_id", "status", "outcome")}
        verified = code in (Exit.OK, Exit.BLOCKED)
        print_json(
            {"verified": verified, **about, "says": says, "findings": [asdict(each) for each in findings]}
        )
        return code
    width = max(len(each.check) for each in findings)
    for each in findings:
        print(f"{_SIGNS[each.holds]} {each.check:<{width}}  {_line(each.says)}")
    print(_line(says))
    return code


def _line(text: str) -> str:
    """The text on one line: whoever made the file must not write lines of ours, or move the reader's cursor."""
    shown = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]} …"


def _whole(bundle: Bundle | None, findings: list[Finding]) -> tuple[Exit, str]:
    """What it comes to. Nothing is called verified whose signature was not."""
    wrong = [each.check for each in findings if each.holds is False]
    if wrong or bundle is None:
        return Exit.FAILED, f"REFUSED: {', '.join(wrong)} {'does' if len(wrong) == 1 else 'do'} not hold"
    if not any(each.check == "signature" and each.holds for each in findings):
        return (
            Exit.FAILED,
            "only its shape was checked, not its signature: anybody may have made this",
        )
    run = bundle.predicate
    if run["status"] == "completed":
        return Exit.OK, f"verified: {run['vtid']} is completed, and its deployment is proven"
    return (
        Exit.BLOCKED,
        f"verified, and NOT completed: {run['vtid']} is {run['status']} by {run['failure']['code']}",
    )


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{file} cannot be read: {error}", Exit.USAGE) from error


def _events(file: Path) -> list[dict[str, Any]]:
    """The events in a file of JSON lines; a line may also be a page of GET /events. Raises CommandFailed."""
    found: list[dict[str, Any]] = []
    for number, line in enumerate(_content(file).split("\n"), start=1):
        try:
            told = json.loads(line) if line.strip() else {"items": []}
        except (ValueError, RecursionError) as error:
            raise CommandFailed(
                f"--events {file}, line {number}: expected a JSON object: {error}", Exit.USAGE
            ) from error
        page = told.get("items") if isinstance(told, dict) else None
        found += page if isinstance(page, list) else [told]
    for each in found:
        if not isinstance(each, dict) or not each.keys() >= _EVENT_FIELDS:
            raise CommandFailed(
                f"--events {file}: every event needs {', '.join(sorted(_EVENT_FIELDS))}", Exit.USAGE
            )
    return found
