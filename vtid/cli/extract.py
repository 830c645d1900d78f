"""`vtid extract`: a change per line of JSON in, the task it belongs to per line of JSON out."""

import json
import os
import sys
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from vtid.cli.console import tell
from vtid.cli.exits import CommandFailed, Exit
from vtid.domain.errors import Denied, Missing, OutsideError, Unavailable
from vtid.domain.extraction import ChangeText, PullRequestWords, extract

AskForWords = Callable[[str, int], PullRequestWords]

_TEXTS = ("body", "branch", "pr_title", "pr_body", "repository")  # a string, null or absent


class _BadLine(Exception):
    """The line is no change; the text names the field."""


def extract_lines(lines: Iterable[bytes], base_url: str | None) -> Exit:
    """Answer every line. Each bad one is told with its number, and makes the end USAGE.

    Raises CommandFailed when GitHub cannot be asked.
    """
    if sys.stdin.isatty():
        tell("reading changes from the keyboard, one JSON object per line; end with Ctrl-D")
    ask = _asker(base_url) if base_url else None
    count = bad = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        count += 1
        try:
            answer = _answer(_row_of(line), ask)
        except _BadLine as problem:
            bad += 1
            tell(f"vtid: line {number}: {problem}")
        except OutsideError as error:
            raise CommandFailed(f"line {number}: {error}", _exit_for(error)) from error
        else:
            print(json.dumps(answer))
    if bad:
        tell(f"vtid: {bad} of {count} changes could not be read")
    if not count:
        tell("vtid: no change came in on standard input")
    return Exit.USAGE if bad else Exit.OK


def _row_of(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _BadLine(f"expected one JSON object: {error}") from error
    if not isinstance(row, dict):
        raise _BadLine(f"expected one JSON object, got {type(row).__name__}")
    for field in ("id", "subject"):
        if field not in row:
            raise _BadLine(f"field `{field}` is missing")
    if not isinstance(row["subject"], str):
        raise _BadLine(f"field `subject`: expected a string, got {_shown(row['subject'])}")
    if not isinstance(row["id"], str | int) or isinstance(row["id"], bool):
        raise _BadLine(f"field `id`: expected a string or a whole number, got {_shown(row['id'])}")
    for field in _TEXTS:
        if not isinstance(row.get(field), str | None):
            raise _BadLine(f"field `{field}`: expected a string or null, got {_shown(row[field])}")
    pull = row.get("pull_request")
    if pull is not None and (type(pull) is not int or pull < 1):
        raise _BadLine(f"field `pull_request`: expected its number, got {_shown(pull)}")
    return row


def _answer(row: dict[str, Any], ask: AskForWords | None) -> dict[str, Any]:
    title, text, branch = row.get("pr_title"), row.get("pr_body"), row.get("branch")
    if ask and title is None and row.get("pull_request"):
        if not row.get("repository"):
            raise _BadLine("field `repository` is missing, and `pull_request` is there")
        words = ask(row["repository"], row["pull_request"])
        title, text, branch = words.title, words.body if text is None else text, branch or words.branch
    found = extract(ChangeText(row["subject"], row.get("body") or "", branch, title, text))
    return {
        "id": row["id"],
        "vtid": found.vtid,
        "found_in": found.found_in,
        "all_mentioned": found.all_mentioned,
        "why": found.why,
    }


def _asker(base_url: str) -> AskForWords:
    """Asks GitHub for the words of a pull request, for each once. Nothing is asked before it is needed."""
    from vtid.adapters.github import GitHub
    from vtid.configuration.settings import ConfigurationError, Settings

    try:
        settings = Settings.load({**os.environ, "VTID_GITHUB_API_URL": base_url})
    except ConfigurationError as error:
        raise CommandFailed(f"--base-url: {error}", Exit.USAGE) from error
    github = GitHub(settings.github_api_url, settings.github_credentials)

    @cache
    def ask(repository: str, number: int) -> PullRequestWords:
        words = github.pull_request_words(repository, number)
        if words is None:
            raise Missing("GITHUB", f"{repository} has no pull request #{number}", status=404)
        return words

    return ask


def _exit_for(error: OutsideError) -> Exit:
    match error:
        case Unavailable():
            return Exit.UNREACHABLE
        case Denied():
            return Exit.NOT_SIGNED_IN if error.status == 401 else Exit.FORBIDDEN
        case Missing():
            return Exit.NOT_FOUND
        case _:
            return Exit.FAILED


def _shown(value: Any) -> str:
    return json.dumps(value)[:60]
