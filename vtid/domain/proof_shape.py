"""Reading a proof bundle that anybody may have made: a DSSE envelope around one statement about a run.

Nothing is believed here but the form. Each problem names the field, what is wrong, and what is allowed.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from vtid.domain.canonical import canonical
from vtid.domain.deployment import LinkState
from vtid.domain.run_proof import PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE
from vtid.domain.stages import Outcome, Stage
from vtid.domain.task import TaskStatus
from vtid.domain.verdict import Answer

_SHOWN = 80  # characters of a wrong value that are repeated


class BadBundle(ValueError):
    """The file is no proof bundle; the text says where and why."""


@dataclass(frozen=True)
class Bundle:
    """A bundle that has the right form. `envelope` is what was signed over, with the signatures."""

    envelope: dict[str, Any]
    statement: dict[str, Any]
    key_ids: tuple[str, ...]  # that the signatures name; who made them is not known by that

    @property
    def predicate(self) -> dict[str, Any]:
        predicate: dict[str, Any] = self.statement["predicate"]
        return predicate


def read_bundle(text: str) -> Bundle:
    """The bundle in this text. Raises BadBundle."""
    envelope = _json(text, "the file")
    _check(envelope, _ENVELOPE, "")
    if not envelope["signatures"]:
        raise BadBundle("signatures: there is none")
    key_ids = tuple(each["keyid"] for each in envelope["signatures"])
    if len(set(key_ids)) < len(key_ids):
        raise BadBundle("signatures: two of them name the same key")
    for each in envelope["signatures"]:
        _bytes(each["sig"], "signatures.sig")
    try:
        payload = _bytes(envelope["payload"], "payload").decode()
    except UnicodeDecodeError:
        raise BadBundle("payload: is no UTF-8 text") from None
    statement = _json(payload, "payload")
    _check(statement, _STATEMENT, "payload")
    if canonical(statement) != payload:
        raise BadBundle("payload: is not written as canonical JSON")
    return Bundle(envelope, statement, key_ids)


# ---------------------------------------------------------------- the form


@dataclass(frozen=True)
class _Maybe:
    """The shape, or null."""

    shape: Any


@dataclass(frozen=True)
class _Each:
    """An object with any keys, whose values have the shape."""

    shape: Any


@dataclass(frozen=True)
class _Hex:
    """Lower-case hex digits, this many."""

    lengths: tuple[int, ...]


class _Time:
    """A moment with its offset."""


_TEXT, _COUNT, _COMMIT, _SHA256 = str, int, _Hex((40, 64)), _Hex((64,))
_MOMENT = _Time()

_ENVELOPE = {
    "payload": _TEXT,
    "payloadType": frozenset({PAYLOAD_TYPE}),
    "signatures": [{"keyid": _TEXT, "sig": _TEXT}],
}
_RULE = {
    "rule": _TEXT, "title": _TEXT, "answer": frozenset(Answer), "reason": _TEXT, "code": _Maybe(_TEXT), "by": _Maybe(_TEXT),
}  # fmt: skip
_LINK = {
    "name": _TEXT, "service": _Maybe(_TEXT), "state": frozenset(LinkState), "source": _TEXT, "says": _TEXT,
    "match": _Maybe(frozenset({"exact", "contains"})), "at": _Maybe(_MOMENT), "code": _Maybe(_TEXT), "raw_sha256": _SHA256,
}  # fmt: skip
_PREDICATE = {
    "vtid": _TEXT,
    "run_id": _TEXT,
    "title": _TEXT,
    "repository": _TEXT,
    "environment": _TEXT,
    "status": frozenset(TaskStatus),
    "outcome": _Maybe(frozenset(Outcome)),
    "failure": _Maybe(
        {"code": _TEXT, "stage": frozenset(Stage), "outcome": frozenset(Outcome), "message": _TEXT}
    ),
    "note": _Maybe(_TEXT),
    "started_at": _MOMENT,
    "ended_at": _Maybe(_MOMENT),
    "ended_by": _Maybe(frozenset({"run", "engine"})),
    "spec": {
        "sha256": _SHA256,
        "approval": _Maybe({"by": _TEXT, "at": _MOMENT, "reason": _Maybe(_TEXT), "position": _COUNT}),
    },
    "change": {
        "pull_request": _Maybe(_TEXT),
        "head_sha": _Maybe(_COMMIT),
        "source": _Maybe(_TEXT),
        "merge_sha": _Maybe(_COMMIT),
    },
    "verdict": _Maybe({"head_sha": _COMMIT, "passed": bool, "at": _MOMENT, "rules": [_RULE]}),
    "proof": _Maybe({"complete": bool, "code": _Maybe(_TEXT), "at": _MOMENT, "links": [_LINK]}),
    "services": [{"service": _TEXT, "revision": _TEXT, "image_digest": _Maybe(_TEXT)}],
    "log": {
        "events": _COUNT, "first_position": _COUNT, "last_position": _COUNT, "first_seq": _COUNT, "last_seq": _COUNT,
        "sha256": _SHA256,
    },
}  # fmt: skip
_STATEMENT = {
    "_type": frozenset({STATEMENT_TYPE}),
    "predicateType": frozenset({PREDICATE_TYPE}),
    "subject": [{"name": _TEXT, "digest": _Each(_TEXT)}],
    "predicate": _PREDICATE,
}


def _check(value: Any, shape: Any, where: str) -> None:
    """Raise BadBundle unless the value has the shape."""
    match shape:
        case _Maybe():
            if value is not None:
                _check(value, shape.shape, where)
        case _Each():
            if not isinstance(value, dict):
                _wrong(where, value, "an object")
            for name, each in value.items():
                _check(each, shape.shape, _at(where, name))
        case dict():
            _check_object(value, shape, where)
        case list():
            if not isinstance(value, list):
                _wrong(where, value, "a list")
            for number, each in enumerate(value):
                _check(each, shape[0], f"{where}[{number}]")
        case frozenset():
            if not isinstance(value, str) or value not in shape:
                _wrong(where, value, " or ".join(sorted(shape)))
        case _Hex():
            if not _is_hex(value, shape.lengths):
                _wrong(where, value, f"{' or '.join(map(str, shape.lengths))} lower-case hex digits")
        case _Time():
            _check_time(value, where)
        case _:
            # For Python true and false are numbers, too.
            if not isinstance(value, shape) or (shape is int and (isinstance(value, bool) or value < 0)):
                _wrong(where, value, _NAMES[shape])


_NAMES = {str: "text", int: "a whole number", bool: "true or false"}


def _check_object(value: Any, shape: Mapping[str, Any], where: str) -> None:
    if not isinstance(value, dict):
        _wrong(where, value, "an object")
    for name in value.keys() - shape.keys():
        raise BadBundle(f"{_at(where, name)}: there is no such field; known are {', '.join(sorted(shape))}")
    for name, wanted in shape.items():
        if name not in value:
            raise BadBundle(f"{_at(where, name)}: is missing")
        _check(value[name], wanted, _at(where, name))


def _check_time(value: Any, where: str) -> None:
    try:
        aware = isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        _wrong(where, value, "a moment with its offset, like 2026-01-02T03:04:05.678Z")


def _is_hex(value: Any, lengths: tuple[int, ...]) -> bool:
    return isinstance(value, str) and len(value) in lengths and not set(value) - set("0123456789abcdef")


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _wrong(where: str, value: Any, allowed: str) -> NoReturn:
    raise BadBundle(f"{where or 'the file'}: expected {allowed}, got {json.dumps(value)[:_SHOWN]}")


# ---------------------------------------------------------------- what stands in it


def _json(text: str, what: str) -> Any:
    """The JSON in this text, where no key is given twice and no number is what only Python knows."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise BadBundle(f"{what}: is nested too deeply") from None
    except BadBundle as problem:
        raise BadBundle(f"{what}: {problem}") from None
    except ValueError as error:
        raise BadBundle(f"{what}: is no JSON: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadBundle("a key is given twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise BadBundle(f"{name} is no JSON number")


def _bytes(text: str, where: str) -> bytes:
    """What this base64 means, if it is the one way to write it."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not found or base64.b64encode(found).decode() != text:
        raise BadBundle(f"{where}: is no base64")
    return found
