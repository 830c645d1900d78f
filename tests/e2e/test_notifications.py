"""Being told on a real stack: signed messages reach a receiver, once, also when the API is killed in between."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from vtid.cli.addresses import read_addresses
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.runner import ENVIRONMENT, ENVIRONMENTS, scenario_stack
from vtid.configuration.environments import load_environments

pytestmark = pytest.mark.e2e


@dataclass
class Receiver:
    """Somebody's endpoint: refuses its first message, and kills the API while it does."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    victim: int | None = None

    def answer(self, headers: dict[str, str], body: bytes) -> int:
        self.got.append((headers, body))
        if self.victim is not None:
            os.kill(self.victim, signal.SIGKILL)
            self.victim = None
            return 503
        return 204


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiver.answer(dict(self.headers), body))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()
    thread.join()


async def told(drill: Drill, number: int) -> list[dict[str, Any]]:
    """The log, once so many messages were delivered; the hold of a try that died must end first."""
    async with asyncio.timeout(120):
        while True:
            answer = await drill.ask("GET", "/api/v1/notifications/deliveries")
            items: list[dict[str, Any]] = answer.json()["items"] if answer.is_success else []
            if sum(each["state"] == "delivered" for each in items) >= number:
                return items
            await asyncio.sleep(0.5)


@pytest.mark.timeout(240)
async def test_nobody_is_told_twice_or_not_at_all_when_the_api_dies_in_the_middle(
    tmp_path: Path, receiver: Receiver
) -> None:
    environment = load_environments(ENVIRONMENTS)[ENVIRONMENT]
    async with scenario_stack(tmp_path, print) as stack, Drill(stack, environment, "told") as drill:
        made = await drill.call("POST", "/api/v1/notifications", {"name": "on-call", "url": receiver.url})
        addresses = read_addresses(stack.data_dir)
        assert addresses is not None
        receiver.victim = addresses.pids["api"]

        await drill.start()  # and nobody comes
        await drill.until_decided()
        log = await told(drill, 4)

    messages = [Webhook(made["secret"]).verify(body, headers) for headers, body in receiver.got]
    kinds = {
        headers["webhook-id"]: message["type"]
        for (headers, _), message in zip(receiver.got, messages, strict=True)
    }
    assert sorted(kinds.values()) == ["run.blocked", "worker.missing", "worker.missing", "worker.missing"]
    assert [each["state"] for each in log] == ["delivered"] * 4
    assert {each["id"] for each in log} == set(kinds)
    blocked = next(message for message in messages if message["type"] == "run.blocked")
    assert (blocked["data"]["vtid"], blocked["data"]["code"]) == (drill.vtid, "PICKUP_TIMEOUT")
    assert json.loads(receiver.got[0][1])["type"] == "worker.missing"
