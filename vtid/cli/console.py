"""Where words go: data to standard output, everything for people to standard error or the terminal."""

import json
import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


@cache
def out() -> "Console":
    """The console for data that a person asked for."""
    from rich.console import Console  # Rich takes its time; `--json` does not need it

    return Console(highlight=False)


@cache
def err() -> "Console":
    """The console for progress and problems."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def print_json(data: Any) -> None:
    """One JSON document on standard output: compact in a pipe, indented on a terminal."""
    indent = 2 if sys.stdout.isatty() else None
    print(json.dumps(data, indent=indent, ensure_ascii=False, default=str), flush=True)


def tell(line: str) -> None:
    """One plain line of progress on standard error."""
    print(line, file=sys.stderr, flush=True)


def tell_while_heard(line: str) -> None:
    """As `tell`, for a supervisor that must finish its work although its terminal was closed."""
    try:
        tell(line)
    except OSError:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process
