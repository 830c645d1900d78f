"""The event log: page by page, or live."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import JSONResponse

from api import shapes
from api.pauses import with_pauses
from api.presenter import utc_now
from api.problems import Problem, problem_of
from api.services import MOST, PREFIX, Given, Viewer, Vtid, is_count
from vtid.domain.moment import moment
from vtid.ledger import LedgerUnavailable

router = APIRouter(prefix=PREFIX, tags=["events"])

_RETRY_MS = 1_000
Position = Annotated[int, Query(ge=0, le=MOST, description="the last position that you have")]


@router.get("/events", response_model=shapes.Paged[shapes.Event])
async def list_events(
    given: Given,
    _: Viewer,
    vtid: Vtid | None = None,
    after: Position = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> JSONResponse:
    """Events in log order after a position. `next_cursor` is the next `after`, null at the end."""
    events = await given.ledger.events.read(vtid=vtid, after=after, limit=limit)
    items = [given.presenter.event(event) for event in events]
    more = str(events[-1].position) if len(events) == limit else None
    return JSONResponse({"items": items, "next_cursor": more})


def _cursor(
    after: Position | None = None,
    last_event_id: Annotated[str | None, Header(description="a browser sends it when it reconnects")] = None,
) -> int | None:
    """Where to go on. The header wins: a browser reconnects with the address that it began with."""
    if last_event_id is None or not last_event_id.strip():
        return after
    if not is_count(last_event_id.strip()):
        raise Problem("VALIDATION", "Last-Event-ID must be a position: a number")
    return int(last_event_id)


@router.get("/events/stream", response_class=EventSourceResponse)
async def stream_events(
    request: Request,
    given: Given,
    _: Viewer,
    after: Annotated[int | None, Depends(_cursor)],
    vtid: Vtid | None = None,
    alive: Annotated[float | None, Query(ge=1, le=60, description="seconds between events `alive`")] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Every event once, as it happens: SSE `event` with `{event, run}`, its id is the log position.

    Resumes after Last-Event-ID or `after`; with neither, from now on. A comment every 15 s keeps it alive;
    a browser cannot see comments, so with `alive` an SSE `alive` with the server's time comes as well.
    When the log cannot be read the stream says so in an `error` event with a problem, and ends.
    """
    with given.metrics.streaming():
        yield ServerSentEvent(comment="connected", retry=_RETRY_MS)
        try:
            async for message in with_pauses(given.feed.follow(after, vtid), alive):
                if message is None:
                    yield ServerSentEvent(data={"at": moment(utc_now())}, event="alive")
                else:
                    yield ServerSentEvent(raw_data=message.text, event="event", id=str(message.position))
        except LedgerUnavailable as error:
            # The answer has begun, so its status cannot tell any more.
            yield ServerSentEvent(data=problem_of(error).body(request.scope), event="error")
        yield ServerSentEvent(comment="the stream ends here; come back", retry=_RETRY_MS)
