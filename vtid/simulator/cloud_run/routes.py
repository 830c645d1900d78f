"""Reading services and revisions, and moving traffic: a change is a long-running operation."""

import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vtid.simulator import cloud
from vtid.simulator.behaviour import Behaviour
from vtid.simulator.cloud_run.render import LATEST, revision_json, service_json, with_enum_numbers
from vtid.simulator.facts import Revision, Service, Share
from vtid.simulator.world import World

TYPE_URL = "type.googleapis.com/google.cloud.run.v2."
PER_PAGE = 100


class GoogleError(Exception):
    def __init__(self, code: int, status: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.body = {"error": {"code": code, "message": message, "status": status}}


def invalid(message: str) -> GoogleError:
    return GoogleError(400, "INVALID_ARGUMENT", message)


@dataclass
class Call:
    world: World
    request: Request
    body: dict[str, Any]

    @property
    def origin(self) -> str:
        return str(self.request.base_url).split("/v2")[0].rstrip("/")

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    @property
    def service(self) -> Service:
        project, region, name = (self.path(it) for it in ("project", "region", "service"))
        found = self.world.services.get((project, region, name))
        if found is None:
            raise GoogleError(
                404,
                "NOT_FOUND",
                f"Resource '{name}' of kind 'SERVICE' in region '{region}' in project '{project}' does not exist.",
            )
        return found

    @property
    def revision(self) -> Revision:
        name = self.path("revision")
        found = self.service.revisions.get(name)
        if found is None:
            raise GoogleError(404, "NOT_FOUND", f"Revision '{name}' not found.")
        return found


Handler = Callable[[Call], Any]


def get_service(call: Call) -> Any:
    return service_json(call.origin, call.service)


def list_services(call: Call) -> Any:
    here = (call.path("project"), call.path("region"))
    found = [
        it for it in call.world.services.values() if here in ((it.project, it.region), (it.project, "-"))
    ]
    return page(call, "services", [service_json(call.origin, it) for it in found])


def get_revision(call: Call) -> Any:
    return revision_json(call.service, call.revision)


def list_revisions(call: Call) -> Any:
    newest_first = reversed(call.service.revisions.values())
    return page(call, "revisions", [revision_json(call.service, it) for it in newest_first])


def page(call: Call, key: str, items: list[Any]) -> Any:
    query = call.request.query_params
    size, start = (int(query.get(name) or 0) for name in ("pageSize", "pageToken"))
    end = start + (size or PER_PAGE)
    more = {"nextPageToken": str(end)} if end < len(items) else {}
    return {key: items[start:end], **more}


def patch_service(call: Call) -> Any:
    """Only traffic can be changed this way; new revisions come from deploys."""
    service = call.service
    mask = {it for it in call.request.query_params.get("updateMask", "").split(",") if it}
    if mask - {"traffic"}:
        raise invalid(f"The simulator changes only traffic, not {', '.join(sorted(mask))}.")
    if call.body.get("etag") not in (None, "", service_json(call.origin, service)["etag"]):
        raise GoogleError(
            409,
            "ABORTED",
            f"Conflict for resource '{service.name}': version was specified but is not current.",
        )
    shares = [read_target(service, it) for it in call.body.get("traffic", [])]
    if sum(it.percent for it in shares) != 100:
        raise invalid("Violation in UpdateServiceRequest.service.traffic: percents must sum to 100.")
    if call.request.query_params.get("validateOnly") == "true":
        return operation(call, service, str(uuid.uuid4()), service.generation)
    repository = owning_repository(call.world, service)
    wish: Behaviour = call.world.behaviours.of(repository)
    generation = cloud.begin_change(call.world, service, shares, wish.reconcile_s)
    name = str(uuid.uuid4())
    call.world.operations[name] = (service, generation)
    entry = call.request.scope["sim.entry"]
    entry.effect, entry.repository = "traffic", repository
    return operation(call, service, name, generation)


def owning_repository(world: World, service: Service) -> str | None:
    """Behaviour is told for repositories; a service follows the one that has its name."""
    return next((it.full_name for it in world.repositories.values() if it.name == service.name), None)


def read_target(service: Service, target: dict[str, Any]) -> Share:
    percent = int(target.get("percent", 0))
    if target.get("type") in (LATEST, 1):
        return Share(service.latest_ready, percent, latest=True)
    name = str(target.get("revision", "")).rpartition("/")[2]
    if name not in service.revisions:
        raise invalid(f"Violation in UpdateServiceRequest.service.traffic: revision '{name}' does not exist.")
    return Share(name, percent)


def get_operation(call: Call) -> Any:
    name = call.path("operation")
    if name not in call.world.operations:
        raise GoogleError(404, "NOT_FOUND", f"Operation '{name}' not found.")
    service, generation = call.world.operations[name]
    return operation(call, service, name, generation)


def operation(call: Call, service: Service, name: str, generation: int) -> Any:
    shown = {"@type": TYPE_URL + "Service", **service_json(call.origin, service)}
    full = f"projects/{service.project}/locations/{service.region}/operations/{name}"
    made: dict[str, Any] = {"name": full, "metadata": shown, "done": service.observed >= generation}
    if not made["done"]:
        return made
    # Code 9 is FAILED_PRECONDITION.
    failed = {"error": {"code": 9, "message": service.failure}}
    return made | (failed if service.failure else {"response": shown})


async def body_of(request: Request) -> dict[str, Any]:
    raw = await request.body()
    try:
        body = json.loads(raw) if raw.strip() else {}
    except ValueError:
        raise invalid("Invalid JSON payload received.") from None
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received.")
    return body


def endpoint(world: World, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            content, code = handler(Call(world, request, await body_of(request))), 200
        except GoogleError as refused:
            content, code = refused.body, refused.code
        if "enum-encoding=int" in request.query_params.get("$alt", "") and code == 200:
            content = with_enum_numbers(content)
        return Response(json.dumps(content), code, media_type="application/json; charset=UTF-8")

    return serve


PLACE = "/projects/{project}/locations/{region}"
SERVICE = PLACE + "/services/{service}"
ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", PLACE + "/services", list_services),
    ("GET", SERVICE, get_service),
    ("PATCH", SERVICE, patch_service),
    ("GET", SERVICE + "/revisions", list_revisions),
    ("GET", SERVICE + "/revisions/{revision}", get_revision),
    ("GET", PLACE + "/operations/{operation}", get_operation),
)


def application(world: World) -> Starlette:
    routes = [Route(path, endpoint(world, handler), methods=[method]) for method, path, handler in ROUTES]

    async def unknown(request: Request, _: Exception) -> Response:
        body = GoogleError(404, "NOT_FOUND", "The requested URL was not found on this server.").body
        return Response(json.dumps(body), 404, media_type="application/json; charset=UTF-8")

    return Starlette(routes=routes, exception_handlers={404: unknown, 405: unknown})
