"""What was promised beside what was seen: a table for people, JSON lines for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vtid.cli.console import out, print_json
from vtid.cli.scenarios.promise import ALWAYS, Result


class Report:
    """Tells each result as it comes, and all of them in the end."""

    def __init__(self, console: Console, *, json_output: bool) -> None:
        self._console = console
        self._json = json_output

    def progress(self, line: str) -> None:
        """One line about the stack."""
        self._console.print(Text(line, style="dim"))

    def finished(self, result: Result) -> None:
        """One scenario is over."""
        mark, style = _mark(result)
        self._console.print(Text(f"{mark}  {result.name}  {result.seconds:.1f} s", style=style))
        if self._json:
            print_json(result.as_data())

    def all_finished(self, results: Sequence[Result], seconds: float) -> None:
        """The table, or the summary as JSON."""
        kept = sum(result.agree for result in results)
        if self._json:
            summary = {"scenarios": len(results), "agree": kept, "seconds": round(seconds, 1)}
            print_json({"summary": summary})
            return
        out().print(table(results))
        out().print(f"{kept} of {len(results)} promises kept, in {seconds:.0f} s")


def table(results: Sequence[Result]) -> Table:
    """Promised, seen, agree. What every run promises stands once, below."""
    caption = "Every run also promises: " + "; ".join(ALWAYS)
    made = Table("scenario", "promised", "seen", "agree", show_lines=True, caption=caption)
    for result in results:
        mark, style = _mark(result)
        agree = Text("\n".join([mark, *result.why]), style=style)
        claims = [claim for claim in result.promise["claims"] if claim not in ALWAYS]
        held = sum(claim in result.seen["claims"] for claim in claims)
        promised = [*_counts(result.promise), *(f"– {claim}" for claim in claims)]
        seen = [*_counts(result.seen), *([f"– {held} of {len(claims)} hold"] if claims else [])]
        made.add_row(result.name, Text("\n".join(promised)), Text("\n".join(seen)), agree)
    return made


def _mark(result: Result) -> tuple[str, str]:
    return ("✓ yes", "green") if result.agree else ("✗ no", "red")


def _counts(data: dict[str, Any]) -> Iterator[str]:
    """Status and numbers in few words: an effect that did not happen is left out, unless it is the merge."""
    yield " · ".join(str(each) for each in (data["status"], data["stage"], data["code"]) if each)
    effects = {name: count for name, count in data["effects"].items() if count or name == "merge"}
    yield ", ".join(f"{name} {count}" for name, count in effects.items())
    if data["events"]:
        yield ", ".join(f"{name} {count}" for name, count in data["events"].items())
