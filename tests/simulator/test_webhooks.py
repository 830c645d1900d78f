"""Webhooks are signed, numbered, and carry what GitHub's webhooks carry."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from .conftest import SHOP, Sim
from .oracle import judge_github

SECRET = "s3cret"


@dataclass
class Receiver:
    url: str = ""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def events(self) -> list[tuple[str, str]]:
        return [(it["X-GitHub-Event"], json.loads(body)["action"]) for it, body in list(self.heard)]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    known = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known.heard.append((dict(self.headers), body))
            self.send_response(202)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Not on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    known.url = f"http://127.0.0.1:{server.server_port}/webhooks/github"
    yield known
    server.shutdown()
    server.server_close()


def test_a_change_is_told_from_opening_to_deployment(sim: Sim, receiver: Receiver) -> None:
    sim.shop()
    sim.behave(webhooks={"url": receiver.url, "secret": SECRET}, checks={"after_s": 0}, deploy={"after_s": 0})
    sha = sim.merge(sim.pull()).json()["sha"]
    made = sim.github(f"/repos/{SHOP}/deployments", "POST", ref=sha).json()
    sim.github(f"/repos/{SHOP}/deployments/{made['id']}/statuses", "POST", state="success")

    wanted = {
        ("pull_request", "opened"),
        ("check_run", "completed"),
        ("pull_request", "closed"),
        ("workflow_run", "completed"),
        ("deployment_status", "created"),
    }
    sim.until(lambda: wanted <= set(receiver.events()), limit=2000)
    for headers, body in receiver.heard:
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Hub-Signature-256"] == f"sha256={signature}"
        payload = json.loads(body)
        assert payload["repository"]["full_name"] == SHOP
        assert payload["repository"]["html_url"].startswith(sim.origin)
    assert len({it["X-GitHub-Delivery"] for it, _ in receiver.heard}) == len(receiver.heard)
    runs = [json.loads(body) for it, body in receiver.heard if it["X-GitHub-Event"] == "workflow_run"]
    judge_github("WorkflowRun", runs[0]["workflow_run"])


def test_a_webhook_may_come_twice_with_one_number(sim: Sim, receiver: Receiver) -> None:
    sim.shop()
    sim.behave(webhooks={"url": receiver.url, "secret": SECRET, "repeat": 2}, checks={"auto": False})
    sim.pull()

    sim.until(lambda: len(receiver.heard) == 2, limit=2000)
    assert len({it["X-GitHub-Delivery"] for it, _ in receiver.heard}) == 1


def test_a_dead_receiver_holds_up_nothing(sim: Sim) -> None:
    sim.shop()
    sim.behave(webhooks={"url": "http://127.0.0.1:9/", "secret": SECRET})

    assert sim.deployed(sim.merge(sim.pull()).json()["sha"])
