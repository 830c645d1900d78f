"""The live stream of events, followed through lost connections: nothing is missed, nothing told twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
from httpx_sse import SSEError, aconnect_sse

from vtid.cli.client import headers, refused
from vtid.cli.session import Session

# The server says something every 15 s; a stream that is silent for three times that is dead.
SILENCE_SECONDS = 45.0
RECONNECT_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True)
class Happened:
    """One event, and the run as it looked right after it (None for an event outside a run)."""

    position: str
    event: dict[str, Any]
    run: dict[str, Any] | None


@dataclass(frozen=True)
class Lost:
    """The connection is gone, for this reason; it is tried again by itself."""

    reason: str


@dataclass(frozen=True)
class Connected:
    """The stream is open (again)."""


async def follow(
    session: Session, vtid: str | None = None, *, after: str | None = None
) -> AsyncIterator[Happened | Lost | Connected]:
    """Every event after this position (None: from now on), for ever. Raises CommandFailed when refused.

    An outage is told once, however often the connection is tried again meanwhile.
    """
    last, tries = after, 0
    timeout = httpx.Timeout(10.0, read=SILENCE_SECONDS)
    while True:
        try:
            async with httpx.AsyncClient(
                base_url=session.api, headers=headers(session), timeout=timeout
            ) as client:
                async for told in _once(client, vtid, last):
                    tries = 0
                    if isinstance(told, Happened):
                        last = told.position
                    yield told
            reason = "the server ended the stream"
        except (httpx.TransportError, SSEError) as error:
            reason = str(error) or type(error).__name__
        if tries == 0:
            yield Lost(reason)
        await asyncio.sleep(RECONNECT_SECONDS[min(tries, len(RECONNECT_SECONDS) - 1)])
        tries += 1


async def _once(
    client: httpx.AsyncClient, vtid: str | None, last: str | None
) -> AsyncIterator[Happened | Lost | Connected]:
    params = {"vtid": vtid} if vtid else {}
    resume = {"Last-Event-ID": last} if last is not None else {}
    async with aconnect_sse(client, "GET", "/api/v1/events/stream", params=params, headers=resume) as source:
        if source.response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            return  # a restart of the API, the ledger or Temporal: it comes back
        if not source.response.is_success:
            await source.response.aread()
            raise refused(source.response)
        yield Connected()
        async for sent in source.aiter_sse():
            if sent.event == "event":
                data = json.loads(sent.data)
                yield Happened(sent.id, data["event"], data.get("run"))
