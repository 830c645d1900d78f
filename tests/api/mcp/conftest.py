"""The official SDK's own client, connected to the tools both ways."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent

from tests.api.stage import Play

ROOT = Path(__file__).parents[3]
WAYS = ("http", "stdio")


@dataclass
class Model:
    """What a model sees: answers as data, refusals as text."""

    client: Client

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured answer of a tool that did what was asked."""
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result.content
        answer: dict[str, Any] = result.structured_content
        return answer

    async def refusal(self, tool: str, **arguments: Any) -> str:
        """The text of a tool that refused."""
        result = await self.client.call_tool(tool, arguments)
        assert result.is_error, result.structured_content
        (content,) = result.content
        assert isinstance(content, TextContent)
        return content.text


Connecting = Callable[[str, str | None], AbstractAsyncContextManager[Model]]
Meeting = Callable[[], AbstractAsyncContextManager[Model]]


@asynccontextmanager
async def over_http(
    url: str, token: str | None, *, path: str = "/mcp/", mode: str = "auto"
) -> AsyncIterator[Model]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx2.AsyncClient(headers=headers, timeout=40) as http:
        transport = streamable_http_client(f"{url}{path}", http_client=http)
        async with Client(transport, mode=mode) as client:
            yield Model(client)


@asynccontextmanager
async def over_stdio(url: str, token: str | None) -> AsyncIterator[Model]:
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "vtid.cli.main", "mcp"],
        env={"VTID_API_URL": url, **({"VTID_API_TOKEN": token} if token else {})},
        cwd=ROOT,
    )
    async with Client(stdio_client(command)) as client:
        yield Model(client)


@pytest.fixture(params=WAYS)
def connecting(request: pytest.FixtureRequest) -> Connecting:
    """Connects to the tools, in each of the two ways."""
    return over_http if request.param == "http" else over_stdio


@pytest.fixture
def meeting(connecting: Connecting, url: str, play: Play) -> Meeting:
    """Meets a model with a worker's key. Entered in the test's own task, as the client wants it."""
    return lambda: connecting(url, play.keys["worker"])


@pytest.fixture
def meeting_over_http(url: str, play: Play) -> Meeting:
    """The same by HTTP alone, for what does not depend on the way."""
    return lambda: over_http(url, play.keys["worker"])
