"""Whether a process of the stack serves: asked over HTTP, as its users would."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import httpx

LOOK_EVERY_SECONDS = 0.05
Probe = Callable[[datetime], Awaitable[bool]]


async def until(probe: Probe) -> None:
    """Look until the probe says yes. Callers bound it."""
    started_at = datetime.now(UTC)
    while not await probe(started_at):  # noqa: ASYNC110 - another process: nobody sends us an event
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def answers(url: str) -> bool:
    """Whether a GET of this address is answered with 200 now."""
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            return (await client.get(url)).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False  # nobody listens yet, or no longer


def answering(url: str) -> Probe:
    """A probe for a server."""

    async def probe(_started_at: datetime) -> bool:
        return await answers(url)

    return probe


def polling(temporal_http: str, namespace: str, queue: str) -> Probe:
    """A probe for a Temporal worker: somebody polled the queue since the process was started."""
    url = f"{temporal_http}/api/v1/namespaces/{namespace}/task-queues/{queue}"

    async def probe(started_at: datetime) -> bool:
        try:
            async with httpx.AsyncClient(timeout=5) as client:
                answer = await client.get(url, params={"taskQueueType": "TASK_QUEUE_TYPE_WORKFLOW"})
        except httpx.TransportError:
            return False
        if answer.status_code != httpx.codes.OK:
            return False
        polls = [poller.get("lastAccessTime", "") for poller in answer.json().get("pollers", ())]
        return any(
            datetime.fromisoformat(at[:19] + "+00:00") >= started_at.replace(microsecond=0)
            for at in polls
            if at
        )

    return probe
