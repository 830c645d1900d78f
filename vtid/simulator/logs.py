"""Where logs lie: elsewhere than GitHub, behind addresses that carry their own permission."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from vtid.simulator.world import World


def routes(world: World) -> list[Route]:
    async def serve(request: Request) -> Response:
        # The store takes one permission, the signature; credentials beside it are an error there.
        if "authorization" in request.headers or "sig" not in request.query_params:
            return PlainTextResponse("one way to authenticate, and it is the signature", 400)
        repository = world.repository("{owner}/{repo}".format(**request.path_params))
        checks = repository.checks if repository else []
        check = next((it for it in checks if str(it.id) == request.path_params["id"]), None)
        return PlainTextResponse(check.log) if check else PlainTextResponse("no such log", 404)

    return [Route("/_logs/{owner}/{repo}/{id}.txt", serve)]
