"""Serving the app: uvicorn, made to stop while streams are open and to tell when it is ready."""

import json
import signal
import socket
import sys
from types import FrameType

import uvicorn
from fastapi import FastAPI

from api.app import stop


class PortTaken(Exception):
    """Nobody can listen where we should."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named: only then asyncio sends what it is given at once, and no answer waits for 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(2048)
        return listening
    except OSError as error:
        listening.close()
        text = f"cannot listen on port {port} of {host}: {error.strerror}; --port 0 takes a free one"
        raise PortTaken(text) from error


class Server(uvicorn.Server):
    """Ends live streams and long polls before it waits for connections to close."""

    def __init__(self, app: FastAPI, *, host: str, port: int) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=5,
            # Longer than clients keep an idle connection (httpx: 5 s), so that none is closed under a request.
            timeout_keep_alive=60,
            server_header=False,
        )
        super().__init__(config)
        self._app = app

    @property
    def url(self) -> str:
        """Where it listens; with port 0, the port that was free."""
        host = self.config.host
        port = self.servers[0].sockets[0].getsockname()[1]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            sys.stdout.write(json.dumps({"event": "ready", "url": self.url}) + "\n")
            sys.stdout.flush()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        stop(self._app)
        # Unlike uvicorn's own: the signal is not raised again after serving, so the caller can still
        # close what it opened. A second Ctrl-C waits for nothing.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
