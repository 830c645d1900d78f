"""The adapters meet the simulator over a real socket, with their real client libraries."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import httpx
import pytest

from vtid.adapters.cloud_run import CloudRun
from vtid.adapters.github import GitHub
from vtid.adapters.http_probe import HttpProbe
from vtid.domain.change import MergeKind, PullRequest
from vtid.domain.commands.pull_requests import MergePullRequest
from vtid.domain.environment import ChecksPolicy, Environment, Service
from vtid.simulator.server import serving

VTID = "VTID-01227"
PATIENT, IMPATIENT = 10.0, 0.3  # seconds; impatient only where nothing answers


@dataclass
class Sim:
    """One simulated world, seeded with a repository, and the three adapters that look at it."""

    origin: str
    control: httpx.Client
    timeout: float = PATIENT
    repository: str = "acme/shop"
    last_run: int = 0

    @cached_property
    def git_hub(self) -> GitHub:
        return GitHub(f"{self.origin}/api/v3", "test-token", timeout=self.timeout)

    @cached_property
    def cloud_run(self) -> CloudRun:
        return CloudRun(self.origin, timeout=self.timeout)

    @cached_property
    def probe(self) -> HttpProbe:
        return HttpProbe(timeout=self.timeout)

    def __post_init__(self) -> None:
        self.shop = Service("shop", "{repository_name}")
        self.environment = Environment(
            "dev", "demo", "europe-west1", "acme/*", services=(self.shop,), checks=ChecksPolicy(("ci",))
        )

    def impatient(self) -> Sim:
        return replace(self, timeout=IMPATIENT)

    # --- facts

    def behaves(self, **behaviour: Any) -> None:
        self._tell("PUT", "behaviour", {"repository": self.repository, **behaviour})

    def opens_pull(self, title: str = f"Add checkout ({VTID})", **more: Any) -> PullRequest:
        wish = {
            "repository": self.repository,
            "head": "claude/vtid-01227-a1b2c3-1",
            "base": "main",
            "title": title,
            "files": [{"path": "services/shop/main.py", "content": "print('checkout')\n"}],
        }
        number = self._tell("POST", "pulls", wish | more)["number"]
        return self.reads(number)

    def reads(self, number: int) -> PullRequest:
        pull = self.git_hub.pull_request(self.repository, number)
        assert pull is not None
        return pull

    def pushes(self, number: int, path: str = "services/shop/more.py", content: str = "more = 1\n") -> str:
        wish = {"repository": self.repository, "files": [{"path": path, "content": content}]}
        return str(self._tell("POST", f"pulls/{number}/push", wish)["head_sha"])

    def commits(self, path: str, content: str) -> str:
        files = [{"path": path, "content": content}]
        wish = {"repository": self.repository, "branch": "main", "message": "Someone else", "files": files}
        return str(self._tell("POST", "commits", wish)["sha"])

    def checks(self, sha: str, conclusion: str | None, name: str = "ci") -> None:
        status = "completed" if conclusion else "in_progress"
        wish = {"repository": self.repository, "sha": sha, "name": name, "status": status}
        self._tell("POST", "checks", wish | ({"conclusion": conclusion} if conclusion else {}))

    def runs(self, *revisions: dict[str, Any], traffic: dict[str, int] | None = None, **more: Any) -> None:
        shares = [{"revision": name, "percent": percent} for name, percent in (traffic or {}).items()]
        wish = {"project": "demo", "region": "europe-west1", "revisions": list(revisions), **more}
        self._tell("PUT", "services/shop", wish | ({"traffic": shares} if shares else {}))

    # --- breaking it

    def breaks(
        self, method: str, path_regex: str, action: dict[str, Any], times: int | None = None, after: int = 0
    ) -> None:
        match = {"method": method, "path_regex": path_regex}
        wish = {"match": match, "action": action, "after": after}
        self._tell("POST", "faults", wish | ({"times": times} if times else {}))

    def mends(self) -> None:
        self._tell("DELETE", "faults")

    # --- what was done to it

    def effects(self, effect: str) -> int:
        return sum(entry["effect"] == effect for entry in self.journal())

    def requests(self, method: str, path_end: str) -> int:
        return sum(e["method"] == method and e["path"].endswith(path_end) for e in self.journal())

    def journal(self) -> list[dict[str, Any]]:
        journal: list[dict[str, Any]] = self.control.get("/_sim/journal").json()
        return journal

    def merge_command(self, pull: PullRequest, title: str = "Add checkout") -> MergePullRequest:
        return MergePullRequest(VTID, pull.repository, pull.number, pull.head_sha, title, self.environment)

    def shows(self, path: str) -> Any:
        """What GitHub's API answers at this path of the repository, as JSON."""
        return self._asks("GET", path)

    def enters_queue(self, pull: PullRequest) -> None:
        """Into the queue, as the orchestrator does it, where its checks take their time."""
        self.behaves(queue={"enabled": True}, checks={"after_s": 3600})
        assert self.git_hub.merge(self.merge_command(pull)).kind is MergeKind.QUEUED

    def subject_of(self, sha: str) -> str:
        """The first line of a commit's message."""
        return str(self.shows(f"commits/{sha}")["commit"]["message"]).split("\n")[0]

    def closes(self, number: int) -> None:
        self._asks("PATCH", f"pulls/{number}", {"state": "closed"})

    def reports_status(self, sha: str, state: str, context: str) -> None:
        self._asks("POST", f"statuses/{sha}", {"state": state, "context": context})

    def creates_check(self, sha: str, name: str, conclusion: str) -> None:
        """As an app that is not GitHub Actions."""
        self._asks("POST", "check-runs", {"head_sha": sha, "name": name, "conclusion": conclusion})

    def _asks(self, verb: str, path: str, body: Any = None) -> Any:
        answer = self.control.request(
            verb,
            f"/api/v3/repos/{self.repository}/{path}",
            json=body,
            headers={"authorization": "Bearer test-token"},
        )
        assert answer.status_code < 300, answer.text
        return answer.json()

    def _tell(self, verb: str, path: str, wish: dict[str, Any] | None = None) -> Any:
        answer = self.control.request(verb, f"/_sim/{path}", json=wish)
        assert answer.status_code < 300, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def origin() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture(scope="session")
def control(origin: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=origin) as client:
        yield client


@pytest.fixture
def sim(control: httpx.Client) -> Iterator[Sim]:
    """A fresh world: checks end green at once, deploys in no time, nothing is open."""
    control.post("/_sim/reset")
    control.post("/_sim/repos", json={"full_name": "acme/shop"})
    world = Sim(str(control.base_url).rstrip("/"), control)
    world.behaves(checks={"after_s": 0}, deploy={"after_s": 0}, reconcile_s=0)
    yield world
    control.delete("/_sim/faults")


@pytest.fixture
def git_hub_with(sim: Sim) -> Callable[[str], GitHub]:
    """The same GitHub, asked with another token."""
    return lambda token: GitHub(f"{sim.origin}/api/v3", token, timeout=PATIENT)


@pytest.fixture
def nobody_listens() -> str:
    """An origin whose port was free a moment ago."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def unreachable_git_hub(nobody_listens: str) -> GitHub:
    return GitHub(f"{nobody_listens}/api/v3", "test-token", timeout=PATIENT)
