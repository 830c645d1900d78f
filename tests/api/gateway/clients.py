"""Two clients of the old gateway, as they speak: a polling worker, and an MCP client for Claude Code."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import httpx

from tests.api.stage import Play
from vtid.domain.change import ChangedFiles, Check, CheckState, PullRequest
from vtid.domain.environment import Environment
from vtid.domain.errors import Unavailable
from vtid.domain.ports import CodeHost

HEAD = "b" * 40


@dataclass
class Forge:
    """A code host with pull requests and nothing else. `down`: it cannot be asked."""

    pulls: dict[int, PullRequest] = field(default_factory=dict)
    down: bool = False

    def open(self, vtid: str, number: int = 7, *, head: str = HEAD) -> PullRequest:
        branch = f"claude/{vtid.lower()}-work"
        self.pulls[number] = PullRequest(
            repository="acme/shop", number=number, url=f"https://github.com/acme/shop/pull/{number}",
            title=f"{vtid}: work", branch=branch, base="main", head_sha=head, head_repository="acme/shop",
            is_open=True, draft=False, merged=False, created_at=datetime.now(UTC), vtids=(vtid,),
        )  # fmt: skip
        return self.pulls[number]

    def pull_request(self, repository: str, number: int) -> PullRequest | None:
        self._reach()
        return self.pulls.get(number)

    def find_pull_requests(
        self, repository: str, vtid: str, environment: Environment, since: datetime | None = None
    ) -> tuple[PullRequest, ...]:
        self._reach()
        return tuple(pull for pull in self.pulls.values() if vtid in pull.vtids)

    def changed_files(self, repository: str, number: int) -> ChangedFiles:
        return ChangedFiles(("services/shop/app.py",), complete=True)

    def checks(self, repository: str, sha: str) -> tuple[Check, ...]:
        return (Check("ci", CheckState.PENDING),)

    def required_checks(self, repository: str, branch: str) -> tuple[str, ...]:
        return ("ci",)

    def _reach(self) -> None:
        if self.down:
            raise Unavailable("GITHUB", "GitHub answers 503", status=503)

    def port(self) -> CodeHost:
        return cast(CodeHost, self)


@dataclass
class Old:
    """A client of old. It sends no credentials, but the headers that it always sent."""

    play: Play
    headers: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        async with self.play.client(None, **self.headers) as client:
            return await client.request(method, path, json=body, **more)

    async def get(self, path: str) -> dict[str, Any]:
        answer = await self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return cast(dict[str, Any], answer.json())

    async def post(self, path: str, body: Any = None, *, status: int = 200) -> dict[str, Any]:
        answer = await self.call("POST", path, body)
        assert answer.status_code == status, answer.text
        assert answer.json()["ok"] is (status < 300)
        return cast(dict[str, Any], answer.json())


@dataclass
class Runner(Old):
    """The polling worker. Its name stands in a header; only some of its bodies repeat it."""

    worker_id: str = "worker-runner-1"

    def __post_init__(self) -> None:
        self.headers = {"X-Worker-ID": self.worker_id, "X-VTID": "VTID-01200"}

    async def register(self) -> dict[str, Any]:
        body = {
            "worker_id": self.worker_id,
            "capabilities": ["backend"],
            "max_concurrent": 1,
            "version": "1.0.0",
        }
        return await self.post("/api/v1/worker/orchestrator/register", body)

    async def beat(self, vtid: str | None = None, *, status: int = 200) -> dict[str, Any]:
        body = {"worker_id": self.worker_id, "active_vtid": vtid}
        return await self.post("/api/v1/worker/orchestrator/heartbeat", body, status=status)

    async def pending(self) -> list[dict[str, Any]]:
        told = await self.get(f"/api/v1/worker/orchestrator/tasks/pending?worker_id={self.worker_id}")
        assert told["ok"] is True
        assert told["count"] == len(told["tasks"])
        return cast(list[dict[str, Any]], told["tasks"])

    async def claim(self, vtid: str, *, status: int = 200) -> dict[str, Any]:
        body = {"worker_id": self.worker_id, "expires_minutes": 60}
        return await self.post(f"/api/v1/worker/orchestrator/tasks/{vtid}/claim", body, status=status)

    async def route(self, vtid: str, *, status: int = 200) -> dict[str, Any]:
        body = {"vtid": vtid, "title": "Ship it", "task_domain": "frontend", "worker_id": self.worker_id}
        return await self.post("/api/v1/worker/orchestrator/route", body, status=status)

    async def subagent(self, verb: str, vtid: str, run_id: str) -> dict[str, Any]:
        result = {"ok": True, "files_changed": ["a.py"], "violations": []}
        body = {"vtid": vtid, "domain": "frontend", "run_id": run_id, "result": result}
        return await self.post(f"/api/v1/worker/subagent/{verb}", body)

    async def complete(
        self, vtid: str, run_id: str, *, success: bool = True, status: int = 200, **more: Any
    ) -> dict[str, Any]:
        result = {"ok": success, "files_changed": ["a.py"], "files_created": []}
        body = {"vtid": vtid, "run_id": run_id, "domain": "frontend", "success": success, "result": result}
        body |= {"summary": "built it" if success else "it broke", **more}
        return await self.post("/api/v1/worker/orchestrator/complete", body, status=status)

    async def terminalize(self, vtid: str, run_id: str, outcome: str = "success") -> dict[str, Any]:
        body = {"vtid": vtid, "outcome": outcome, "run_id": run_id, "actor": "autodeploy"}
        return await self.post("/api/v1/oasis/vtid/terminalize", body)

    async def release(self, vtid: str, *, status: int = 200) -> dict[str, Any]:
        body = {"worker_id": self.worker_id, "reason": "completed"}
        return await self.post(f"/api/v1/worker/orchestrator/tasks/{vtid}/release", body, status=status)


@dataclass
class Mcp(Old):
    """The MCP client. It cannot beat, and is known by its actor."""

    def __post_init__(self) -> None:
        self.headers = {"X-Actor": "claude-code"}

    async def route(self, vtid: str, *, status: int = 200) -> dict[str, Any]:
        body = {"vtid": vtid, "spec": "# Build it", "actor": "claude-code"}
        return await self.post("/api/v1/worker/orchestrator/route", body, status=status)

    async def tell(self, vtid: str, topic: str, *, status: int = 200, **metadata: Any) -> dict[str, Any]:
        body = {
            "vtid": vtid, "topic": topic, "service": "vitana-work-mcp", "status": "info",
            "message": "as told", "metadata": {**metadata, "actor": "claude-code"},
        }  # fmt: skip
        return await self.post("/api/v1/oasis/events", body, status=status)

    async def evidence(
        self, vtid: str, url: str, kind: str = "pr_submitted", *, status: int = 200
    ) -> dict[str, Any]:
        return await self.tell(vtid, f"vtid.evidence.{kind}", status=status, evidence_url=url)

    async def complete(self, vtid: str) -> dict[str, Any]:
        body = {"vtid": vtid, "outcome": "success", "source": "claude", "summary": "done"}
        return await self.post("/api/v1/vtid/lifecycle/complete", body)
