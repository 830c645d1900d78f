"""One simulator for all of these tests, empty at the start of each."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from vtid.simulator.server import Simulator, serving

QUICK = {"checks": {"after_s": 0.05}, "deploy": {"after_s": 0.05}, "reconcile_s": 0.05}
SHOP = "acme/shop"


class Recording(Simulator):
    """Keeps what clients send, so that it can be judged too."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noting() -> Message:
            message = await receive()
            if message["type"] == "http.request" and message.get("body"):
                self.sent.append((scope["method"], scope["path"], json.loads(message["body"])))
            return message

        await super().__call__(scope, noting if scope["type"] == "http" else receive, send)


@dataclass
class Sim:
    """The control plane, and GitHub and Cloud Run without a client library."""

    origin: str
    app: Recording
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.origin, headers={"Authorization": "Bearer t"}, trust_env=False)

    def told(self, method: str, path: str, **body: Any) -> Any:
        response = self.http.request(method, f"/_sim{path}", json=body)
        assert response.is_success, response.text
        return response.json()

    def github(self, path: str, method: str = "GET", **body: Any) -> httpx.Response:
        return self.http.request(method, f"/api/v3{path}", json=body or None)

    def cloud_run(self, path: str = "/services/shop") -> Any:
        return self.http.get(f"/v2/projects/demo/locations/europe-west1{path}").json()

    def version(self) -> Any:
        return self.http.get("/run/demo/europe-west1/shop/version").json()

    def shop(self, **service: Any) -> str:
        """The shop, running the first commit of its repository. Returns that commit."""
        sha: str = self.told("POST", "/repos", full_name=SHOP)["head_sha"]
        self.told("PUT", "/behaviour", **QUICK)
        first = {
            "name": "shop-00001-aaa",
            "commit_sha": sha,
            "env": {"MODE": "x"},
            "secrets": {"DB_URL": "db:3"},
        }
        wish = {"project": "demo", "region": "europe-west1", "revisions": [first], **service}
        self.told("PUT", "/services/shop", **wish)
        return sha

    def behave(self, **wish: Any) -> None:
        self.told("PUT", "/behaviour", repository=SHOP, **wish)

    def pull(self, head: str = "claude/vtid-0001-a", **more: Any) -> Any:
        files = [{"path": "services/shop/new.py", "content": f"NAME = '{head}'\n"}]
        wish = {"repository": SHOP, "head": head, "base": "main", "title": "VTID-0001: x", "files": files}
        return self.told("POST", "/pulls", **{**wish, **more})

    def merge(self, pull: Any, **body: Any) -> httpx.Response:
        return self.github(f"/repos/{SHOP}/pulls/{pull['number']}/merge", "PUT", sha=pull["head_sha"], **body)

    def until(self, ready: Any, limit: int = 100) -> Any:
        """Look again until it is so. Every look is a request, and requests are what moves the world."""
        for _ in range(limit):
            if found := ready():
                return found
            self.http.get("/_sim/healthz")
            self.app.world.schedule.skip(0.02)
        raise AssertionError("it did not come true")

    def deployed(self, sha: str) -> Any:
        return self.until(lambda: (it := self.version())["commit"] == sha and it)

    def effects(self) -> list[str]:
        entries = self.http.get("/_sim/journal").json()
        return [it["effect"] for it in entries if it["effect"] and not it["path"].startswith("/_sim")]


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[Sim]:
    app = Recording()
    with serving(app) as origin:
        yield Sim(origin, app)


@pytest.fixture
def sim(running_simulator: Sim) -> Sim:
    running_simulator.told("POST", "/reset")
    running_simulator.app.sent.clear()
    return running_simulator
