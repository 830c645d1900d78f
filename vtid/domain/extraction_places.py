"""Where in a text an id says "this is the change's task", and where it is only cited."""

import re
from collections import Counter
from dataclasses import dataclass

from vtid.domain.extraction_ids import Reference, references

# What stands right before an id of another change. A bracket in between takes its force: "from here (VTID-…)".
_CITING = re.compile(
    r"""(?<![\w-])(?:
        follow(?:ing)?[-\s]?ups?(?:\s(?:to|of|on|for|from))?
      | revert(?:s|ed|ing)?(?:\sof)? | roll(?:s|ed|ing)?[-\s]?back(?:\sof)?
      | patterns?\s(?:of|from|as|in) | same(?:\s\w+)?\sas | (?:similar|identical|related|prior)\sto
      | like | unlike | as\sin | per | cf\.? | see(?:\salso)? | from | since | until | than | before | by | via
      | after(?:\s\w+){0,2} | mirror(?:s|ed|ing)? | superse[dc](?:es|ed|ing) | replac(?:es|ed|ing)
      | dep(?:ends|endent|ending)\son | unblock(?:s|ed|ing)? | blocked\s(?:on|under)
      | (?:introduced|added|shipped|left|regressed|broken)\sin | regressions?\s(?:of|from|in)
      | duplicates?(?:\sof)? | parallel\s(?:to|with) | alongside
      | existing | original | earlier | older | previous | upcoming | future | subsequent | unrelated
      | stacked\son | on\stop\sof | build(?:s|ing)?\son | based\son | backport\sof | cherry-pick(?:ed)?\sof
    )\s(?:the\s|of\s)?["'`*]*$
    """,
    re.IGNORECASE | re.VERBOSE,
)
_REACH = 40  # characters before an id in which a citing word is looked for
_LIST_GAP = re.compile(r"[\s,/&+]*(?:and\s+|or\s+)?")  # in "follow-up to A, B and C" all three are cited
_QUOTED_REVERT = re.compile(r'\W*(?:revert|reapply)\s+"', re.IGNORECASE)
_RENAME = re.compile(r"\brenam\w*\s+$", re.IGNORECASE)
_TO = re.compile(r"\s*(?:to|into|->|→)\s*", re.IGNORECASE)

LONGEST_TITLE = 500  # characters; what stands behind them is no title any more, and hostile text stays cheap
_OPENING = re.compile(r"\W*(?:[\w./-]+(?:\([^()]*\))?!?:\s*)?[\[(]*")  # nothing yet, or "feat(scope): "
_OPEN_BRACKET = re.compile(r"[(\[][^()\[\]]*$")

# Quotes (">") and comments ("<!--") of a template do not begin so.
_TRAILER = re.compile(
    r"[\s*_#|-]*(?:vtids?|tasks?(?:[- ]ids?)?|ticket|refs|implements|closes|resolves)[\s*_]*[:=|][\s*_`\[(]*",
    re.IGNORECASE,
)
_SAYS_SO = re.compile(r"\s*(?:implements|completes|closes|resolves|part of)\s+", re.IGNORECASE)
_BULLET = re.compile(r"[-*+]\s+")
_LABEL_START = re.compile(r"[#\s*_`\[]*")
_LABEL_END = re.compile(r"(?:\s\([^()]*\))?[\]*_`]*(?::|\s[—–-]\s)")
_BETWEEN_IDS = re.compile(r"[\s,;/&+()\[\]*.-]*(?:and\s)?[\s()\[\]]*")


@dataclass(frozen=True)
class Found:
    """What one place says of the change's task. Without an id, `why` tells what the place lacks."""

    id: str | None
    why: str


def in_title(title: str) -> Found:
    """The task that a title names: as scope, prefix or in brackets, else anywhere in it."""
    title = title[:LONGEST_TITLE]
    found = references(title)
    if not found:
        return Found(None, "names no task")
    first = found[0]
    for other in found[1:2]:
        if _RENAME.search(title, 0, first.start) and _TO.fullmatch(title, first.end, other.start):
            return Found(other.id, f"renames {first.id} to {other.id}")
    own = _own(title, found)
    if not own:
        return Found(None, f"only cites {listed(found)}")
    return _tag_among(title, own) or Found(own[0].id, f"names {own[0].id}")


def in_tag(title: str) -> Found | None:
    """The task that a title has as scope, prefix or in brackets."""
    title = title[:LONGEST_TITLE]
    return _tag_among(title, _own(title, references(title)))


def in_body(body: str) -> tuple[str, Found]:
    """The task that a body names, and the place: `squash_headings`, `trailer` or `label`."""
    found = references(body)
    lines = _first_of_each_line(body, _own(body, found))

    named = Counter(in_title(line.text[2:]).id for line in lines if line.text.startswith("* "))
    del named[None]
    if named:
        winner, votes = named.most_common(1)[0]  # of equals, the first
        return "squash_headings", Found(
            winner, f"names {winner} in {votes} of {named.total()} headings of squashed commits"
        )
    for line in lines:
        if line.is_trailer():
            return "trailer", Found(line.id, f"has the line {line.text.strip()[:60]!r}")
    for line in lines:
        if line.is_label(lone=len({each.id for each in found}) == 1):
            return "label", Found(line.id, f"has a line that begins with {line.id}")
    return "body", Found(None, f"only mentions {listed(found)}" if found else "names no task")


def listed(found: list[Reference]) -> str:
    """The ids, each once, for people."""
    return ", ".join(dict.fromkeys(each.id for each in found))


@dataclass(frozen=True)
class _Line:
    """A line, and the first id in it."""

    id: str
    start: int
    before: str
    after: str
    text: str

    def is_trailer(self) -> bool:
        """Whether the line is like "VTID: ID" or "Implements ID", or nothing but ids."""
        start = self.before[:LONGEST_TITLE]
        return bool(_TRAILER.fullmatch(start) or _SAYS_SO.fullmatch(start)) or _only_ids(self.text)

    def is_label(self, *, lone: bool) -> bool:
        """Whether the line is like "ID: what was done". `lone`: no other id is in the text.

        A list of such lines may tell of anybody's tasks, unless it is the first thing that is said.
        """
        if not _LABEL_END.match(self.after):
            return False
        if _BULLET.fullmatch(self.before.lstrip()):
            return lone or self.start == 0
        return bool(_LABEL_START.fullmatch(self.before))


def _first_of_each_line(text: str, found: list[Reference]) -> list[_Line]:
    lines: list[_Line] = []
    end = -1  # of the line before
    for each in found:
        if each.start < end:
            continue
        start = text.rfind("\n", 0, each.start) + 1
        end = text.find("\n", each.end)
        end = len(text) if end < 0 else end
        lines.append(
            _Line(each.id, start, text[start : each.start], text[each.end : end], text[start:end]),
        )
    return lines


def _tag_among(title: str, own: list[Reference]) -> Found | None:
    for each in own:
        if _OPENING.fullmatch(title, 0, each.start):
            return Found(each.id, f"begins with {each.id}")
        if _OPEN_BRACKET.search(title, 0, each.start):
            return Found(each.id, f"has {each.id} in brackets")
    return None


def _own(text: str, found: list[Reference]) -> list[Reference]:
    """The ids that are not said to be another change's: follow-up to, revert of, pattern of, …"""
    quoted = text.rfind('"') if _QUOTED_REVERT.match(text) else 0
    own: list[Reference] = []
    before, was_cited = 0, False
    for each in found:
        goes_on = was_cited and _LIST_GAP.fullmatch(text, before, each.start)
        lead = text[max(0, each.start - _REACH) : each.start]
        was_cited = each.end <= quoted or bool(goes_on) or bool(_CITING.search(lead))
        before = each.end
        if not was_cited:
            own.append(each)
    return _without_twins(text, own)


def _without_twins(text: str, own: list[Reference]) -> list[Reference]:
    """In "(DEV-COMHU-02934, VTID-02934)" one task stands twice, and the VTID is its newer name."""

    def place_and_number(each: Reference) -> tuple[int, str]:
        return text.rfind("\n", 0, each.start), each.id.rpartition("-")[2]

    newer = {place_and_number(each) for each in own if each.id.startswith("VTID-")}
    return [each for each in own if each.id.startswith("VTID-") or place_and_number(each) not in newer]


def _only_ids(line: str) -> bool:
    """Whether ids are all that the line consists of."""
    if len(line) > LONGEST_TITLE:
        return False
    position = 0
    for each in references(line):
        if not _BETWEEN_IDS.fullmatch(line, position, each.start):
            return False
        position = each.end
    return bool(_BETWEEN_IDS.fullmatch(line, position))
