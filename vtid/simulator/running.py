"""The deployed services themselves: what their users meet, in the proportions of the traffic."""

from collections.abc import Awaitable, Callable
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from vtid.simulator import cloud, metadata
from vtid.simulator.facts import Revision, Service
from vtid.simulator.world import World

ROOT = "/run/{project}/{region}/{service}"
HEALTH = ("healthz", "health", "readyz", "alive")
REFUSED = {
    401: "Error: Unauthorized. Your client does not have permission to the requested URL.",
    403: "Error: Forbidden. Your client does not have permission to get URL from this server.",
}
VERSION = ("version", "api/version", "__version")


def routes(world: World) -> list[Route]:
    here = endpoint(world)
    return [Route(ROOT, here), Route(ROOT + "/{page:path}", here)]


def endpoint(world: World) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        place = tuple(request.path_params[it] for it in ("project", "region", "service"))
        service = world.services.get((place[0], place[1], place[2]))
        revision = cloud.next_to_answer(service) if service else None
        if service is None or revision is None:
            # What Google's front end says where no revision answers.
            return HTMLResponse(
                "<html><title>404 Page not found</title><h1>Error: Page not found</h1></html>", 404
            )
        status = 200
        if service.private:
            address = f"{str(request.base_url).rstrip('/')}/run/{'/'.join(place)}"
            status = metadata.lets_in(world, address, request.headers.get("authorization"))
        if status != 200:
            return HTMLResponse(f"<html><title>{status}</title><h1>{REFUSED[status]}</h1></html>", status)
        return page(service, revision, request.path_params.get("page", ""))

    return serve


def page(service: Service, revision: Revision, path: str) -> Response:
    if path in VERSION:
        return version(service, revision)
    if path in HEALTH:
        return JSONResponse({"status": "ok"})
    if path == "":
        return HTMLResponse(
            f"<h1>{escape(service.name)}</h1><p>Revision {revision.name} at your service.</p>"
        )
    return PlainTextResponse("not found", 404)


def version(service: Service, revision: Revision) -> Response:
    told: Any = service.version_body
    if told is None:
        told = {"commit": revision.live_commit, "revision": revision.name, "service": service.name}
    if not isinstance(told, str):
        return JSONResponse(told)
    return HTMLResponse(told) if told.lstrip().startswith("<") else PlainTextResponse(told)
