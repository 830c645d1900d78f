import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.api.conftest import Staging
from tests.api.stage import PULL, SHA, Play
from vtid.domain.change import PullRequest
from vtid.domain.extraction import PullRequestWords

SECRET = "the secret in force"
PREVIOUS = "the secret before"
REPOSITORY = "acme/shop"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Words:
    """The words of changes as the code host would show them."""

    pulls: dict[int, PullRequest] = field(default_factory=dict)
    said: dict[int, PullRequestWords] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    error: Exception | None = None

    def merged(self, number: int, title: str, body: str = "", branch: str = "fix", sha: str = SHA) -> None:
        pull = PullRequest(
            REPOSITORY, number, f"https://github.test/{REPOSITORY}/pull/{number}", title, branch, "main", "c" * 40,
            REPOSITORY, False, False, True, created_at=LONG_AGO, merge_sha=sha,
        )  # fmt: skip
        self.pulls[number], self.said[number] = pull, PullRequestWords(title, body, branch)

    def pull_request(self, repository: str, number: int) -> PullRequest | None:
        self._reach()
        return self.pulls.get(number)

    def pull_request_words(self, repository: str, number: int) -> PullRequestWords | None:
        self._reach()
        return self.said.get(number)

    def pull_requests_of(self, repository: str, sha: str) -> tuple[int, ...]:
        self._reach()
        return tuple(number for number, pull in self.pulls.items() if pull.merge_sha == sha)

    def commit_message(self, repository: str, sha: str) -> str | None:
        self._reach()
        return self.messages.get(sha)

    def _reach(self) -> None:
        if self.error is not None:
            raise self.error


@dataclass
class Hook:
    """Webhooks as GitHub sends them."""

    play: Play
    words: Words
    sent: int = 0

    async def send(self, event: str, payload: Any, **changed: Any) -> httpx.Response:
        """`changed`: another `delivery`, `secret`, `body` than the signed one, or `headers`."""
        self.sent += 1
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        signature = hmac.new(changed.get("secret", SECRET).encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": changed.get("delivery", f"delivery-{self.sent}"),
            "X-Hub-Signature-256": f"sha256={signature}",
        } | changed.get("headers", {})
        headers = {name: value for name, value in headers.items() if value is not None}
        async with self.play.client(None) as client:
            return await client.post("/webhooks/github", content=changed.get("body", body), headers=headers)

    async def settle(self) -> None:
        """Let everything that came in be worked."""
        await self.play.services.inbox.settle()

    async def deliveries(self, **wanted: Any) -> list[dict[str, Any]]:
        answer = await self.play.get("/webhooks/deliveries", params=wanted)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def unattributed(self) -> list[dict[str, Any]]:
        answer = await self.play.get("/unattributed")
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def waiting_run(self) -> str:
        """A run that waits for the checks of its pull request 7. Gives its VTID."""
        vtid = await self.play.run()
        pull = {"number": 7, "url": PULL, "head_sha": SHA, "branch": "claude/vtid-1-x"}
        await self.play.tell(vtid, "evidence.observed", source="handed_in", pull_request=pull)
        await self.waits(vtid, "await_checks")
        return vtid

    async def waits(self, vtid: str, step: str) -> None:
        waiting = {"for": "checks", "since": f"{step} {self.sent}", "until": None, "who": "GitHub"}
        await self.play.tell(vtid, "step.started", step=step, waiting=waiting)

    def heard(self, vtid: str) -> list[object]:
        return self.play.engine.run_of(vtid).told


def check_run(sha: str = SHA, repository: str = REPOSITORY, action: str = "completed") -> dict[str, Any]:
    return {
        "action": action,
        "repository": {"full_name": repository},
        "check_run": {"head_sha": sha, "check_suite": {"head_branch": None}},
    }


def push(*commits: str, branch: str = "main") -> dict[str, Any]:
    return {
        "ref": f"refs/heads/{branch}",
        "after": commits[-1],
        "commits": [{"id": sha, "distinct": True} for sha in commits],
        "repository": {"full_name": REPOSITORY},
    }


def closed(number: int) -> dict[str, Any]:
    return {
        "action": "closed",
        "repository": {"full_name": REPOSITORY},
        "pull_request": {"number": number, "head": {"sha": SHA}},
    }


@pytest.fixture
def hook(staging: Staging) -> Hook:
    words = Words()
    return Hook(staging(words=words, webhook_secrets=(SECRET, PREVIOUS)), words)
