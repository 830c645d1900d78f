"""`vtid mcp`: the worker's tools over stdio, as a client of the API."""

from importlib.metadata import version

import httpx

from vtid.cli.client import headers
from vtid.cli.session import Session
from vtid.mcp.calls import CALL_SECONDS
from vtid.mcp.server import build


def serve(session: Session) -> None:
    """Serve on standard input and output until the client closes them."""

    def connect(_: object) -> httpx.AsyncClient:
        # Asked anew for each call: a stack that was started again has another address and key.
        return httpx.AsyncClient(base_url=session.api, headers=headers(session), timeout=CALL_SECONDS)

    build(connect, version("vtid")).run("stdio")
