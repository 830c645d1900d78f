"""The page, and the API described for people."""

import base64
import hashlib
import re

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from api.routes.session import keep
from api.services import Given
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


def inline_script_hashes() -> tuple[str, ...]:
    """The page's only inline script is its import map; the policy admits exactly that text."""
    texts = _INLINE.findall((UI / "index.html").read_text(encoding="utf-8"))
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return tuple(f"sha256-{digest}" for digest in digests)


async def page(request: Request, given: Given) -> HTMLResponse:
    """The page. On this machine, in dev, it signs in by itself."""
    response = HTMLResponse(first_page())
    if session := given.auth.guest_session(request):
        keep(response, given.auth.cookie, session, secure=request.url.scheme == "https")
    return response


for view in VIEWS:
    router.add_api_route(view, page, methods=["GET"])


@router.get("/docs")
async def docs() -> HTMLResponse:
    """The API, described for people from its own OpenAPI document."""
    return HTMLResponse((UI / "docs.html").read_text(encoding="utf-8"))
