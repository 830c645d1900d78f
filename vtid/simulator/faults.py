"""Misbehaviour on demand, below the routes: answers that are wrong, late, cut or never come.

request --> matching fault? --no--> the world answers
                | yes
                +-- delay_s, then one of:
                    hang         never answers
                    reset        the connection breaks before anything happened
                    lose_answer  it happened, and the connection breaks
                    truncate     it happened, and half of the body arrives
                    apply        it happened, and `status` is answered nevertheless
                    status/body  answered without asking the world
                    headers      added to the world's own answer
"""

import asyncio
import itertools
import json
import re
import socket
import struct
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, field_validator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vtid.simulator.behaviour import Seconds, Strict

# On close, drop what is unsent and answer with RST: what a crashed proxy looks like.
LINGER_ZERO = struct.pack("ii", 1, 0)


class Match(Strict):
    method: str | None = None
    path_regex: str = ""

    @field_validator("path_regex")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as cause:
            raise ValueError(f"not a regular expression: {cause}") from cause
        return value

    def hits(self, method: str, path: str) -> bool:
        return self.method in (None, method) and re.search(self.path_regex, path) is not None


class Action(Strict):
    status: Annotated[int, Field(ge=100, le=599)] | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = None
    delay_s: Seconds = 0
    reset: bool = False
    hang: bool = False
    lose_answer: bool = False
    truncate: bool = False
    apply: bool = False

    @property
    def name(self) -> str:
        named = [word for word in ("hang", "reset", "lose_answer", "truncate") if getattr(self, word)]
        return named[0] if named else str(self.status or "changed")


class FaultWish(Strict):
    match: Match
    times: Annotated[int, Field(ge=1)] | None = None
    after: Annotated[int, Field(ge=0)] = 0
    """So many matching calls pass before the first one that is broken."""
    action: Action

    @field_validator("match")
    @classmethod
    def _method_in_capitals(cls, value: Match) -> Match:
        return value.model_copy(update={"method": value.method and value.method.upper()})


@dataclass
class Fault:
    id: int
    wish: FaultWish
    left: int | None
    passing: int


class Faults:
    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.active: list[Fault] = []

    def add(self, wish: FaultWish) -> Fault:
        fault = Fault(next(self._numbers), wish, wish.times, wish.after)
        self.active.append(fault)
        return fault

    def take(self, method: str, path: str) -> Action | None:
        """The first fault that matches, used up by one."""
        for fault in self.active:
            if fault.left != 0 and fault.wish.match.hits(method, path):
                if fault.passing:
                    fault.passing -= 1
                    continue
                if fault.left is not None:
                    fault.left -= 1
                return fault.wish.action
        return None

    def clear(self) -> int:
        gone = len(self.active)
        self.active.clear()
        return gone


class Wires:
    """The open connections by the client's address, because ASGI gives no way to break one."""

    def __init__(self) -> None:
        self.open: dict[tuple[str, int], asyncio.Transport] = {}

    async def cut(self, scope: Scope, receive: Receive) -> None:
        transport = self._of(scope)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        transport.abort()
        await until_gone(receive)

    async def close(self, scope: Scope, receive: Receive) -> None:
        """After what was sent has left: the client sees half an answer, not a reset."""
        self._of(scope).close()
        await until_gone(receive)

    def _of(self, scope: Scope) -> asyncio.Transport:
        host, port = scope["client"]
        return self.open[host, port]

    def cut_all(self) -> None:
        for transport in list(self.open.values()):
            transport.abort()


async def until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def with_fault(
    action: Action, app: ASGIApp, wires: Wires, scope: Scope, receive: Receive, send: Send
) -> None:
    if action.delay_s:
        # It has arrived: what becomes of it does not depend on whether its sender still waits.
        receive = await arrived(receive)
        await asyncio.sleep(action.delay_s)
    if action.hang:
        return await until_gone(receive)
    if action.reset:
        return await wires.cut(scope, receive)
    own_answer = action.status is not None or action.body is not None
    if own_answer and not (action.apply or action.lose_answer):
        return await answer(action, send)
    kept: list[Message] = []

    async def keep(message: Message) -> None:
        kept.append(message)

    await app(scope, receive, keep)
    if action.lose_answer:
        return await wires.cut(scope, receive)
    if own_answer:
        return await answer(action, send)
    kept[0]["headers"] = [*kept[0]["headers"], *_raw(action.headers)]
    if action.truncate:
        await half(kept, send)
        return await wires.close(scope, receive)
    for message in kept:
        await send(message)
    return None


async def arrived(receive: Receive) -> Receive:
    """Take in the whole request; the answer gives it once more, then goes on listening."""
    taken: list[Message] = [await receive()]
    while taken[-1]["type"] == "http.request" and taken[-1].get("more_body"):
        taken.append(await receive())
    messages = iter(taken)

    async def again() -> Message:
        return next(messages, None) or await receive()

    return again


async def answer(action: Action, send: Send) -> None:
    body, kind = _body(action.body)
    headers = {"content-type": kind, "content-length": str(len(body)), **_lower(action.headers)}
    await send({"type": "http.response.start", "status": action.status or 200, "headers": _raw(headers)})
    await send({"type": "http.response.body", "body": body})


async def half(kept: list[Message], send: Send) -> None:
    """Content-Length promises all of it."""
    body = b"".join(message.get("body", b"") for message in kept[1:])
    await send(kept[0])
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


def _body(body: Any) -> tuple[bytes, str]:
    if body is None:
        return b"", "text/plain; charset=utf-8"
    if isinstance(body, str):
        return body.encode(), "text/html; charset=utf-8" if body.lstrip().startswith(
            "<"
        ) else "text/plain; charset=utf-8"
    return json.dumps(body).encode(), "application/json; charset=utf-8"


def _lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode().lower(), value.encode("latin-1")) for name, value in headers.items()]
