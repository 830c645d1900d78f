"""The emergency stop, and the list of runs that need a person."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import JSONResponse

from api import shapes
from api.asked import check_code
from api.plain import plain
from api.services import PREFIX, Approver, Body, Given, Limit, Services, Text, Viewer

router = APIRouter(prefix=PREFIX, tags=["system"])


class Disarm(Body):
    reason: Annotated[Text, Field(min_length=1, max_length=2_000)]


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


@router.get("/dead-letters")
async def dead_letters(
    given: Given,
    _: Viewer,
    state: Literal["open", "resolved", "all"] = "open",
    code: str | None = None,
    limit: Limit = 50,
    cursor: Text | None = None,
) -> JSONResponse:
    """Blocked runs: stage, code, cause chain, age, side effects, offered moves."""
    check_code(code)
    wanted = None if state == "all" else state
    page = await given.ledger.dead_letters.list(state=wanted, code=code, limit=limit, cursor=cursor)
    items = [given.presenter.dead_letter(each) for each in page.items]
    return JSONResponse({"items": items, "next_cursor": page.next_cursor})


@router.get("/dead-letters/{id_or_vtid}")
async def dead_letter(id_or_vtid: Text, given: Given, _: Viewer) -> JSONResponse:
    """One entry, by its id or by the VTID of its run."""
    return JSONResponse(given.presenter.dead_letter(await given.ledger.dead_letters.get(id_or_vtid)))


async def _switched(given: Services) -> JSONResponse:
    given.claims.wake()
    given.reconciler.hurry()
    return await _switch(given)


async def _switch(given: Services) -> JSONResponse:
    return JSONResponse(plain(await given.ledger.switch.read()))
