"""A door in front of a vendor, simulated or real: it passes everything on, and keeps what went through."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

_HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding", "content-encoding"}
ANSWERS_WITHIN_S = 30
_NUMBERS = (
    "%3Benum-encoding%3Dint"  # Google's client asks for enums as numbers, and takes names; schemas know names
)


@dataclass(frozen=True)
class Exchange:
    """One request, as the client sent it, and its answer. Bodies as JSON; None where there is none."""

    method: str
    path: str  # without the query
    sent: Any
    status: int
    answered: Any


@dataclass
class Recorder:
    """`url` is where the client is pointed to."""

    upstream: str
    credentials: Callable[[], dict[str, str]]
    url: str = ""
    exchanges: list[Exchange] = field(default_factory=list)

    def pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> requests.Response:
        wanted = {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}
        answer = requests.request(
            method,
            f"{self.upstream}{path.replace(_NUMBERS, '')}",
            headers={**wanted, **self.credentials()},
            data=body,
            timeout=ANSWERS_WITHIN_S,
            allow_redirects=False,
        )
        exchange = Exchange(
            method, path.split("?")[0], _json(body), answer.status_code, _json(answer.content)
        )
        self.exchanges.append(exchange)
        return answer


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


@contextmanager
def recording(upstream: str, credentials: Callable[[], dict[str, str]] = dict) -> Iterator[Recorder]:
    """credentials: headers that are laid over each request, for a client that may not know them on plain HTTP."""
    recorder = Recorder(upstream.rstrip("/"), credentials)

    class Door(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = recorder.pass_on(self.command, self.path, dict(self.headers), body)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value.replace(recorder.upstream, recorder.url))
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass  # noqa: N815 - looked up by these names

        def log_message(self, format: str, *args: object) -> None:
            """Not on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    recorder.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()
