"""What old clients say: bodies in any spelling, with fields that we do not know. Read here, believed nowhere."""

import json
import math
import re
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import Headers

from api.problems import Problem
from vtid.domain.vtid import InvalidVtid, canonical_vtid

MCP_ACTOR = "claude-code"  # MCP clients of old are told apart from workers by this actor alone
MOST_DETAILS = 16_000  # characters of JSON that are kept of what a worker tells
_DEEPEST = 30
_INNER = ("details", "metadata", "payload", "data", "result")
_YES = {"true", "yes", "1", "ok", "success"}


class Said:
    """An object whose names are compared without case, blanks and underscores: `workerId` is `worker_id`."""

    def __init__(self, fields: dict[str, Any], headers: Headers | None = None) -> None:
        self.fields = fields
        self._by_name = {_bare(name): value for name, value in reversed(list(fields.items()))}
        self._headers = headers or Headers()

    def value(self, *names: str) -> Any:
        """The first of these that was said; None when none was."""
        for name in names:
            if (found := self._by_name.get(_bare(name))) is not None:
                return found
        return None

    def text(self, *names: str, most: int = 500) -> str:
        """The same as text without surrounding blanks, cut to a length; empty when nothing was said."""
        found = self.value(*names)
        if isinstance(found, bool) or not isinstance(found, str | int | float):
            return ""
        return str(found).strip()[:most]

    def number(self, *names: str) -> int | None:
        """The same as a number; None when it is none, or beyond anything that we count."""
        digits = self.text(*names)
        return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else None

    def flag(self, *names: str) -> bool | None:
        found = self.value(*names)
        if isinstance(found, bool):
            return found
        return self.text(*names).lower() in _YES if found is not None else None

    def inner(self, *names: str) -> "Said":
        """An object within; empty when there is none."""
        found = self.value(*names)
        return Said(found, self._headers) if isinstance(found, dict) else Said({}, self._headers)

    @property
    def details(self) -> "Said":
        """What stands under `details`, `metadata`, `payload`, `data` or `result`, the first spelling first."""
        merged: dict[str, Any] = {}
        for name in _INNER:
            merged = self.inner(name).fields | merged
        return Said(merged, self._headers)

    def anywhere(self, *names: str, most: int = 500) -> str:
        """Said here or in the details."""
        return self.text(*names, most=most) or self.details.text(*names, most=most)

    # --- who speaks, and of what

    @property
    def vtid(self) -> str:
        """The task that is spoken of. Raises Problem VALIDATION when none is, or it is no VTID."""
        named = self.anywhere("vtid", "task_id", "active_vtid", most=100)
        try:
            return canonical_vtid(named)
        except InvalidVtid as error:
            wrong = {"field": "vtid", "message": str(error)}
            raise Problem("VALIDATION", f"vtid: {error}", errors=(wrong,)) from error

    @property
    def worker(self) -> str | None:
        """The worker that speaks; None when it does not say who it is."""
        named = (
            self.anywhere("worker_id", "agent_id", most=200) or self._headers.get("x-worker-id", "").strip()
        )
        if named:
            return clean(named[:200])
        return MCP_ACTOR if self.is_mcp else None

    @property
    def is_mcp(self) -> bool:
        actor = self.anywhere("actor") or self._headers.get("x-actor", "")
        return actor.strip().lower().replace("_", "-") == MCP_ACTOR

    def needed_worker(self) -> str:
        """The worker that speaks. Raises Problem VALIDATION when it does not say."""
        if (worker := self.worker) is None:
            wrong = {"field": "worker_id", "message": "missing"}
            raise Problem("VALIDATION", "worker_id: say which worker speaks", errors=(wrong,))
        return worker


def bounded(value: Any) -> Any:
    """The value as it is kept: whole, or its first characters when it is too long."""
    text = json.dumps(value)
    return value if len(text) <= MOST_DETAILS else {"cut": text[:MOST_DETAILS]}


def clean(text: str) -> str:
    """Text that every database can take: without NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


async def heard(request: Request) -> Said:
    """The body, whatever its content type says. Raises Problem VALIDATION when it is no JSON object."""
    body = await request.body()
    try:
        read = json.loads(body, parse_constant=lambda _: None) if body.strip() else {}
        cleaned = _cleaned(read)
    except (ValueError, RecursionError) as error:
        raise Problem("VALIDATION", "body: this is no JSON that we can read") from error
    if not isinstance(cleaned, dict):
        raise Problem("VALIDATION", "body: a JSON object is needed")
    return Said(cleaned, request.headers)


Heard = Annotated[Said, Depends(heard)]
# For OpenAPI: any object is taken.
ANY_OBJECT: dict[str, Any] = {
    "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}
}


def _bare(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _cleaned(value: Any, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise ValueError("too deep")
    match value:
        case str():
            return clean(value)
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {clean(name): _cleaned(each, depth + 1) for name, each in value.items()}
        case list():
            return [_cleaned(each, depth + 1) for each in value]
    return value
