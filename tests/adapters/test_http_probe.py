"""The version probe: a whole commit is an answer, everything else a problem with its reason."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from vtid.adapters.http_probe import MAX_BODY, HttpProbe, commit_in

if TYPE_CHECKING:
    from tests.adapters.conftest import Sim
    from vtid.domain.deployment import LiveAnswer

OURS, OTHER = "a1" * 20, "b2" * 20


def look(sim: Sim, path: str = "/version") -> LiveAnswer:
    return sim.probe.look(f"{sim.origin}/run/demo/europe-west1/shop", path)


@pytest.mark.parametrize(
    "body",
    [
        f'{{"commit": "{OURS}"}}',
        f'{{"commit_sha": "{OURS}", "version": "1.2.3"}}',
        f'{{"sha": "{OURS.upper()}"}}',
        f'{{"git_commit": " {OURS} "}}',
        f'{{"version": "{OURS}"}}',
        f'{{"commit": "{OURS}", "version": "{OURS}"}}',
        f'"{OURS}"',
        f"{OURS}\n",
        "1" * 40,
    ],
)
def test_a_whole_commit_is_an_answer(body: str) -> None:
    assert commit_in(body) in ((OURS, None), ("1" * 40, None))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("<!doctype html><title>Shop</title>", "HTML"),
        ("shop-00042-xyz", "names no commit: 'shop-00042-xyz'"),
        ('{"version": "1.2.3"}', "names no commit"),
        ('{"commit": "a1a1a1a"}', "only a part of a commit: a1a1a1a"),
        (OURS[:39], "only a part of a commit"),
        (OURS + "a", "names no commit"),
        (f'{{"commit": "{OURS}", "sha": "{OTHER}"}}', "names several commits"),
        (f'{{"other": "{OURS}"}}', "names no commit"),
        ('{"commit": null}', "names no commit"),
        ('{"commit": {"sha": "x"}}', "names no commit"),
        ("[]", "names no commit"),
        ("null", "names no commit"),
        ("", "names no commit"),
    ],
)
def test_anything_else_is_a_problem_with_its_reason(body: str, problem: str) -> None:
    commit, told = commit_in(body)

    assert commit is None
    assert problem in str(told)


def test_the_service_is_asked_at_its_own_address(sim: Sim) -> None:
    sim.runs({"name": "shop-00001", "commit_sha": OURS})

    answer = look(sim)

    assert (answer.commit, answer.status, answer.problem) == (OURS, 200, None)
    assert answer.url == f"{sim.origin}/run/demo/europe-west1/shop/version"


def test_addresses_are_joined_by_one_slash(sim: Sim) -> None:
    sim.runs({"name": "shop-00001", "commit_sha": OURS})

    assert sim.probe.look(f"{sim.origin}/run/demo/europe-west1/shop/", "version").commit == OURS


def test_a_status_other_than_200_is_a_problem(sim: Sim) -> None:
    sim.runs({"name": "shop-00001", "commit_sha": OURS})

    answer = look(sim, "/nothing-here")

    assert (answer.commit, answer.status, answer.problem) == (None, 404, "answered 404, expected 200")


def test_a_redirect_is_not_followed(sim: Sim) -> None:
    sim.breaks("GET", "/version$", {"status": 302, "headers": {"Location": "http://elsewhere.example/"}})

    assert look(sim).problem == "answered 302, expected 200"


def test_an_endless_body_is_left(sim: Sim) -> None:
    sim.breaks("GET", "/version$", {"status": 200, "body": "a" * (MAX_BODY + 1)})

    assert f"longer than {MAX_BODY} bytes" in str(look(sim).problem)


def test_a_late_answer_is_a_problem(sim: Sim) -> None:
    sim.breaks("GET", "/version$", {"delay_s": 5})

    assert look(sim.impatient()).problem == "no answer in time"


@pytest.fixture
def dripping() -> Iterator[str]:
    """An origin that sends a byte now and then, and never ends."""
    server = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip() -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
            while not over.wait(0.05):
                try:
                    connection.sendall(b"a")
                except OSError:
                    return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    over.set()
    thread.join(5)
    server.close()


def test_an_answer_that_drips_is_left_in_time(dripping: str) -> None:
    began = time.monotonic()

    answer = HttpProbe(timeout=0.3).look(dripping, "/version")

    assert "no whole answer within 0.3 s" in str(answer.problem)
    assert time.monotonic() - began < 5


def test_each_look_comes_by_a_connection_of_its_own() -> None:
    """Behind a balancer one connection would meet the same instance again and again."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(10)
    body = f"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{OURS}".encode()
    connections = []

    def serve() -> None:
        for _ in range(2):
            connection, _address = server.accept()
            connections.append(connection)
            connection.recv(4096)
            connection.sendall(body)  # and left open, as a server that keeps connections alive would

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    probe = HttpProbe(timeout=10)
    seen = [probe.look(f"http://127.0.0.1:{server.getsockname()[1]}", "/version").commit for _ in range(2)]
    thread.join(10)
    for each in (*connections, server):
        each.close()

    assert seen == [OURS, OURS]
    assert len(connections) == 2


@pytest.mark.parametrize(
    "uri",
    ["http://[broken", "ftp://example.com", "", "https://exa mple", "http://\x00", "http://host:99999999"],
)
def test_an_address_without_sense_is_a_problem_and_no_error(uri: str) -> None:
    answer: Any = HttpProbe(timeout=0.3).look(uri, "/version")

    assert answer.commit is None
    assert answer.problem
