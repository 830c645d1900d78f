"""One way to write JSON, so that everybody who has the same values computes the same hash.

Keys sorted, no blanks, text as it is in UTF-8. There are no fractions in it: languages write them differently, so a number
that has one stands as text, in the shortest form that gives it back.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any


def canonical(value: Any) -> str:
    """The value as canonical JSON. Raises TypeError for what JSON does not know."""
    return json.dumps(_without_fractions(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256_of(value: Any) -> str:
    """SHA-256 of the value's canonical JSON, in lower-case hex."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def sha256_of_lines(values: Iterable[Any]) -> str:
    """SHA-256 of the values as JSON lines, each canonical and ended by one line feed: what `sha256sum` says of the file."""
    digest = hashlib.sha256()
    for value in values:
        digest.update(canonical(value).encode() + b"\n")
    return digest.hexdigest()


def _without_fractions(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {str(key): _without_fractions(each) for key, each in value.items()}
    return [_without_fractions(each) for each in value] if isinstance(value, list | tuple) else value
