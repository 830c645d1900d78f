"""The board, what waits for a person, and how runs went."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.responses import JSONResponse

from api import board_shapes, cards, needs, statistics
from api.asked import Asked
from api.services import PREFIX, Given, Limit, Text, Viewer
from vtid.domain.moment import moment

router = APIRouter(prefix=PREFIX, tags=["board"])


@router.get("/board", response_model=board_shapes.Board)
async def board(given: Given, _: Viewer, asked: Asked, limit: Limit = 50) -> JSONResponse:
    """The four columns with their first cards, and how many tasks match in each."""
    record = await given.ledger.board.read(asked.filter, sort=asked.sort, limit=limit)
    return JSONResponse(cards.board(record, given.presenter) | {"as_of": moment(datetime.now(UTC))})


@router.get("/needs-you", response_model=board_shapes.NeedsYou)
async def needs_you(
    given: Given, actor: Viewer, limit: Annotated[int, Query(ge=1, le=50)] = 20
) -> JSONResponse:
    """What waits for a person: approvals, blocked runs, merges, suspect workers, orders that nobody takes."""
    return JSONResponse(await needs.read(given, actor, limit))


@router.get("/statistics", response_model=board_shapes.Statistics)
async def show_statistics(
    given: Given,
    _: Viewer,
    environment: Text | None = None,
    since: Annotated[AwareDatetime | None, Query(description="at most 366 days ago; 30 by default")] = None,
) -> JSONResponse:
    """How long stages take, how runs ended, how soon faults are named, how many runs a day."""
    return JSONResponse(await statistics.read(given, environment, since))
