"""Durations as people write them: seconds, or a number with a unit (`90s`, `5m`, `2h`, `3d`)."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

LONGEST = timedelta(days=30)
ALLOWED = 'a number of seconds, or a text like "1.5s", "5m", "2h" or "3d"'
_TEXT = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(value: object) -> timedelta:
    """The duration. Raises ValueError unless it is well-formed, positive and at most 30 days."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"expected {ALLOWED}")
    if isinstance(value, str):
        match = _TEXT.fullmatch(value.strip())
        if not match:
            raise ValueError(f"expected {ALLOWED}")
        value = float(match[1]) * _UNIT_SECONDS[match[2]]
    if not 0 < value <= LONGEST.total_seconds():
        raise ValueError(f"must be more than 0 and at most {LONGEST.days} days")
    return timedelta(seconds=value)


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": LONGEST.total_seconds()},
                {"type": "string", "pattern": r"^\d+(\.\d+)?\s*[smhd]$"},
            ]
        }
    ),
]
