"""All routes of GitHub, its REST and its GraphQL face: credentials in, GitHub's words out."""

import json
from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vtid.simulator.apps import TOKEN_PREFIX, holder
from vtid.simulator.github import (
    routes_actions,
    routes_apps,
    routes_commits,
    routes_deployments,
    routes_git,
    routes_graphql,
    routes_issues,
    routes_pulls,
    routes_repositories,
)
from vtid.simulator.github.call import REVOKED_TOKEN, Call, GitHubError, Handler, RouteTable, not_found
from vtid.simulator.world import World

TABLES = (
    routes_pulls.ROUTES,
    routes_actions.ROUTES,
    routes_deployments.ROUTES,
    routes_issues.ROUTES,
    routes_apps.ROUTES,
    routes_git.ROUTES,
    # Last, because a ref in a path may contain slashes and would swallow the others.
    routes_repositories.ROUTES,
    routes_commits.ROUTES,
)
HOUR_S = 3600


def rest(world: World) -> Starlette:
    return application(world, TABLES)


def graphql(world: World) -> Starlette:
    return application(world, (routes_graphql.ROUTES,))


def application(world: World, tables: Sequence[RouteTable]) -> Starlette:
    routes = [
        Route(path, endpoint(world, handler), methods=[method])
        for table in tables
        for method, path, handler in table
    ]
    return Starlette(routes=routes, exception_handlers={404: unknown_path, 405: unknown_path})


def endpoint(world: World, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            check_credentials(world, request)
            response = handler(Call(world, request, await body_of(request)))
        except GitHubError as refused:
            response = JSONResponse(refused.body, refused.status)
        response.headers.update(common_headers(world))
        return response

    return serve


def check_credentials(world: World, request: Request) -> None:
    credentials = request.headers.get("authorization", "")
    if not credentials:
        raise GitHubError(401, "Requires authentication")
    if credentials.split()[-1] == REVOKED_TOKEN:
        raise GitHubError(401, "Bad credentials")
    if credentials.split()[-1].startswith(TOKEN_PREFIX) and not holder(
        world.apps, credentials.split()[-1], world.now()
    ):
        raise GitHubError(401, "Bad credentials")


async def body_of(request: Request) -> dict[str, object]:
    raw = await request.body()
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        raise GitHubError(400, "Problems parsing JSON") from None
    if not isinstance(body, dict):
        raise GitHubError(400, "Body should be a JSON object")
    return body


def common_headers(world: World) -> dict[str, str]:
    return {
        "x-github-media-type": "github.v3; format=json",
        "x-github-api-version-selected": "2026-03-10",
        "x-ratelimit-limit": "5000",
        "x-ratelimit-remaining": "4999",
        "x-ratelimit-used": "1",
        "x-ratelimit-reset": str(int(world.now()) + HOUR_S),
        "x-ratelimit-resource": "core",
    }


async def unknown_path(request: Request, _: Exception) -> Response:
    return JSONResponse(not_found().body, 404)
