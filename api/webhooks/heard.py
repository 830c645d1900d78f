"""What a webhook of GitHub says, in our words: where to look. GitHub's names of things end here."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vtid.domain.hints import Hint

MOST_COMMITS = 50  # of one push that are looked into
_BRANCH = "refs/heads/"
_QUEUED = re.compile(r"gh-readonly-queue/.+/pr-(\d{1,9})-[0-9a-f]{40}", re.ASCII)
_PULL_ACTIONS = frozenset(
    {"opened", "reopened", "synchronize", "edited", "closed", "ready_for_review", "converted_to_draft"}
    | {"enqueued", "dequeued"}
)
_NO_SHA = "0" * 40


class Malformed(ValueError):
    """Signed, and still not what GitHub sends; the text names the field."""


@dataclass(frozen=True)
class Heard:
    """Where to look. `ignored` says why nowhere.

    pushed: commits that came to `branch`, oldest first. closed: a pull request ended, so it may be merged.
    rerun: somebody (`by`) pressed the re-run button of a check, of this name if it was one alone.
    """

    event: str
    action: str | None = None
    repository: str | None = None
    sha: str | None = None
    pull_number: int | None = None
    branch: str | None = None
    url: str | None = None
    pushed: tuple[str, ...] = ()
    closed: bool = False
    rerun: bool = False
    check: str | None = None
    by: str | None = None
    ignored: str | None = None

    @property
    def hint(self) -> Hint | None:
        """For the runs; None where nothing is to be looked at."""
        if self.ignored is not None or self.repository is None:
            return None
        number = self.pull_number or _queued_number(self.branch)
        return Hint(self.repository, self.event, self.sha, number, self.branch, self.url)


def read_webhook(event: str, payload: Any) -> Heard:
    """What it says. One that we do not know is ignored, and says so. Raises Malformed."""
    if not isinstance(payload, dict):
        raise Malformed("body: expected a JSON object")
    action = payload.get("action")
    action = _clean(action) if isinstance(action, str) else None
    read = _READERS.get(event)
    if read is None:
        return Heard(event, action, _repository_or_none(payload), ignored=f"nothing depends on {event}")
    wanted, reader = read
    if wanted is not None and action not in wanted:
        why = f"{event} {action or 'without an action'} decides nothing"
        return Heard(event, action, _repository_or_none(payload), ignored=why)
    return reader(event, action, _text(payload, "repository", "full_name"), payload)


def _pull_request(event: str, action: str | None, repository: str, payload: Any) -> Heard:
    return Heard(
        event, action, repository,
        sha=_text(payload, "pull_request", "head", "sha"),
        pull_number=_number(payload, "pull_request", "number"),
        closed=action == "closed",
    )  # fmt: skip


def _check_run(event: str, action: str | None, repository: str, payload: Any) -> Heard:
    sha = _text(payload, "check_run", "head_sha")
    branch = _text_or_none(payload, "check_run", "check_suite", "head_branch")
    return Heard(
        event, action, repository, sha=sha, branch=branch,
        rerun=action == "rerequested",
        check=_text_or_none(payload, "check_run", "name"),
        by=_text_or_none(payload, "sender", "login"),
    )  # fmt: skip


def _suite_or_run(event: str, action: str | None, repository: str, payload: Any) -> Heard:
    return Heard(
        event, action, repository,
        sha=_text(payload, event, "head_sha"),
        branch=_text_or_none(payload, event, "head_branch"),
        url=_text_or_none(payload, event, "html_url"),
        rerun=action == "rerequested",
        by=_text_or_none(payload, "sender", "login"),
    )  # fmt: skip


def _deployment_status(event: str, action: str | None, repository: str, payload: Any) -> Heard:
    return Heard(event, action, repository, sha=_text(payload, "deployment", "sha"))


def _merge_group(event: str, action: str | None, repository: str, payload: Any) -> Heard:
    sha = _text(payload, "merge_group", "head_sha")
    branch = _text(payload, "merge_group", "head_ref").removeprefix(_BRANCH)
    return Heard(event, action, repository, sha=sha, branch=branch)


def _push(event: str, action: str | None, repository: str, payload: Any) -> Heard:
    ref, after = _text(payload, "ref"), _text(payload, "after")
    if not ref.startswith(_BRANCH) or after == _NO_SHA:
        why = f"{ref[:200]} is no branch" if after != _NO_SHA else f"{ref[:200]} was deleted"
        return Heard(event, action, repository, ignored=why)
    listed = payload.get("commits")
    commits = listed if isinstance(listed, list) else []
    pushed = [_text(commit, "id") for commit in commits if _at(commit, "distinct") is not False]
    branch = _clean(ref.removeprefix(_BRANCH))
    return Heard(
        event, action, repository, sha=after, branch=branch, pushed=tuple(pushed[-MOST_COMMITS:]) or (after,)
    )


_Reader = Callable[[str, str | None, str, Any], Heard]
# event -> (the actions that may change an answer, None: all; how it is read)
_READERS: dict[str, tuple[frozenset[str] | None, _Reader]] = {
    "pull_request": (_PULL_ACTIONS, _pull_request),
    "check_run": (frozenset({"completed", "rerequested"}), _check_run),
    "check_suite": (frozenset({"completed", "rerequested"}), _suite_or_run),
    "workflow_run": (frozenset({"completed"}), _suite_or_run),
    "deployment_status": (None, _deployment_status),
    "push": (None, _push),
    "merge_group": (None, _merge_group),
}
EVENTS = tuple(_READERS)


def _queued_number(branch: str | None) -> int | None:
    """The pull request that a merge queue's own branch is for."""
    found = _QUEUED.fullmatch(branch or "")
    return int(found[1]) if found else None


def _at(payload: Any, *path: str) -> Any:
    for key in path:
        payload = payload.get(key) if isinstance(payload, dict) else None
    return payload


def _text(payload: Any, *path: str) -> str:
    found = _text_or_none(payload, *path)
    if found is None:
        raise Malformed(f"{'.'.join(path)}: expected a text")
    return found


def _text_or_none(payload: Any, *path: str) -> str | None:
    found = _at(payload, *path)
    return _clean(found) if isinstance(found, str) else None


def _number(payload: Any, *path: str) -> int:
    found = _at(payload, *path)
    if not isinstance(found, int) or isinstance(found, bool):
        raise Malformed(f"{'.'.join(path)}: expected a number")
    return found


def _repository_or_none(payload: Any) -> str | None:
    return _text_or_none(payload, "repository", "full_name")


def _clean(text: str) -> str:
    """What every database takes: no lone surrogates, no NUL, of bounded length."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")[:500]
