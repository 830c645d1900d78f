"""One process, one port: GitHub, Cloud Run, the deployed services and the control plane."""

import asyncio
import contextlib
import json
import re
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from vtid.simulator import control, linked, logs, metadata, pages, running
from vtid.simulator.cloud_run import routes as cloud_run
from vtid.simulator.faults import Faults, Wires, with_fault
from vtid.simulator.github import routes as github
from vtid.simulator.journal import Entry
from vtid.simulator.schedule import moment
from vtid.simulator.webhooks import Webhooks
from vtid.simulator.world import World

TICK_S = 0.05
REPOSITORY_CALL = re.compile(r"/api/v3/repos/([^/]+/[^/]+)")


class Simulator:
    """The ASGI application: journal, clock and faults around the routes."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.faults = Faults()
        self.wires = Wires()
        self.webhooks = Webhooks(self.world)
        self._routes = Starlette(
            routes=[
                Mount("/_sim", control.application(self.world, self.faults)),
                Mount("/api/v3", github.rest(self.world)),
                Mount("/api", github.graphql(self.world)),
                Mount("/v2", cloud_run.application(self.world)),
                *running.routes(self.world),
                *metadata.routes(self.world),
                *logs.routes(self.world),
                Route("/{page:path}", pages.page(self.world, metadata.FLAVOR)),
            ],
            lifespan=self._ticking,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._routes(scope, receive, send)
        self.world.schedule.advance()
        path, method = scope["path"], scope["method"]
        control_plane = path.startswith("/_sim/")
        entry = self._entry(method, path, looked_at=control_plane and method == "GET")
        scope["sim.entry"] = entry

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            await send(message)

        # Whoever breaks the world must still be able to mend it.
        action = None if control_plane else self.faults.take(method, path)
        if action is None:
            return await self._routes(scope, receive, noting)
        entry.fault = action.name
        return await with_fault(action, self._now, self.wires, scope, receive, noting)

    async def _now(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A fault may have taken its time, and the world has moved on meanwhile."""
        self.world.schedule.advance()
        await self._routes(scope, receive, send)

    def _entry(self, method: str, path: str, *, looked_at: bool) -> Entry:
        at = moment(self.world.now(), digits=6)
        if looked_at:
            # Reading the journal is not part of the story that it tells.
            return Entry(0, at, method, path)
        entry = self.world.journal.open(at, method, path)
        # From the address: a call that a fault answers never reaches its route.
        if place := REPOSITORY_CALL.match(path):
            named = self.world.repository(place[1])
            entry.repository = named.full_name if named else None
            if named is not None:
                linked.catch_up(self.world, named)
        return entry

    @contextlib.asynccontextmanager
    async def _ticking(self, _: Starlette) -> AsyncIterator[None]:
        """Webhooks must leave even when nobody reads; everything else would wait for a reader."""

        async def tick() -> None:
            while True:
                await asyncio.sleep(TICK_S)
                self.world.schedule.advance()
                await self.webhooks.send()

        ticking = asyncio.create_task(tick())
        yield
        ticking.cancel()


class Server(uvicorn.Server):
    """uvicorn that says where it listens, and that a hanging answer cannot keep from ending."""

    def __init__(self, config: uvicorn.Config, simulator: Simulator, ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._simulator = simulator
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        origin = f"http://{host}:{port}"
        self._simulator.webhooks.origin = origin
        self._ready(origin)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._simulator.wires.cut_all()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not passed on: uvicorn would raise the signal again after the end and spoil the exit code.
        self.should_exit = True


def make_server(simulator: Simulator, host: str, port: int, ready: Callable[[str], None]) -> Server:
    wires = simulator.wires

    class Wired(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            wires.open[transport.get_extra_info("peername")[:2]] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            wires.open.pop(self.transport.get_extra_info("peername")[:2], None)
            super().connection_lost(exc)

    config = uvicorn.Config(
        simulator,
        host=host,
        port=port,
        http=Wired,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        # Longer than any pause of a client: closing an idle connection under a request would be a fault
        # that nobody asked for.
        timeout_keep_alive=120,
    )
    return Server(config, simulator, ready)


def serve(host: str, port: int) -> None:
    """Until SIGTERM or SIGINT."""

    def announce(origin: str) -> None:
        sys.stdout.write(json.dumps({"event": "ready", "url": origin}) + "\n")
        sys.stdout.flush()

    make_server(Simulator(), host, port, announce).run()


@contextlib.contextmanager
def serving(simulator: Simulator | None = None, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """The same server on a thread, for tests: a real socket, in this process. Yields its origin."""
    started = threading.Event()
    where: list[str] = []

    def announce(origin: str) -> None:
        where.append(origin)
        started.set()

    server = make_server(simulator or Simulator(), host, port, announce)
    thread = threading.Thread(target=server.run, name="simulator", daemon=True)
    thread.start()
    if not started.wait(10):
        raise RuntimeError("the simulator did not start")
    try:
        yield where[0]
    finally:
        server.should_exit = True
        thread.join(5)
