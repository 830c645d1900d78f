"""Task ids in running text: which words are one, and how it is spelled.

| kind | written | canonical |
|---|---|---|
| numeric | `VTID-01227`, `vtid 01227`, `vtid_01227`, `vtid01227`, part tasks `VTID-01227B`, `VTID-01227-B` | `VTID-01227` |
| legacy | `DEV-AREA-0034`, `DEV-AREA-2025-0034`, `VTID-2025-0034` | as written |
| named | `VTID-ORBC`, `VTID-DA-1a2b3c4d` | as written |

Placeholders (`VTID-XXXXX`, `VTID-AUTO`) are nobody's id. Tags like `BOOTSTRAP-…` are names of work without a
ledger entry, and what is written inside of one is part of its name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """One id where it stands: `text[start:end]` is its spelling, part letter included."""

    id: str
    start: int
    end: int


# ASCII, as in vtid.domain.vtid: letters and digits of other scripts are not ours.
_END = r"(?![A-Za-z0-9])"
_PART = rf"(?:-?[A-Za-z]{_END})?"  # the letter of a part task
_YEAR = r"20\d\d"

# In prose an underscore before or behind is allowed: migrations carry their task in the file's name.
_TAG = r"(?P<tag>\bBOOTSTRAP-[\w-]*)"
_DATED = rf"VTID-(?P<dated>{_YEAR}-\d{{4,}}){_END}"
_NUMERIC = rf"VTID[-_ ]?(?P<number>\d{{4,}}){_PART}{_END}(?P<more>(?:/\d{{4,}}{_END})*)"
_HASHED = rf"VTID-(?P<robot>[A-Z]{{2}})-(?P<hash>[0-9a-f]{{8}}){_END}"
# Only in capitals: dev-server-8080 is a machine, and "VTID-bearing" is English.
_LEGACY = rf"(?-i:(?P<legacy>DEV-[A-Z]+(?:-[A-Z]+)*-(?:{_YEAR}-)?\d{{4,}})){_PART}{_END}"
_NAMED = r"(?-i:VTID-(?P<name>[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*)(?![\w-]))"

_ID = re.compile(
    rf"{_TAG}|(?<![A-Za-z0-9])(?:{_DATED}|{_NUMERIC}|{_HASHED})|(?<![\w-])(?:{_LEGACY}|{_NAMED})",
    re.IGNORECASE | re.ASCII,
)
# The patterns above begin so. Looking for a few letters first makes the search some ten times faster.
_START = re.compile(r"[VDB](?:TID|EV-|OOTSTRAP-)", re.IGNORECASE | re.ASCII)
_PLACEHOLDER = re.compile(
    r"(?:X+|N+|Y+|Z+|AUTO|TBD|TODO|NONE|NULL|NEW|ID|UNKNOWN|PENDING|PLACEHOLDER)(?:-[XNYZ]+)*"
)


def references(text: str) -> list[Reference]:
    """Every id in the text, in reading order."""
    return [reference for match in _matches(text) for reference in _references_of(match)]


def first_tag(text: str) -> str | None:
    """The first BOOTSTRAP-… tag, as written, or None."""
    return next((match["tag"] for match in _matches(text) if match["tag"]), None)


def _matches(text: str) -> Iterator[re.Match[str]]:
    position = 0
    while start := _START.search(text, position):
        match = _ID.match(text, start.start())
        if match:
            yield match
        position = match.end() if match else start.end()


def _references_of(match: re.Match[str]) -> Iterator[Reference]:
    start, end = match.span()
    if (number := match["number"]) is not None:
        more = match.start("more")
        yield Reference(f"VTID-{number}", start, more)
        # "VTID-03409/03410": the prefix is said once for all of them.
        for other in re.finditer(r"/(\d+)", match["more"]):
            yield Reference(f"VTID-{other[1]}", more + other.start(), more + other.end())
    elif match["dated"]:
        yield Reference(f"VTID-{match['dated']}", start, end)
    elif match["legacy"]:
        yield Reference(match["legacy"], start, end)
    elif match["hash"]:
        yield Reference(f"VTID-{match['robot'].upper()}-{match['hash'].lower()}", start, end)
    elif match["name"] and not _PLACEHOLDER.fullmatch(match["name"]):
        yield Reference(f"VTID-{match['name']}", start, end)
