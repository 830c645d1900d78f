"""Is it alive, can it serve, what is it, and its numbers."""

import asyncio

from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse, Response

from api.plain import plain
from api.readiness import ANSWER_SECONDS
from api.services import Given
from vtid.configuration.build import BUILD
from vtid.ledger import LedgerUnavailable
from vtid.ledger.records import OutboxBacklog

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
    """Numbers for Prometheus; no VTIDs, no names. What can only be asked is asked now, so that no silent loop hides it."""
    findings, backlog = await asyncio.gather(given.readiness.look(), _backlog(given))
    given.metrics.ready_is(findings)
    given.metrics.outbox_is(backlog)
    return Response(given.metrics.text(), media_type="text/plain; version=0.0.4")


async def _backlog(given: Given) -> OutboxBacklog | None:
    """None when the ledger cannot be asked: that is neither much nor little."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await given.ledger.outbox.backlog()
    except (LedgerUnavailable, TimeoutError):
        return None
