"""A tiny API over real HTTP, and the command run against it."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from vtid.cli.main import run_command


@dataclass
class FakeApi:
    """Answers by method and path; keeps what it was asked."""

    url: str = ""
    answers: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    streams: list[list[tuple[int, dict[str, Any], dict[str, Any]]]] = field(default_factory=list)

    def says(self, method: str, path: str, body: Any, status: int = 200) -> None:
        """Answer this call so. A string is sent as it is, anything else as JSON."""
        self.answers[method, path] = status, body

    def refuses(self, method: str, path: str, status: int, code: str, detail: str = "because") -> None:
        """Answer with a problem."""
        self.says(method, path, {"code": code, "detail": detail, "status": status}, status)


def _handler(api: FakeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            path = self.path.split("?")[0]
            size = int(self.headers.get("Content-Length") or 0)
            asked = {"method": self.command, "path": self.path, "headers": dict(self.headers)}
            api.asked.append(asked | {"body": json.loads(self.rfile.read(size)) if size else None})
            if path == "/api/v1/events/stream":
                self._stream()
                return
            status, body = api.answers.get((self.command, path), (404, {"code": "NOT_FOUND", "detail": path}))
            content = body if isinstance(body, str) else json.dumps(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content.encode())))
            self.end_headers()
            self.wfile.write(content.encode())

        def _stream(self) -> None:
            """One prepared part of the stream, and then the connection is cut."""
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for position, event, run in api.streams.pop(0) if api.streams else []:
                data = json.dumps({"event": event, "run": run})
                self.wfile.write(f"id: {position}\nevent: event\ndata: {data}\n\n".encode())

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the server looks them up by these names

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Handler


@pytest.fixture
def api() -> Iterator[FakeApi]:
    fake = FakeApi()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Vtid = Callable[..., Ended]


@pytest.fixture
def vtid(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Vtid:
    """Run the command in an empty data directory, with none of the caller's own settings."""
    for name in [name for name in os.environ if name.startswith("VTID_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VTID_DATA_DIR", str(tmp_path))

    def run(*arguments: str) -> Ended:
        code = run_command(list(arguments))
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return run


def run_view(status: str = "in_progress", outcome: str | None = None, **more: Any) -> dict[str, Any]:
    """A run view as the API sends it."""
    stages = [{"stage": stage, "status": "pending"} for stage in ("PLANNER", "WORKER", "VALIDATOR", "DEPLOY")]
    view = {"vtid": "VTID-01227", "run_id": "r1", "status": status, "outcome": outcome, "position": 3}
    return view | {"title": "A task", "stages": stages, "links": {}} | more
