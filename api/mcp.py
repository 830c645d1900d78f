"""`/mcp/`: the worker's tools over streamable HTTP. Each call stands alone; answers are JSON.

A tool calls the routes of this same app in process, with the caller's key and address. So roles, refusals,
audit and metrics are those of the HTTP API, and there is no second way in.
"""

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import Authenticator, Role
from api.problems import Problem, request_id
from api.services import check_role
from vtid.configuration.build import BUILD

if TYPE_CHECKING:  # the SDK takes a second to import, so it is loaded at the first call
    from mcp.server import MCPServer
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from vtid.mcp.calls import AnyContext


class McpDoor:
    """The ASGI application at `/mcp/`. Raises Problem UNAUTHENTICATED or FORBIDDEN before anything is read."""

    def __init__(self, app: ASGIApp, auth: Authenticator) -> None:
        self._app = app
        self._auth = auth
        self._server: MCPServer | None = None
        self._loading = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        self._auth.check_same_site(request)
        if "authorization" not in request.headers:
            headers = {"WWW-Authenticate": "Bearer"}
            raise Problem(
                "UNAUTHENTICATED", "send your API key as 'Authorization: Bearer …'", headers=headers
            )
        check_role(await self._auth.principal_of(request), Role.WORKER)
        manager = await self._manager()
        # Without sessions nothing outlives a request, so each has its own manager and ends with it.
        async with manager.run():
            await manager.handle_request(scope, receive, send)

    async def _manager(self) -> "StreamableHTTPSessionManager":
        async with self._loading:
            if self._server is None:
                self._server = await asyncio.to_thread(self._load)
        from mcp.server.transport_security import TransportSecuritySettings

        ours = TransportSecuritySettings(enable_dns_rebinding_protection=False)  # check_same_site has looked
        self._server.streamable_http_app(stateless_http=True, json_response=True, transport_security=ours)
        return self._server.session_manager  # a new one: each app has its own

    def _load(self) -> "MCPServer":
        from vtid.mcp.server import build

        return build(self._client_of, BUILD.version)

    def _client_of(self, context: "AnyContext") -> httpx.AsyncClient:
        """Calls of this app as if the caller of the tool had made them."""
        caller = context.request_context.request
        if not isinstance(caller, Request):
            raise TypeError("over HTTP a tool is called by a request")
        transport = httpx.ASGITransport(
            _Hearing(self._app, caller.receive),
            raise_app_exceptions=False,
            client=(caller.client.host, caller.client.port) if caller.client else ("", 0),
        )
        headers = {
            "Authorization": caller.headers["authorization"],
            "X-Request-Id": request_id(caller.scope) or "",
        }
        return httpx.AsyncClient(transport=transport, base_url=str(caller.base_url), headers=headers)


class _Hearing:
    """The app, told when the caller behind a call hangs up: then no order is taken for nobody."""

    def __init__(self, app: ASGIApp, caller: Receive) -> None:
        self._app = app
        self._caller = caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = False

        async def receive_or_hang_up() -> Message:
            nonlocal read
            if read:
                return await self._caller()
            message = await receive()
            read = not message.get("more_body")
            return message

        await self._app(scope, receive_or_hang_up, send)


def routes(app: ASGIApp, auth: Authenticator) -> list[Any]:
    """The address with and without its slash: a redirect would cost some clients their key.

    Only POST: there is no session to listen to or to end, and clients understand a 405.
    """
    door = McpDoor(app, auth)
    return [Route(path, door, methods=["POST"], include_in_schema=False) for path in ("/mcp", "/mcp/")]
