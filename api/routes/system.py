"""The emergency stop."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import JSONResponse

from api import shapes
from api.plain import plain
from api.services import PREFIX, Approver, Body, Given, Services, Viewer, Words

router = APIRouter(prefix=PREFIX, tags=["system"])


class Disarm(Body):
    reason: Annotated[Words, Field(min_length=1, max_length=2_000)]


@router.get("/system", response_model=shapes.System)
async def system(given: Given, _: Viewer) -> JSONResponse:
    """Whether anything new is dispatched; if not, why, by whom and since when."""
    return await _switch(given)


@router.post("/system/disarm", response_model=shapes.System)
async def disarm(body: Disarm, request: Request, given: Given, actor: Approver) -> JSONResponse:
    """Dispatch nothing new. Running leases go on; starts and approvals wait and are not lost."""
    await given.ledger.switch.disarm(reason=body.reason, by=actor.name)
    await given.audit(request, actor, "system.disarm", "system", reason=body.reason)
    return await _switched(given)


@router.post("/system/arm", response_model=shapes.System)
async def arm(request: Request, given: Given, actor: Approver) -> JSONResponse:
    """Lift the emergency stop: all waiting runs go on."""
    await given.ledger.switch.arm(by=actor.name)
    await given.audit(request, actor, "system.arm", "system")
    return await _switched(given)


async def _switched(given: Services) -> JSONResponse:
    given.claims.wake()
    given.reconciler.hurry()
    return await _switch(given)


async def _switch(given: Services) -> JSONResponse:
    return JSONResponse(plain(await given.ledger.switch.read()))
