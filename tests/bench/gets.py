"""A client that repeats one GET over kept connections; httpx would cost more than what it measures."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Get:
    """What is asked, and of whom."""

    url: str
    token: str = ""

    def request(self) -> bytes:
        parts = urlsplit(self.url)
        lines = (
            f"GET {parts.path} HTTP/1.1",
            f"Host: {parts.netloc}",
            f"Authorization: Bearer {self.token}",
        )
        return "\r\n".join((*lines, "", "")).encode()


async def times(get: Get, *, connections: int, seconds: float) -> tuple[list[float], float]:
    """(milliseconds of each answer, answers a second) of so many connections that ask without a pause."""
    async with AsyncExitStack() as open_ones:
        lines = [await open_ones.enter_async_context(_Line.open(get)) for _ in range(connections)]
        began = perf_counter()
        taken = await asyncio.gather(*(line.repeat(began + seconds) for line in lines))
        whole = perf_counter() - began
    each = [ms for of_line in taken for ms in of_line]
    return each, len(each) / whole


class _Line:
    """One connection."""

    def __init__(self, get: Get, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._request = get.request()
        self._reader, self._writer = reader, writer

    @classmethod
    @asynccontextmanager
    async def open(cls, get: Get) -> "AsyncIterator[_Line]":
        where = urlsplit(get.url)
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        try:
            yield cls(get, reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()

    async def repeat(self, until: float) -> list[float]:
        taken = []
        while (began := perf_counter()) < until:
            await self._once()
            taken.append((perf_counter() - began) * 1000)
        return taken

    async def _once(self) -> None:
        self._writer.write(self._request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200 " not in head[:16]:
            raise RuntimeError(f"not answered with 200: {head[:200]!r}")
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        await self._reader.readexactly(length)
