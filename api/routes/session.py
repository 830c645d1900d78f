"""Signing in: an API key becomes a session cookie, which speaks for a person on our own page only."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from api import shapes
from api.auth import SESSION_HOURS, Session
from api.plain import plain
from api.problems import Problem
from api.services import KEY, PREFIX, Body, Given

router = APIRouter(prefix=PREFIX, tags=["session"])


class SignIn(Body):
    key: str = Field(min_length=1, max_length=500)


@router.post("/session", response_model=shapes.Session)
async def sign_in(body: SignIn, request: Request, given: Given) -> JSONResponse:
    """Exchange an API key for a session cookie: HttpOnly, SameSite=Strict, good for twelve hours at most."""
    session, cookie = await given.auth.sign_in(body.key, request)
    await given.audit(request, session.principal, "session.sign_in", session.principal.name)
    response = JSONResponse(_shown(session))
    keep(response, given.auth.cookie, cookie, secure=request.url.scheme == "https")
    return response


@router.get("/session", response_model=shapes.Session)
async def who_am_i(request: Request, given: Given, _: Annotated[object, Depends(KEY)]) -> JSONResponse:
    """Who the caller is, with which role, until when."""
    return JSONResponse(_shown(await given.auth.session_of(request)))


@router.delete("/session", status_code=204)
async def sign_out(request: Request, given: Given) -> Response:
    """Forget the session cookie. Nobody being signed in is no error."""
    given.auth.check_same_site(request)
    try:
        session = await given.auth.session_of(request)
        await given.audit(request, session.principal, "session.sign_out", session.principal.name)
    except Problem as problem:
        if problem.code != "UNAUTHENTICATED":
            raise
    response = Response(status_code=204)
    response.delete_cookie(given.auth.cookie, httponly=True, samesite="strict")
    return response


def keep(response: Response, cookie: str, session: str, *, secure: bool) -> None:
    """Set the session cookie. No script can read it, and no other site's page can send it."""
    response.set_cookie(
        cookie, session, max_age=SESSION_HOURS * 3600, httponly=True, samesite="strict", secure=secure
    )


def _shown(session: Session) -> dict[str, Any]:
    return {
        "name": session.principal.name,
        "role": session.principal.role.value,
        "expires_at": plain(session.expires_at),
        "kind": session.kind,
    }
