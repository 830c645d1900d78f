"""An agent as a real process, between a work-order API in its simplest form, a real git repository and a simulated GitHub."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from vtid.simulator.server import serving

SHOP = "acme/shop"
BRANCH = "claude/vtid-0001-a"
SPEC = "# Round prices\n\n## Goal\n\nAll prices in cents.\n"
WITHIN_SECONDS = 60.0


@dataclass
class Desk:
    """The public contract of the work-order API with one order, and everything that the worker says."""

    url: str = ""
    said: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    orders: int = 1
    action: str = "continue"
    refuses: dict[str, int] = field(default_factory=dict)  # verb -> status, from now on
    order: dict[str, Any] = field(default_factory=dict)

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        verb = path.rpartition("/")[2]
        self.said.append((verb, body))
        if status := self.refuses.get(verb):
            code = {409: "LEASE_LOST", 401: "UNAUTHENTICATED"}.get(status, "TEMPORAL_UNAVAILABLE")
            return status, {"code": code, "detail": "told to refuse"}
        if verb == "claim":
            self.orders -= 1
            return (204, None) if self.orders < 0 else (200, CLAIMED | self.order)
        return 200, {"action": self.action, "reason": "cancelled by ann"}

    def bodies(self, verb: str) -> list[dict[str, Any]]:
        return [body for name, body in self.said if name == verb]

    def verbs(self) -> list[str]:
        """Everything said but the heartbeats."""
        return [verb for verb, _ in self.said if verb != "heartbeat"]

    def hears(self, verb: str) -> None:
        """Until the worker said this."""
        until(lambda: self.bodies(verb), f"the worker to say {verb}")


CLAIMED = {
    "order_id": "o-1", "vtid": "VTID-0001", "run_id": "run-000001", "attempt": 1, "lease": "the-lease-token",
    "deadlines": {"heartbeat_seconds": 0.2, "lost_seconds": 2.0, "progress_seconds": 9, "cap_seconds": 60},
    "spec": SPEC, "spec_hash": "0" * 64, "repository": SHOP, "base": "main", "branch": BRANCH,
    "required_markers": ["VTID-0001"], "note": "", "environment": "dev", "kind": "build",
}  # fmt: skip


def until(ready: Callable[[], Any], what: str) -> Any:
    """Look again until it is so: another process gives no sign."""
    give_up_at = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < give_up_at:
        if found := ready():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")


def _handler(desk: Desk) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            status, answer = desk.answer(self.path, body)
            content = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Handler


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(desk))
    desk.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield desk
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def github() -> Iterator[str]:
    with serving() as origin:
        yield origin


@pytest.fixture
def bare(github: str, tmp_path: Path) -> Path:
    """The shop's repository on disk, which the simulated GitHub stands on."""
    directory = tmp_path / "shop.git"
    httpx.post(f"{github}/_sim/reset")
    made = httpx.post(f"{github}/_sim/repos", json={"full_name": SHOP, "git_dir": str(directory)})
    assert made.status_code == 201, made.text
    return directory


def git(directory: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(directory), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


@dataclass
class Hired:
    """A running agent."""

    process: subprocess.Popen[str]
    work_dir: Path

    def ends(self) -> tuple[int, str]:
        """Its exit code, and what it said to people."""
        _, err = self.process.communicate(timeout=WITHIN_SECONDS)
        return self.process.returncode, err

    def left(self) -> list[str]:
        """Everything that it left in its places."""
        agents = self.work_dir / "agents"
        return sorted(str(each.relative_to(agents)) for each in agents.rglob("*")) if agents.exists() else []


Hire = Callable[..., Hired]


@pytest.fixture
def hire(desk: Desk, github: str, bare: Path, tmp_path: Path) -> Iterator[Hire]:
    hired: list[Hired] = []

    def start(command: str, *options: str, **env: str) -> Hired:
        settings = {
            "VTID_API_TOKEN": "the-api-token", "VTID_GITHUB_API_URL": f"{github}/api/v3",
            "VTID_GITHUB_TOKEN": "the-github-token", "VTID_DATA_DIR": str(tmp_path / "data"),
        }  # fmt: skip
        work_dir = tmp_path / "work"
        arguments = (
            "--api-url",
            desk.url,
            "--remote",
            str(bare),
            "--work-dir",
            str(work_dir),
            "--wait",
            "0",
            *options,
        )
        ours = {key: value for key, value in os.environ.items() if not key.startswith("VTID_")}
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from vtid.cli.main import main; main()",
                "agent",
                "--command",
                command,
                *arguments,
            ],
            env=ours | settings | env,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        hired.append(Hired(process, work_dir))
        return hired[-1]

    yield start
    for each in hired:
        with suppress(ProcessLookupError):
            each.process.send_signal(signal.SIGKILL)
        each.process.communicate()
