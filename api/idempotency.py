"""Idempotency-Key: the same call under the same key has its effect once and gets the same answer.

Only what had an effect is kept: after a refusal or an error the key may be used for another try.
"""

import hashlib
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import Authenticator
from api.problems import Problem, problem_response
from vtid.ledger import LedgerUnavailable, Refusal
from vtid.ledger.idempotency import Idempotency
from vtid.ledger.records import StoredAnswer

_CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
# A claim's answer holds a lease token, which is kept nowhere, and is repeatable by itself: the holder
# that claims again gets its lease again. A heartbeat must hear what holds now, and outlive the ledger.
# A sign-in makes nothing in the ledger. A subscription's secret is shown once and kept nowhere: a repeat is
# refused by its name.
_LEFT_OUT = ("/work-orders/claim", "/heartbeat", "/session", "/notifications", "/rotate")
_KEPT_HEADERS = ("content-type", "location", "etag")
MAX_KEY = 200


class Idempotent:
    """Remembers the answers of changing calls by (key, caller)."""

    def __init__(self, app: ASGIApp, *, store: Idempotency, auth: Authenticator, prefix: str) -> None:
        self._app = app
        self._store = store
        self._auth = auth
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = self._key_of(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        try:
            await self._once(key, scope, receive, send)
        except (Problem, Refusal, LedgerUnavailable, HTTPException) as error:
            await problem_response(error, scope)(scope, receive, send)

    def _key_of(self, scope: Scope) -> str | None:
        if scope["type"] != "http" or scope["method"] not in _CHANGING:
            return None
        if not scope["path"].startswith(self._prefix) or scope["path"].endswith(_LEFT_OUT):
            return None
        return Headers(scope=scope).get("idempotency-key")

    async def _once(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        if not 0 < len(key) <= MAX_KEY:
            raise Problem("VALIDATION", f"Idempotency-Key has 1 to {MAX_KEY} characters")
        who = (await self._auth.principal_of(HTTPConnection(scope))).name
        body = await _read(receive)
        stored = await self._store.begin(key, who, _fingerprint(scope, body))
        if stored is not None:
            await _replay(stored)(scope, receive, send)
            return
        answer = _Recorded(send)
        try:
            await self._app(scope, _again(body, receive), answer.send)
        except BaseException:
            await self._store.forget(key, who)
            raise
        if 200 <= answer.status < 300:
            await self._store.finish(key, who, answer.status, answer.text, answer.headers)
        else:
            await self._store.forget(key, who)
        await answer.flush()


class _Recorded:
    """Holds the answer back until it is kept: a caller must never see one that a repeat would not get."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._messages: list[Message] = []

    async def send(self, message: Message) -> None:
        self._messages.append(message)

    async def flush(self) -> None:
        for message in self._messages:
            await self._send(message)

    @property
    def status(self) -> int:
        return int(self._messages[0]["status"]) if self._messages else 500

    @property
    def text(self) -> str:
        return b"".join(each.get("body", b"") for each in self._messages[1:]).decode()

    @property
    def headers(self) -> dict[str, str]:
        headers = Headers(raw=self._messages[0]["headers"])
        return {name: headers[name] for name in _KEPT_HEADERS if name in headers}


def _replay(stored: StoredAnswer) -> Response:
    return Response(stored.body, stored.status, headers=stored.headers | {"Idempotency-Replayed": "true"})


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """The body once more, then whatever the client does."""
    sent = False

    async def receive_again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _fingerprint(scope: Scope, body: bytes) -> str:
    what = f"{scope['method']} {scope['path']}?{scope['query_string'].decode('latin-1')}\n"
    return hashlib.sha256(what.encode() + body).hexdigest()
