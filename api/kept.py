"""Answers that are kept for a moment: what many watch is asked for again and again while nothing changes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import Authenticator, Role
from api.presenter import Presenter
from api.problems import Problem
from vtid.ledger import Ledger, LedgerUnavailable

KEPT_FOR = timedelta(seconds=0.1)  # the clocks in an answer go in steps of this
MOST = 1_000  # answers; then all are forgotten

_AsOf = tuple[int, bool]  # the ledger's changes, and whether Temporal was away


@dataclass
class _Answer:
    at: datetime
    as_of: _AsOf
    messages: list[Message] = field(default_factory=list)
    route: Any = None  # under which it is counted


class Kept:
    """Answers a viewer's GET of a run with the same bytes while the ledger stays as it is, and for a moment at most.

    Where the ledger does not count its changes, or when anything is asked besides the path, nothing is kept; and
    whoever may not see it is answered by the routes themselves.
    """

    def __init__(
        self, app: ASGIApp, *, ledger: Ledger, auth: Authenticator, presenter: Presenter, prefix: str
    ) -> None:
        self._app = app
        self._ledger = ledger
        self._auth = auth
        self._presenter = presenter
        self._prefix = f"{prefix}/runs/"
        self._answers: dict[str, _Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        as_of = self._as_of(scope)
        if as_of is None:
            await self._app(scope, receive, send)
            return
        path, now = scope["path"], self._presenter.now()
        kept = self._answers.get(path)
        if kept is None or kept.as_of != as_of or not kept.at <= now < kept.at + KEPT_FOR:
            await self._make(_Answer(now, as_of), scope, receive, send)
        elif not await self._may_see(scope):
            await self._app(scope, receive, send)
        else:
            scope["route"] = kept.route
            for message in kept.messages:
                await send(_copy(message))

    def _as_of(self, scope: Scope) -> _AsOf | None:
        """What an answer to this would be true for; None when it is not one that is kept."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
            return None
        if not scope["path"].startswith(self._prefix) or scope["path"].count("/") != self._prefix.count("/"):
            return None
        try:
            changes = self._ledger.changes()
        except LedgerUnavailable:
            return None  # the route says so in its own words
        return None if changes is None else (changes, self._presenter.engine_unreachable)

    async def _may_see(self, scope: Scope) -> bool:
        try:
            return (await self._auth.principal_of(HTTPConnection(scope))).may(Role.VIEWER)
        except (Problem, LedgerUnavailable):
            return False

    async def _make(self, answer: _Answer, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the routes answer, and keep it if it is one."""

        async def send_kept(message: Message) -> None:
            answer.messages.append(_copy(message))
            await send(message)

        await self._app(scope, receive, send_kept)
        if answer.messages and answer.messages[0].get("status") == 200:
            if len(self._answers) >= MOST:
                self._answers.clear()
            answer.route = scope.get("route")
            self._answers[scope["path"]] = answer


def _copy(message: Message) -> Message:
    """With headers of its own: every answer gets the id of its request."""
    return {**message, "headers": list(message["headers"])} if "headers" in message else message
