"""The live stream, over a real socket: nothing lost, nothing doubled."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from httpx_sse import ServerSentEvent, aconnect_sse

from vtid.domain.stages import Stage
from vtid.ledger import LedgerUnavailable

from .conftest import Staging, serving
from .stage import Play


async def listen(
    play: Play, url: str, *, last: str | None = None, **params: Any
) -> AsyncIterator[ServerSentEvent]:
    headers = {"Authorization": f"Bearer {play.keys['viewer']}"}
    if last is not None:
        headers["Last-Event-ID"] = last
    async with (
        httpx.AsyncClient(timeout=10, headers=headers) as client,
        aconnect_sse(client, "GET", f"{url}/api/v1/events/stream", params=params) as source,
    ):
        async for message in source.aiter_sse():
            if message.data:
                yield message


async def take(stream: AsyncIterator[ServerSentEvent], count: int) -> list[ServerSentEvent]:
    got: list[ServerSentEvent] = []
    async with asyncio.timeout(10):
        while len(got) < count:
            got.append(await anext(stream))
    return got


async def all_of(stream: AsyncIterator[ServerSentEvent]) -> list[ServerSentEvent]:
    """Everything until the server ends the stream."""
    return [message async for message in stream]


async def test_each_event_comes_with_the_run_as_it_looked_after_it(play: Play, url: str) -> None:
    vtid = await play.run()
    await play.tell(vtid, "stage.started", stage=Stage.WORKER)

    written = len(await play.ledger.events.read(vtid=vtid))
    stream = listen(play, url, vtid=vtid, after=0)
    messages = [json.loads(message.data) for message in await take(stream, written)]
    told = [message for message in messages if message["event"]["run_id"]]

    assert [message["event"]["type"] for message in told] == ["run.started", "stage.started", "stage.started"]
    assert [message["run"]["stage"] for message in told] == ["PLANNER", "PLANNER", "WORKER"]
    assert [message["run"]["position"] for message in told] == [m["event"]["position"] for m in told]


async def test_a_page_that_loses_its_connection_fifty_times_sees_every_event_once(
    play: Play, url: str
) -> None:
    vtid = await play.run()
    start = (await play.get("/runs")).json()["position"]
    seen: list[int] = []

    async def write() -> None:
        for n in range(150):
            await play.tell(vtid, "step.started", step=f"step_{n}", attempt=1)

    writing = asyncio.create_task(write())
    for _ in range(50):
        stream = listen(play, url, last=str(seen[-1] if seen else start))
        seen += [int(message.id) for message in await take(stream, 3)]
        await stream.aclose()  # type: ignore[attr-defined]
    await writing

    written = [event.position for event in await play.ledger.events.read(after=start)]
    assert seen == written


async def test_without_a_position_the_stream_begins_now(play: Play, url: str) -> None:
    vtid = await play.run()
    stream = listen(play, url)
    first = asyncio.create_task(take(stream, 1))
    while not first.done():  # when the stream begins is the server's to say
        await play.tell(vtid, "step.started", step="now", attempt=1)
        await asyncio.wait({first}, timeout=0.3)

    (message,) = await first
    assert json.loads(message.data)["event"]["data"]["step"] == "now"
    assert message.event == "event"


async def test_a_reader_behind_the_window_catches_up_from_the_log(staging: Staging) -> None:
    play = staging(window=5)
    async with serving(play.app) as url:
        vtid = await play.run()
        for n in range(30):
            await play.tell(vtid, "step.started", step=f"step_{n}", attempt=1)
        await asyncio.sleep(0.3)

        stream = listen(play, url, after=0, vtid=vtid)
        messages = await take(stream, 30)

    positions = [int(message.id) for message in messages]
    assert positions == sorted(set(positions))


async def test_only_events_of_the_wanted_task_are_sent(play: Play, url: str) -> None:
    wanted, other = await play.run(), await play.run()
    position = (await play.get("/runs")).json()["position"]
    for vtid in (other, wanted, other, wanted):
        await play.tell(vtid, "step.started", step="a", attempt=1)

    messages = await take(listen(play, url, vtid=wanted, after=position), 2)

    assert {json.loads(message.data)["event"]["vtid"] for message in messages} == {wanted}


async def test_a_failing_ledger_is_told_in_the_stream_and_ends_it(
    play: Play, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise LedgerUnavailable("away")

    monkeypatch.setattr(play.ledger.events, "read", away)

    reading = asyncio.create_task(all_of(listen(play, url, after=0)))
    await play.task()

    messages = await reading
    assert [message.event for message in messages] == ["error"]
    assert json.loads(messages[0].data)["code"] == "LEDGER_UNAVAILABLE"


async def test_a_position_that_is_no_number_is_refused(play: Play, url: str) -> None:
    headers = {"Authorization": f"Bearer {play.keys['viewer']}", "Last-Event-ID": "x"}
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/api/v1/events/stream", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (422, "VALIDATION")


async def test_the_process_stops_while_streams_and_long_polls_are_open(staging: Staging) -> None:
    play = staging()
    async with serving(play.app) as url:
        stream = asyncio.create_task(all_of(listen(play, url)))
        poll = asyncio.create_task(play.claim("w1", wait_seconds=30))
        await asyncio.sleep(0.3)
        began = asyncio.get_running_loop().time()

    assert asyncio.get_running_loop().time() - began < 2
    assert (await poll).status_code == 204
    assert all(message.event == "event" for message in await stream)


async def test_events_can_be_read_page_by_page(play: Play) -> None:
    vtid = await play.run()

    first = (await play.get("/events", params={"vtid": vtid, "limit": 2})).json()
    rest = (await play.get("/events", params={"vtid": vtid, "after": first["next_cursor"]})).json()

    positions = [event["position"] for event in first["items"] + rest["items"]]
    assert positions == sorted(set(positions))
    assert rest["next_cursor"] is None
    assert set(first["items"][0]) == {
        "position", "id", "run_id", "seq", "vtid", "type", "stage", "at", "actor", "data"
    }  # fmt: skip
