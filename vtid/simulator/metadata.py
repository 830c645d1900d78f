"""The metadata server of the machine: it tells who we are, and gives ID tokens for an audience.

A private service lets in who brings a token that was given here for its own address.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from vtid.simulator.world import World

ROOT = "/computeMetadata/v1/instance/service-accounts/default"
FLAVOR = {"Metadata-Flavor": "Google"}
ACCOUNT = "orchestrator@simulated.iam.gserviceaccount.com"
LIFETIME_S = 3600

Page = Callable[[Request], Awaitable[Response]]


def routes(world: World) -> list[Route]:
    async def identity(request: Request) -> Response:
        audience = request.query_params.get("audience", "")
        if not audience:
            return PlainTextResponse("non-empty audience parameter required", 400, FLAVOR)
        return PlainTextResponse(issue(world, audience), headers=FLAVOR)

    async def account(request: Request) -> Response:
        return JSONResponse({"aliases": ["default"], "email": ACCOUNT, "scopes": []}, headers=FLAVOR)

    return [Route(f"{ROOT}/identity", _to_insiders(identity)), Route(f"{ROOT}/", _to_insiders(account))]


def _to_insiders(page: Page) -> Page:
    """Without its header a request may come from a page that somebody on this machine was lured to."""

    async def serve(request: Request) -> Response:
        if request.headers.get("metadata-flavor") != FLAVOR["Metadata-Flavor"]:
            return PlainTextResponse("Missing Metadata-Flavor:Google header.", 403, FLAVOR)
        return await page(request)

    return serve


def issue(world: World, audience: str) -> str:
    """An ID token for the audience, remembered until the world is reset."""
    now = int(world.now())
    claims: dict[str, Any] = {
        "aud": audience,
        "email": ACCOUNT,
        "iss": "https://accounts.google.com",
        "sub": "1",
    }
    claims |= {"iat": now, "exp": now + LIFETIME_S, "jti": str(world.next_id())}
    head = {"alg": "HS256", "typ": "JWT"}
    signed = ".".join(_part(json.dumps(each).encode()) for each in (head, claims))
    token = f"{signed}.{_part(hmac.digest(world.signing_key, signed.encode(), hashlib.sha256))}"
    world.id_tokens[token] = claims
    return token


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def lets_in(world: World, audience: str, authorization: str | None) -> int:
    """200 for a token that was given here for this audience and has not expired; 403 for nobody, 401 for anything else."""
    if authorization is None:
        return 403
    claims: dict[str, Any] = world.id_tokens.get(authorization.removeprefix("Bearer "), {})
    good = claims.get("aud") == audience and claims["exp"] > world.now()
    return 200 if good else 401
