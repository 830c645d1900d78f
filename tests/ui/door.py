"""A door between the browser and the server: open, shut (connections are refused and cut), or stuck (nothing answers).

A killed and a hung server look just like this from outside, and a test can hold the moment for as long as it looks.
"""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_CHUNK = 65_536


class Door:
    """async with Door(url) as door: … door.url … await door.shut() … await door.open()"""

    def __init__(self, url: str) -> None:
        self._behind = urlsplit(url)
        self._port = 0
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._passing.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.shut()

    async def open(self) -> None:
        """Let everything through, on the same port as before."""
        self._passing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Refuse new connections and cut those that there are, as when the server was killed."""
        self._passing.set()
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for line in tuple(self._lines):
            line.transport.abort()
        while self._lines:
            await asyncio.sleep(0.01)

    def stick(self) -> None:
        """Take connections and requests, and answer nothing, as when the server hangs."""
        self._passing.clear()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines.add(writer)
        with suppress(OSError):
            onwards = await asyncio.open_connection(self._behind.hostname, self._behind.port)
            self._lines.add(onwards[1])
            try:
                await asyncio.gather(self._pump(reader, onwards[1]), self._pump(onwards[0], writer))
            finally:
                onwards[1].close()
                self._lines.discard(onwards[1])
        writer.close()
        self._lines.discard(writer)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(_CHUNK):
                await self._passing.wait()
                sink.write(data)
                await sink.drain()
        with suppress(OSError):
            sink.close()
