"""The page, and the API described for people."""

import base64
import hashlib
import re

from fastapi import APIRouter, Request
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse
from starlette.routing import Match, Route
from starlette.types import Scope

from api.routes.session import keep
from api.services import Given, Services
from api.ui_modules import UI, first_page

_INLINE = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)

router = APIRouter(include_in_schema=False)

# What the page shows itself: these addresses are served as the page, so that each can be reloaded and sent
# to somebody. api/ui/route.js knows the same ones.
VIEWS = (
    "/",
    "/tasks/{id}",
    "/runs/{id}",
    "/dead-letters",
    "/dead-letters/{id}",
    "/statistics",
    "/workers",
    "/limits",
    "/failure-codes",
    "/rules",
    "/environments",
)

_OF_PROGRAMS = ("/api/", "/rest/", "/ui/", "/webhooks/", "/mcp")


def inline_script_hashes() -> tuple[str, ...]:
    """The page's only inline script is its import map; the policy admits exactly that text."""
    texts = _INLINE.findall((UI / "index.html").read_text(encoding="utf-8"))
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return tuple(f"sha256-{digest}" for digest in digests)


async def page(request: Request, given: Given) -> HTMLResponse:
    """The page. On this machine, in dev, it signs in by itself."""
    return _page(request, given, 200)


async def nowhere(request: Request) -> HTMLResponse:
    """The page at an address that it does not have: it says so, and leads back to the board."""
    return _page(request, request.app.state.services, 404)


class Nowhere(Route):
    """Every other address that a person opens. Programs ask for no HTML, and get a problem."""

    def __init__(self) -> None:
        super().__init__("/{anywhere:path}", nowhere, methods=["GET"], include_in_schema=False)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        asks_for_a_page = scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", "")
        if not asks_for_a_page or scope["path"].startswith(_OF_PROGRAMS):
            return Match.NONE, {}
        return super().matches(scope)


def _page(request: Request, given: Services, status: int) -> HTMLResponse:
    response = HTMLResponse(first_page(), status)
    if session := given.auth.guest_session(request):
        keep(response, given.auth.cookie, session, secure=request.url.scheme == "https")
    return response


for view in VIEWS:
    router.add_api_route(view, page, methods=["GET"])


@router.get("/docs")
async def docs() -> HTMLResponse:
    """The API, described for people from its own OpenAPI document."""
    return HTMLResponse((UI / "docs.html").read_text(encoding="utf-8"))
