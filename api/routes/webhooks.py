"""Webhooks of the code host: the door that they come through, what became of them, and changes that are nobody's."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse

from api import shapes, work_shapes
from api.plain import plain
from api.problems import Problem
from api.services import PREFIX, Given, Limit, Text, Viewer
from api.webhooks.inbox import MAX_BYTES
from api.webhooks.signature import HEADER

door = APIRouter(tags=["webhooks"])
router = APIRouter(prefix=PREFIX, tags=["webhooks"])


@door.post("/webhooks/github", status_code=202)
async def github(request: Request, given: Given) -> JSONResponse:
    """GitHub tells that something happened. Answered once it is kept; looked into afterwards, and never believed."""
    headers = request.headers
    try:
        kept = await given.inbox.receive(
            await _bounded(request),
            signature=headers.get(HEADER),
            event=headers.get("X-GitHub-Event", ""),
            delivery=headers.get("X-GitHub-Delivery", ""),
        )
    except Problem as problem:
        given.metrics.webhook_refused(problem.code)
        raise
    return JSONResponse(plain(kept), 202)


async def _bounded(request: Request) -> bytes:
    """The raw bytes, which the signature is about. Raises Problem TOO_LARGE."""
    refusal = Problem("TOO_LARGE", f"a webhook may have at most {MAX_BYTES} bytes")
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > MAX_BYTES:
        raise refusal
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise refusal
    return bytes(body)


@router.get("/webhooks/deliveries", response_model=shapes.Paged[work_shapes.Delivery])
async def deliveries(
    given: Given,
    _: Viewer,
    state: Literal["received", "done", "ignored", "failed"] | None = None,
    limit: Limit = 50,
    cursor: Text | None = None,
) -> JSONResponse:
    """What GitHub told in the last 14 days, newest first, and what became of each."""
    page = await given.ledger.deliveries.list(state=state, limit=limit, cursor=cursor)
    shown = [plain(each) for each in page.items]
    items = [{name: value for name, value in each.items() if name != "heard"} for each in shown]
    return JSONResponse({"items": items, "next_cursor": page.next_cursor})


@router.get("/unattributed", response_model=work_shapes.UnattributedChanges)
async def unattributed(
    given: Given,
    _: Viewer,
    limit: Limit = 50,
    cursor: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="`next_cursor` of a page")] = None,
) -> JSONResponse:
    """Pushes to a base branch and merges that belong to no task of the ledger, newest first, and why."""
    found = await given.ledger.events.of_type("change.unattributed", before=cursor, limit=limit + 1)
    items = [{"at": plain(e.at), "position": e.position, **e.data} for e in found[:limit]]
    return JSONResponse(
        {"items": items, "next_cursor": items[-1]["position"] if len(found) > limit else None}
    )
