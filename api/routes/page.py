"""The page, and signing in to it."""

import base64
import hashlib
import re
from pathlib import Path

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import HTMLResponse, JSONResponse, Response

from api.auth import SESSION_HOURS
from api.services import Body, Given, ViewerOrWorker

UI = Path(__file__).parents[1] / "ui"
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


class SignIn(Body):
    key: str = Field(min_length=1, max_length=500)


def inline_script_hashes() -> tuple[str, ...]:
    """The page's only inline script is its import map; the policy admits exactly that text."""
    texts = _INLINE.findall((UI / "index.html").read_text(encoding="utf-8"))
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return tuple(f"sha256-{digest}" for digest in digests)


async def page(request: Request, given: Given) -> HTMLResponse:
    """The page. On this machine, in dev, it signs in by itself."""
    response = HTMLResponse((UI / "index.html").read_text(encoding="utf-8"))
    if session := given.auth.guest_session(request):
        _keep(response, given.auth.cookie, session, secure=request.url.scheme == "https")
    return response


for view in VIEWS:
    router.add_api_route(view, page, methods=["GET"])


@router.get("/docs")
async def docs() -> HTMLResponse:
    """The API, described for people from its own OpenAPI document."""
    return HTMLResponse((UI / "docs.html").read_text(encoding="utf-8"))


@router.post("/api/v1/session")
async def sign_in(body: SignIn, request: Request, given: Given) -> JSONResponse:
    """Exchange an API key for a session cookie."""
    principal, session = await given.auth.sign_in(body.key, request)
    response = JSONResponse({"name": principal.name, "role": principal.role.value})
    _keep(response, given.auth.cookie, session, secure=request.url.scheme == "https")
    return response


@router.get("/api/v1/session")
async def who_am_i(actor: ViewerOrWorker) -> dict[str, str]:
    """Who the caller is."""
    return {"name": actor.name, "role": actor.role.value}


@router.delete("/api/v1/session", status_code=204)
async def sign_out(given: Given) -> Response:
    """Forget the session cookie."""
    response = Response(status_code=204)
    response.delete_cookie(given.auth.cookie)
    return response


def _keep(response: Response, cookie: str, session: str, *, secure: bool) -> None:
    response.set_cookie(
        cookie, session, max_age=SESSION_HOURS * 3600, httponly=True, samesite="strict", secure=secure
    )
