"""A task's life: its status, its spec, and the only legal steps between them."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise


class TaskStatus(StrEnum):
    ALLOCATED = "allocated"  # no approved spec yet
    SCHEDULED = "scheduled"  # spec approved; also: started, but disarmed
    IN_PROGRESS = "in_progress"  # PLANNER, WORKER
    VALIDATING = "validating"  # VALIDATOR, DEPLOY
    BLOCKED = "blocked"  # a person must choose a move
    COMPLETED = "completed"  # proven; the only final one
    REJECTED = "rejected"  # failed
    CANCELLED = "cancelled"


_S = TaskStatus

# A run can be cancelled, terminated or refused wherever it stands, so every open status may end.
TRANSITIONS: dict[TaskStatus, frozenset[TaskStatus]] = {
    _S.ALLOCATED: frozenset({_S.SCHEDULED}),
    _S.SCHEDULED: frozenset({_S.ALLOCATED, _S.IN_PROGRESS, _S.BLOCKED, _S.REJECTED, _S.CANCELLED}),
    _S.IN_PROGRESS: frozenset({_S.VALIDATING, _S.BLOCKED, _S.REJECTED, _S.CANCELLED}),
    _S.VALIDATING: frozenset({_S.IN_PROGRESS, _S.BLOCKED, _S.COMPLETED, _S.REJECTED, _S.CANCELLED}),
    _S.BLOCKED: frozenset({_S.SCHEDULED, _S.IN_PROGRESS, _S.VALIDATING, _S.REJECTED, _S.CANCELLED}),
    _S.COMPLETED: frozenset(),
    _S.REJECTED: frozenset({_S.SCHEDULED, _S.ALLOCATED}),
    _S.CANCELLED: frozenset({_S.SCHEDULED, _S.ALLOCATED}),
}
CLOSED = frozenset({_S.COMPLETED, _S.REJECTED, _S.CANCELLED})


class IllegalTransition(ValueError):
    """Two statuses between which no step leads; the message names both."""

    def __init__(self, old: TaskStatus, new: TaskStatus) -> None:
        allowed = ", ".join(sorted(TRANSITIONS[old])) or "nothing: it is final"
        super().__init__(f"a task cannot go from {old} to {new}; from {old} it may go to {allowed}")
        self.old, self.new = old, new


def check_transition(old: TaskStatus, new: TaskStatus) -> None:
    """Raise IllegalTransition unless `new` is `old` or one legal step away from it."""
    if new != old and new not in TRANSITIONS[old]:
        raise IllegalTransition(old, new)


class SpecState(StrEnum):
    DRAFT = "draft"
    VALIDATED = "validated"
    APPROVED = "approved"


MAX_SPEC_BYTES = 1_000_000
EXPECTED_SECTIONS = ("Goal", "Scope", "Acceptance Criteria")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(\S.*)")
_UNDERLINE = re.compile(r"(?:=+|-+)\s*")


def spec_hash(markdown: str) -> str:
    """SHA-256 of the exact UTF-8 bytes, in hex; nothing is normalised."""
    return hashlib.sha256(markdown.encode()).hexdigest()


@dataclass(frozen=True)
class SpecFindings:
    """What validation says of a spec: errors forbid approval, warnings do not."""

    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def examine_spec(markdown: str) -> SpecFindings:
    """Check the text of a spec. Errors: empty, over 1 MB, not encodable as UTF-8, no heading."""
    errors: list[str] = []
    try:
        size = len(markdown.encode())
    except UnicodeEncodeError:
        return SpecFindings(("the spec is not valid UTF-8 text",), ())
    if not markdown.strip():
        errors.append("the spec is empty")
    if size > MAX_SPEC_BYTES:
        errors.append(f"the spec has {size} bytes; at most {MAX_SPEC_BYTES} are allowed")
    headings = [heading.casefold() for heading in _headings(markdown)]
    if not headings and not errors:
        errors.append("the spec has no heading; start it with a line like '# What to build'")
    missing = [s for s in EXPECTED_SECTIONS if not any(s.casefold() in heading for heading in headings)]
    return SpecFindings(tuple(errors), tuple(f"no section '{s}'" for s in missing))


def _headings(markdown: str) -> Iterator[str]:
    """Line by line: one pattern over the whole text would take minutes for a line of a few thousand blanks."""
    for line, below in pairwise([*markdown.splitlines(), ""]):
        heading = _HEADING.match(line)
        if heading:
            yield heading.group(1).rstrip("# \t")
        elif line.strip() and _UNDERLINE.fullmatch(below):
            yield line.strip()
