"""The HTTP API as the tools call it: answers are JSON, refusals are advice."""

import json
from collections.abc import Callable
from typing import Any

import httpx
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from vtid.mcp.advice import advise, advise_on

CALL_SECONDS = 70.0  # a claim may wait for 30 s

AnyContext = Context[Any, Any]
# A client of the API that speaks with the key of whoever made this MCP call.
Connect = Callable[[AnyContext], httpx.AsyncClient]


class Calls:
    """Calls of the API under /api/v1. Raises ToolError, whose text says what to do next."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    async def get(self, context: AnyContext, path: str, **params: Any) -> Any:
        given = {name: value for name, value in params.items() if value is not None}
        return await self._call(context, "GET", path, params=given)

    async def post(self, context: AnyContext, path: str, **said: Any) -> Any:
        """The answer's JSON, or None when it has none. What is None is not sent."""
        given = {name: value for name, value in said.items() if value is not None}
        return await self._call(context, "POST", path, json=given)

    async def _call(self, context: AnyContext, method: str, path: str, **request: Any) -> Any:
        try:
            async with self._connect(context) as client:
                answer = await client.request(method, f"/api/v1{path}", **request)
        except httpx.TimeoutException as error:
            raise ToolError(advise("UNREACHABLE", "the API did not answer in time")) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise ToolError(advise("UNREACHABLE", f"the API is out of reach ({reason})")) from error
        body = _json(answer)
        if not answer.is_success or (answer.content and body is None):
            raise ToolError(advise_on(body, answer.status_code))
        return body


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json() if answer.content else None
    except json.JSONDecodeError:
        return None
