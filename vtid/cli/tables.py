"""Lists and objects as a person reads them on a terminal, or as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from vtid.cli.console import out, print_json

Column = tuple[str, str]  # (heading, dotted path into the item)
NOTHING: tuple[Any, ...] = (None, "", [], {})  # what a person need not read


def dig(item: Any, path: str) -> Any:
    """The value at a dotted path, or None where the path ends early."""
    for key in path.split("."):
        item = item.get(key) if isinstance(item, Mapping) else None
    return item


def show_list(
    items: Sequence[Mapping[str, Any]],
    columns: Sequence[Column],
    *,
    as_json: bool,
    none: str,
    whole: Sequence[str] = (),
) -> None:
    """A table; `none` is the sentence for an empty one, `whole` are the headings whose values never wrap."""
    if as_json:
        print_json({"items": items})
        return
    if not items:
        print(none)
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading, _ in columns:
        table.add_column(heading, overflow="fold", no_wrap=heading in whole)
    for item in items:
        table.add_row(*(text(dig(item, path)) for _, path in columns))
    out().print(table)


def show_one(item: Mapping[str, Any], fields: Sequence[Column], *, as_json: bool) -> None:
    """One line for each field that has a value."""
    if as_json:
        print_json(item)
        return
    width = max(len(heading) for heading, _ in fields)
    for heading, path in fields:
        if (value := dig(item, path)) not in NOTHING:
            print(f"{heading:<{width}}  {text(value)}")


def show_rows(rows: Sequence[tuple[str, Sequence[str]]]) -> None:
    """One heading for each row; its lines stand below each other."""
    width = max(len(heading) for heading, _ in rows)
    for heading, lines in rows:
        for number, line in enumerate(lines):
            print(f"{'' if number else heading:<{width}}  {line}")


def text(value: Any) -> str:
    """A value in a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(text(each) for each in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {text(each)}" for key, each in value.items() if each not in NOTHING)
    return str(value)
