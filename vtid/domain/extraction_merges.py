"""What the subject of a merge commit tells: whose work came in, or that everybody's did."""

import re

from vtid.domain.extraction_ids import references
from vtid.domain.extraction_places import Found, in_tag, listed

# Branches that carry everybody's work, and so nobody's task.
_SHARED = r"(?:(?:origin|upstream)/)?(?:main|master|trunk|develop)"
_PULL_REQUEST = re.compile(r"Merge pull request #\d+ from [^\s/]+/(?P<branch>\S+)")
_BY_HAND = re.compile(
    r"merge (?:remote-tracking )?branch '(?P<branch>[^']+)'(?: into '?(?P<target>[^\s']+))?", re.IGNORECASE
)
_SYNC = re.compile(rf"(?:\w+: )?merge\b.*(?<![\w/-]){_SHARED}(?![\w/-])", re.IGNORECASE)
_INTO = re.compile(r"merge\b.*\binto\s+'?(?P<target>[^\s']+)", re.IGNORECASE)
_JOINS = re.compile(r"(?:merge|integrate|combine)[sd]?\b", re.IGNORECASE)
_WITH = re.compile(r"\bwith\b", re.IGNORECASE)


def merged_branch(subject: str) -> str | None:
    """The branch whose work came into a shared one, by pull request or by hand; None for other commits."""
    if merge := _PULL_REQUEST.match(subject):
        return merge["branch"]
    merge = _BY_HAND.match(subject)
    if merge and not _is_shared(merge["branch"]) and _is_shared(merge["target"] or "main"):
        return merge["branch"]
    return None


def is_sync(subject: str) -> bool:
    """Whether other work came into a branch: the ids in the message tell what came in."""
    return bool(_SYNC.match(subject) or _BY_HAND.match(subject) or _joins_two(subject))


def target_of(subject: str) -> str | None:
    """The branch that other work came into, if the subject names it."""
    merge = _INTO.match(subject)
    return merge["target"] if merge else None


def in_sync(subject: str, body: str) -> Found:
    """The task that others' work came into: tagged in the subject, or the first of "Merged OURS with THEIRS"."""
    found = references(f"{subject}\n{body}")
    if not found:
        return Found(None, "names no task")
    if tag := in_tag(subject):
        return tag
    if _SYNC.match(subject):
        for line in body.splitlines():
            if _joins_two(line):
                ours = references(line)[0].id
                return Found(ours, f"joins {ours} with what came in")
    return Found(None, f"only tells what came in: {listed(found)}")


def _is_shared(branch: str) -> bool:
    return bool(re.fullmatch(_SHARED, branch))


def _joins_two(line: str) -> bool:
    """Whether the line is like "Integrates A with B"."""
    start = line.removeprefix("merge: ")
    if not _JOINS.match(start):
        return False
    found = references(start)
    return len(found) > 1 and bool(_WITH.search(start, found[0].end, found[1].start))
