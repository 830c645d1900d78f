"""What every answer has, whatever route made it: a request id, security headers, a bounded body, a count."""

import re
import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from api.problems import Problem, problem_response, request_id

MAX_BODY_BYTES = 2_000_000
_REQUEST_ID = re.compile(r"[\w.-]{1,64}")


@lru_cache(maxsize=64)
def security_headers(path: str, script_hashes: tuple[str, ...] = ()) -> tuple[tuple[bytes, bytes], ...]:
    """The headers against sniffing, framing and foreign scripts. API answers are not stored anywhere."""
    scripts = " ".join(("'self'", *(f"'{each}'" for each in script_hashes)))
    # The reader of the API's description sets styles and icons inline; no other page may.
    looks = "style-src 'self' 'unsafe-inline'; img-src 'self' data:; " if path == "/docs" else ""
    headers = {
        "content-security-policy": (
            f"default-src 'self'; script-src {scripts}; {looks}frame-ancestors 'none'; base-uri 'none'; "
            "form-action 'self'; object-src 'none'"
        ),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
    }
    # The page's modules belong together: a browser asks each time whether it still has the right one.
    headers["cache-control"] = "no-cache" if path.startswith("/ui/") else "no-store"
    return tuple((name.encode(), value.encode()) for name, value in headers.items())


def seal(scope: Scope, headers: MutableHeaders, script_hashes: tuple[str, ...]) -> None:
    """Put the request id and the security headers on an answer."""
    headers["X-Request-Id"] = request_id(scope) or ""
    there = {name for name, _ in headers.raw}
    headers.raw.extend(
        each for each in security_headers(scope["path"], script_hashes) if each[0] not in there
    )


def crash_answer(script_hashes: tuple[str, ...]) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Answers an error that nobody expected, telling nothing. The server logs it with its trace."""

    async def answer(request: Request, error: Exception) -> Response:
        response = problem_response(error, request.scope)
        seal(request.scope, response.headers, script_hashes)
        return response

    return answer


class Envelope:
    """The outermost layer of the API."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        script_hashes: tuple[str, ...] = (),
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._script_hashes = script_hashes
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope.setdefault("state", {})["request_id"] = _request_id(headers.get("x-request-id"))
        began, status = time.perf_counter(), 500

        async def send_enveloped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                seal(scope, MutableHeaders(scope=message), self._script_hashes)
            await send(message)

        try:
            if _too_large(headers.get("content-length"), self._max_body_bytes):
                await problem_response(self._refusal(), scope)(scope, receive, send_enveloped)
            else:
                await self._app(scope, self._bounded(receive), send_enveloped)
        finally:
            self._metrics.answered(_route_of(scope), scope["method"], status, time.perf_counter() - began)

    def _bounded(self, receive: Receive) -> Receive:
        """A body without an honest Content-Length is counted while it is read."""
        size = 0

        async def receive_counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._max_body_bytes:
                raise HTTPException(413, self._refusal().detail)
            return message

        return receive_counted

    def _refusal(self) -> Problem:
        return Problem("TOO_LARGE", f"the body may have at most {self._max_body_bytes} bytes")


def _request_id(given: str | None) -> str:
    return given if given and _REQUEST_ID.fullmatch(given) else uuid4().hex


def _too_large(content_length: str | None, limit: int) -> bool:
    return content_length is not None and content_length.isdecimal() and int(content_length) > limit


def _route_of(scope: Scope) -> str:
    """The route's template, so that metrics do not grow with every VTID."""
    route: Any = scope.get("route")
    return getattr(route, "path", None) or "unmatched"
