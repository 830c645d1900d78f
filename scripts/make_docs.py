"""Write what docs/ says of the code: each part between its marks, and the schema. A test holds that they are up to date.

.venv/bin/python scripts/make_docs.py

A page says where a part belongs, `NAME` being one of PARTS; all around it is written by hand:

    <!-- made by scripts/make_docs.py: NAME -->
    <!-- end of NAME -->
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from vtid.agent.context import TOLD
from vtid.configuration.environment_file import environments_schema
from vtid.configuration.settings import PREFIX, Settings
from vtid.domain.events import EVENT_TYPES
from vtid.domain.failures import API_CODES, FAILURES
from vtid.domain.hosts import HOSTS
from vtid.domain.limits import FOREVER, LIMITS, Limit
from vtid.domain.notifications import KEPT_FOR, PAUSES, SAYS, SUBSCRIBABLE, TRY_SECONDS
from vtid.domain.rules import RULES
from vtid.mcp.advice import ADVICE
from vtid.mcp.calls import Calls
from vtid.mcp.server import tools_for
from vtid.mcp.tools import Tools
from vtid.simulator.assumptions import ASSUMPTIONS

DOCS = Path(__file__).resolve().parents[1] / "docs"
PART = re.compile(
    r"(?P<begin><!-- made by scripts/make_docs\.py: (?P<name>\S+) -->\n).*?(?P<end><!-- end of (?P=name) -->)",
    re.DOTALL,
)


def main() -> None:
    """Write every page that says something of the code."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """File name -> text as it should be, of every page with such a part. Raises KeyError for one that nobody makes."""
    written = {page.name: page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md"))}
    made = {name: PART.sub(_made, text) for name, text in written.items() if PART.search(text)}
    schema = json.dumps(environments_schema(), indent=2, ensure_ascii=False) + "\n"
    return {**made, "environments.schema.json": schema}


def _made(part: re.Match[str]) -> str:
    return f"{part['begin']}\n{PARTS[part['name']]()}\n\n{part['end']}"


def limits() -> str:
    rows = (
        (
            f"`{name}`",
            limit.lane,
            _span(limit.one_try),
            _span(limit.budget),
            _tries(limit),
            _span(limit.heartbeat),
            ", ".join(_span(pause) for pause in limit.back_off) or "–",
            limit.why,
        )
        for name, limit in LIMITS.items()
    )
    return _table(("step", "lane", "one try", "whole budget", "tries", "silence", "pauses", "why"), rows)


def failure_codes() -> str:
    rows = (
        (f"`{row.code}`", row.stage or "any", "blocks" if row.repairable else "ends the run", row.outcome, row.says, row.advice)
        for row in FAILURES.values()
    )  # fmt: skip
    return _table(("code", "stage", "effect", "outcome", "means", "what to do"), rows)


def api_codes() -> str:
    rows = ((f"`{row.code}`", row.status, row.says) for row in API_CODES.values())
    return _table(("code", "status", "means"), rows)


def events() -> str:
    rows = []
    for name, text in EVENT_TYPES.items():
        means, _, data = text.partition("; data: ")
        rows.append((f"`{name}`", means, data or "–"))
    return _table(("type", "means", "data"), rows)


def rules() -> str:
    rows = (
        (f"`{rule.id}`", rule.title, f"`{rule.code}`", "yes" if rule.skippable else "never") for rule in RULES
    )
    return _table(("rule", "holds when", "code when it fails", "can be skipped"), rows)


def hosts() -> str:
    rows = (
        (
            f"`{host.name}`",
            host.says,
            f"`{host.address_key}`",
            ", ".join(f"`{link}`" for link in ("commit", "actions_run", *host.links)),
            "yes" if host.shifts_traffic else "no",
        )
        for host in HOSTS.values()
    )
    return _table(("`host:` of a service", "what it is", "needs the key", "chain", "rollback"), rows)


def agent_variables() -> str:
    return _table(("variable", "says"), ((f"`{name}`", means) for name, means in TOLD.items()))


def tools() -> str:
    rows = []
    for tool in tools_for(Tools(Calls(_unconnected))):
        needed = tool.parameters.get("required", [])
        takes = [f"`{name}`" if name in needed else f"`{name}`?" for name in tool.parameters["properties"]]
        rows.append((f"`{tool.name}`", ", ".join(takes), " ".join(tool.description.split())))
    return _table(("tool", "takes (`?`: optional)", "does"), rows)


def _unconnected(_: object) -> NoReturn:
    raise AssertionError("describing the tools calls none")


def advice() -> str:
    return _table(("code", "next"), ((f"`{code}`", says) for code, says in ADVICE.items()))


def notifications() -> str:
    return _table(("kind", "means"), ((f"`{kind}`", SAYS[kind]) for kind in SUBSCRIBABLE))


def notification_tries() -> str:
    pauses = ", ".join(_span(pause) for pause in PAUSES)
    return (
        f"An answer 2xx within {TRY_SECONDS:g} s is an accepted message. Otherwise it comes again after {pauses}:\n"
        f"{len(PAUSES) + 1} tries, then the delivery is `failed` and the event `notification.given_up` says so. "
        f"It stays in the log for {KEPT_FOR.days} days after it ended."
    )


def settings() -> str:
    rows = (
        (f"`{PREFIX}{name.upper()}`", f"`{field.default}`" if field.default else "–", field.description)
        for name, field in Settings.model_fields.items()
    )
    return _table(("variable", "default", "means"), rows)


def assumptions() -> str:
    rows = ((f"`{each.name}`", each.what, each.source) for each in ASSUMPTIONS)
    return _table(("assumption", "what we assume", "where from"), rows)


PARTS: dict[str, Callable[[], str]] = {
    "limits": limits,
    "failure-codes": failure_codes,
    "api-codes": api_codes,
    "events": events,
    "rules": rules,
    "hosts": hosts,
    "agent-variables": agent_variables,
    "tools": tools,
    "advice": advice,
    "notifications": notifications,
    "notification-tries": notification_tries,
    "settings": settings,
    "assumptions": assumptions,
}


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def _tries(limit: Limit) -> str:
    if limit.tries != FOREVER:
        return str(limit.tries)
    if not limit.back_off:  # a timer: it is not tried, it ends
        return "–"
    return "until the budget ends" if limit.budget else "no end"


def _span(span: timedelta | None) -> str:
    if span is None:
        return "–"
    seconds = span.total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size and seconds % size == 0 and (unit != "d" or seconds >= 4 * size):
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


if __name__ == "__main__":
    main()
