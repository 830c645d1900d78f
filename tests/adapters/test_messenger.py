"""Sending a message: exactly to the address that was checked, within its time, and nothing more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from vtid.adapters.messenger import MAX_EXCERPT, HttpMessenger
from vtid.domain.destinations import Destinations
from vtid.domain.notifications import Answer

DEV = Destinations(loopback=True)


@asynccontextmanager
async def receiver(answer: bytes, heard: list[bytes] | None = None) -> AsyncIterator[str]:
    """A server that reads one request and answers with these bytes; none: it never answers."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        size = next(
            int(line[15:]) for line in request.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        if heard is not None:
            heard.append(request + await reader.readexactly(size))
        if answer:
            writer.write(answer)
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?a=b"
    finally:
        server.close()


async def send(url: str, destinations: Destinations = DEV, timeout: float = 5.0) -> Answer:
    messenger = HttpMessenger(destinations, timeout=timeout)
    try:
        return await messenger.send(url, {"webhook-id": "msg_1"}, b'{"type":"run.blocked"}')
    finally:
        await messenger.close()


async def test_the_body_arrives_byte_for_byte_under_the_name_that_was_given() -> None:
    heard: list[bytes] = []
    async with receiver(b"HTTP/1.1 204 No Content\r\n\r\n", heard) as url:
        answer = await send(url.replace("127.0.0.1", "localhost"))

    assert (answer.status, answer.error, answer.accepted) == (204, None, True)
    (request,) = heard
    assert request.startswith(b"POST /hook?a=b HTTP/1.1\r\n")
    assert b"host: localhost:" in request.lower()
    assert request.endswith(b'\r\n\r\n{"type":"run.blocked"}')


async def test_an_answer_is_kept_shortly_however_long_it_is() -> None:
    async with receiver(b"HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n" + b"x" * 1_000_000) as url:
        answer = await send(url)

    assert (answer.status, answer.error) == (500, "answered 500")
    assert len(answer.excerpt) == MAX_EXCERPT


async def test_a_redirect_is_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    async with receiver(moved) as url:
        answer = await send(url)

    assert (answer.status, answer.accepted) == (302, False)


async def test_a_receiver_may_ask_for_time() -> None:
    async with receiver(b"HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n") as url:
        answer = await send(url)

    assert answer.retry_after is not None
    assert answer.retry_after.total_seconds() == 120


async def test_silence_ends_with_the_time_of_a_try() -> None:
    async with receiver(b"") as url:
        answer = await send(url, timeout=0.2)

    assert (answer.status, answer.error) == (None, "no answer within 0.2 s")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:1/", "ConnectError"),
        ("https://no-such-host.invalid/", "cannot be resolved"),
        ("https://169.254.169.254/latest/meta-data", "private network"),
        ("http://example.com/", "https://"),
        ("https://" + "a" * 64 + ".example/", "InvalidURL|cannot be|UnicodeError"),
    ],
)
async def test_whatever_keeps_a_message_from_going_out_is_an_answer_with_the_reason(
    url: str, why: str
) -> None:
    answer = await send(url)

    assert answer.status is None
    assert any(part in (answer.error or "") for part in why.split("|")), answer.error


async def test_a_name_that_means_this_machine_is_refused_where_loopback_is() -> None:
    """The text of the address cannot tell; its lookup does."""
    refusing = Destinations()
    messenger = HttpMessenger(refusing)
    refusing_lookup = await messenger.send("https://localhost.localdomain/", {}, b"{}")
    await messenger.close()

    assert refusing_lookup.status is None
    assert any(part in (refusing_lookup.error or "") for part in ("private network", "cannot be resolved"))
