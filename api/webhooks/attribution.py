"""Changes that came to a base branch: each belongs to a task that the ledger knows, or is told as nobody's.

The code host is asked for the words of the change; what a webhook said of them is not used.
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from api.webhooks.heard import Heard
from vtid.domain.change import PullRequest
from vtid.domain.environment import Environment
from vtid.domain.extraction import ChangeText, Extraction, PullRequestWords, extract
from vtid.ledger import Ledger, Unknown

_TITLE = 200  # characters of a title that are kept


class ChangeWords(Protocol):
    """The words of changes on the code host. Blocking; raises the errors of vtid.domain.errors."""

    def pull_request(self, repository: str, number: int) -> PullRequest | None:
        """The pull request as it is now, or None when there is none of this number."""

    def pull_request_words(self, repository: str, number: int) -> PullRequestWords | None:
        """Its title, body and branch as they are now; None as above."""

    def pull_requests_of(self, repository: str, sha: str) -> tuple[int, ...]:
        """The numbers of the merged pull requests that brought this commit."""

    def commit_message(self, repository: str, sha: str) -> str | None:
        """The message of the commit, or None when there is none of this SHA."""


@dataclass(frozen=True)
class _Change:
    """One change: `key` is the same whichever webhook tells of it first."""

    key: str
    came_by: str  # merge or push
    title: str
    found: Extraction
    commit: str | None = None
    pull_request: str | None = None


class Attribution:
    """Looks into merges and pushes. Raises OutsideError when the code host cannot be asked."""

    def __init__(self, ledger: Ledger, environments: dict[str, Environment], words: ChangeWords) -> None:
        self._ledger = ledger
        self._environments = environments
        self._words = words

    def concerns(self, heard: Heard) -> bool:
        """Whether it tells of a change that may have come to a base branch."""
        if heard.closed:
            return True
        return bool(heard.pushed) and heard.branch in self._bases(heard.repository or "")

    async def look(self, heard: Heard) -> str:
        """Tell each change that is nobody's, once; gives what was found as a sentence."""
        repository = heard.repository or ""
        changes = await asyncio.to_thread(self._changes, repository, heard)
        if not changes:
            return "no change came to a base branch"
        return "; ".join([await self._settle(repository, heard.branch, change) for change in changes])

    def _bases(self, repository: str) -> set[str]:
        return {each.base_branch for each in self._environments.values() if each.is_home_of(repository)}

    def _changes(self, repository: str, heard: Heard) -> list[_Change]:
        if heard.closed and heard.pull_number is not None:
            pull = self._words.pull_request(repository, heard.pull_number)
            merged = pull is not None and pull.merged and pull.base in self._bases(repository)
            return [self._of_pull(repository, heard.pull_number, pull)] if merged else []
        changes: dict[str, _Change] = {}
        for sha in heard.pushed:
            change = self._of_commit(repository, sha)
            if change is not None:
                changes.setdefault(change.key, change)
        return list(changes.values())

    def _of_commit(self, repository: str, sha: str) -> _Change | None:
        numbers = self._words.pull_requests_of(repository, sha)
        if numbers:
            return self._of_pull(repository, numbers[0], self._words.pull_request(repository, numbers[0]))
        message = self._words.commit_message(repository, sha)
        if message is None:
            return None  # pushed away again meanwhile
        subject, _, body = message.partition("\n")
        return _Change(f"{repository}@{sha}", "push", subject, extract(ChangeText(subject, body)), sha)

    def _of_pull(self, repository: str, number: int, pull: PullRequest | None) -> _Change:
        words = self._words.pull_request_words(repository, number)
        title = words.title if words else ""
        found = extract(
            ChangeText(title, "", words.branch if words else None, title, words.body if words else "")
        )
        sha, url = (pull.merge_sha, pull.url) if pull else (None, None)
        return _Change(f"{repository}#{number}", "merge", title, found, sha, url)

    async def _settle(self, repository: str, branch: str | None, change: _Change) -> str:
        why = await self._why_nobodys(change.found)
        if why is None:
            return f"{change.key} belongs to {change.found.vtid}"
        await self._ledger.deliveries.unattributed(
            change=change.key,
            data={
                "repository": repository,
                "came_by": change.came_by,
                "branch": branch,
                "commit": change.commit,
                "pull_request": change.pull_request,
                "title": change.title[:_TITLE],
                "mentioned": list(change.found.all_mentioned[:20]),
                "why": why[:1_000],
            },
        )
        return f"{change.key} belongs to no task"

    async def _why_nobodys(self, found: Extraction) -> str | None:
        """None when it belongs to a task. Only an id that the ledger knows is one."""
        if found.vtid is None:
            return found.why
        try:
            await self._ledger.tasks.get(found.vtid)
        except Unknown:
            return f"{found.why}, and the ledger knows no such task"
        return None
