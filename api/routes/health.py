"""Is it alive, can it serve, what is it, and its numbers."""

from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse, Response

from api.build import BUILD
from api.plain import plain
from api.services import Given

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "Something that serving needs is missing."}})
async def ready(given: Given) -> JSONResponse:
    """Database, Temporal, and a worker that polled in the last minute; each with age and a sentence."""
    findings = await given.readiness.look()
    well = all(finding.ok for finding in findings.values())
    body = {"status": "ready" if well else "not ready", "checks": plain(findings)}
    return JSONResponse(body, 200 if well else 503)


@router.get("/version")
async def version() -> JSONResponse:
    """What was built from which commit."""
    return JSONResponse(plain(BUILD))


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(given: Given) -> Response:
    """Numbers for Prometheus; no VTIDs, no names."""
    return Response(given.metrics.text(), media_type="text/plain; version=0.0.4")
