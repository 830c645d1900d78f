"""Which task a change belongs to, by its pull request, commit message and branch; and why.

Sources are asked in the order of trust, and the first that names a task of its own wins. An id that is
only cited (follow-up to, revert of, came in by a merge) is never the answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from vtid.domain.extraction_ids import first_tag, references
from vtid.domain.extraction_merges import (
    in_sync,
    is_sync,
    merged_branch,
    target_of,
)
from vtid.domain.extraction_places import Found, in_body, in_title

_SAID = {
    "pr_title": "the pull request's title",
    "pr_body": "the pull request's text",
    "subject": "the subject",
    "merge_title": "the title below the merge's subject",
    "merge_message": "the merge's message",
    "branch": "the branch",
    "squash_headings": "the body",
    "trailer": "the body",
    "label": "the body",
    "body": "the body",
}
_CUT = "…"  # GitHub cuts a long title, and goes on with the same sign in the body


@dataclass(frozen=True)
class ChangeText:
    """The words of a change. `branch`: the one that the work was done on, where known."""

    subject: str
    body: str = ""
    branch: str | None = None
    pr_title: str | None = None
    pr_body: str | None = None


@dataclass(frozen=True)
class PullRequestWords:
    """The words of a pull request as the code host shows them now."""

    title: str
    body: str
    branch: str


@dataclass(frozen=True)
class Extraction:
    """The answer. `vtid` and `found_in` are None together; `why` is never empty.

    found_in: pr_title, pr_body, subject, merge_title, merge_message, branch, squash_headings, trailer, label.
    all_mentioned: every id in the words, each once: the answer first, the others in reading order.
    """

    vtid: str | None
    found_in: str | None
    all_mentioned: tuple[str, ...]
    why: str


def extract(change: ChangeText) -> Extraction:
    """The task that the change belongs to, or why it belongs to none."""
    words = [change.pr_title, change.pr_body, *_whole(change.subject, change.body), change.branch]
    mentioned = dict.fromkeys(each.id for text in words if text for each in references(text))
    misses = []
    for place, found in _sources(change):
        why = f"{_SAID[place]} {found.why}"
        if found.id is not None:
            return Extraction(found.id, place, tuple({found.id: None} | mentioned), why)
        misses.append(why)
    tag = next((tag for text in words if text and (tag := first_tag(text))), None)
    if tag:
        misses.append(f"{tag} is a tag without a task")
    return Extraction(None, None, tuple(mentioned), "; ".join(misses))


def _sources(change: ChangeText) -> Iterator[tuple[str, Found]]:
    """Every source with what it says, in the order of trust."""
    if change.pr_title:
        yield "pr_title", in_title(change.pr_title)
    if change.pr_body:
        yield "pr_body", in_body(change.pr_body)[1]
    subject, body = _whole(change.subject, change.body)
    if branch := merged_branch(subject):
        title, _, body = body.lstrip().partition("\n")
        yield "merge_title", in_title(title)
        yield "branch", _in_branch(change.branch or branch)
    elif is_sync(subject):
        if onto := change.branch or target_of(subject):
            yield "branch", _in_branch(onto)
        yield "merge_message", in_sync(subject, body)
        return  # whatever else the body names came in
    else:
        yield "subject", in_title(subject)
        if change.branch:
            yield "branch", _in_branch(change.branch)
    if body:
        yield in_body(body)


def _in_branch(branch: str) -> Found:
    found = references(branch)
    if not found:
        return Found(None, f"{branch[:80]} names no task")
    return Found(found[0].id, f"{branch[:80]} names {found[0].id}")


def _whole(subject: str, body: str) -> tuple[str, str]:
    """Subject and body, with a title put together again that was cut between them."""
    title, cut, rest = subject.partition(_CUT)
    if not cut or not body.startswith(_CUT):
        return subject, body
    more, _, body = body.removeprefix(_CUT).partition("\n")
    return f"{title}{more}{rest}", body
