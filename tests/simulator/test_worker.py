"""Each behaviour of the simulated worker does what its name says, over the public API only."""

import argparse
import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from vtid.simulator.worker.main import run

from .conftest import SHOP, Sim
from .work_orders import WorkOrderApi

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def serving_api(api: WorkOrderApi) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(api.app(), log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(3)


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[WorkOrderApi, str]]:
    api = WorkOrderApi()
    with serving_api(api) as origin:
        yield api, origin


@pytest.fixture
def api(served: tuple[WorkOrderApi, str]) -> WorkOrderApi:
    served[0].__init__()  # type: ignore[misc]
    return served[0]


@pytest.fixture
def work(
    sim: Sim, api: WorkOrderApi, served: tuple[WorkOrderApi, str], capsys: pytest.CaptureFixture[str]
) -> Any:
    sim.shop()

    def start(behaviour: str, **more: Any) -> list[dict[str, Any]]:
        chosen = {
            "api": served[1],
            "token": "key",
            "simulator": sim.origin,
            "worker_id": "w-1",
            "workers": 1,
            "vtid": None,
            "behaviour": behaviour,
            "once": True,
            "seed": 7,
            "work_seconds": 0.05,
            **more,
        }
        # In a thread, because the worker brings its own event loop and the test has one.
        codes: list[int] = []
        thread = threading.Thread(target=lambda: codes.append(run(argparse.Namespace(**chosen))))
        thread.start()
        thread.join(60)
        assert codes, "the worker did not end"
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return start


def names(lines: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(line["event"] for line in lines))


def shown(sim: Sim, number: int = 1) -> Any:
    return sim.github(f"/repos/{SHOP}/pulls/{number}").json()


def test_honest_work_ends_with_evidence(sim: Sim, api: WorkOrderApi, work: Any) -> None:
    lines = work("honest")

    assert names(lines) == ["started", "claimed", "heartbeat", "pull-opened", "evidence-accepted"]
    evidence = api.bodies("evidence")[0]
    pull = shown(sim)
    assert (evidence["pr_url"], evidence["head_sha"]) == (pull["html_url"], pull["head"]["sha"])
    assert evidence["branch"] == pull["head"]["ref"] == "claude/vtid-0001-1"
    assert evidence["files"] == ["services/shop/vtid_0001.py"]
    assert "VTID-0001" in pull["title"]
    assert "VTID-0001" in pull["body"]
    assert "Marker-Line" in pull["body"]
    markers = [it["progress"]["marker"] for it in api.bodies("heartbeat") if "progress" in it]
    assert markers == sorted(set(markers))


def test_a_second_round_is_pushed_to_the_same_pull_request(sim: Sim, api: WorkOrderApi, work: Any) -> None:
    work("honest")
    api.open_orders = 1
    work("honest")

    assert [it["pr_url"] for it in api.bodies("evidence")] == [shown(sim)["html_url"]] * 2
    assert shown(sim, 2).get("message") == "Not Found"
    assert shown(sim)["commits"] == 2


def test_a_forge_that_refuses_is_reported_as_failure(sim: Sim, api: WorkOrderApi, work: Any) -> None:
    sim.told("POST", "/reset")

    assert names(work("honest"))[-2:] == ["forge-failed", "failed"]
    assert "no repository" in api.bodies("fail")[0]["message"]


def test_an_api_that_restarts_is_waited_for(sim: Sim, api: WorkOrderApi, work: Any) -> None:
    api.outages = 2
    lines = work("honest")

    assert [it["problem"] for it in lines if it["event"] == "retry"] == ["503", "503"]
    assert names(lines)[-1] == "evidence-accepted"


def test_stop_is_obeyed_and_confirmed(sim: Sim, api: WorkOrderApi, work: Any) -> None:
    api.action = "stop"
    lines = work("hung")

    assert names(lines)[-2:] == ["told-to-stop", "released"]
    assert api.bodies("release")[0]["reason"] == "cancelled"


def test_a_zombie_is_refused_with_its_late_result(sim: Sim, api: WorkOrderApi, work: Any) -> None:
    api.counts_silence = True
    lines = work("zombie")

    assert names(lines) == ["started", "claimed", "woke", "pull-opened", "lease-lost"]
    assert (lines[-1]["status"], lines[-1]["body"]["code"]) == (409, "LEASE_LOST")


@pytest.mark.parametrize(
    ("behaviour", "truth"),
    [
        ("empty-diff", {"changed_files": 0}),
        ("denied-path", {"changed_files": 2}),
        ("wrong-vtid", {"title": "VTID-99999: simulated change"}),
        ("draft", {"draft": True}),
        ("slow", {"changed_files": 1}),
    ],
)
def test_what_the_pull_request_is_really_like(
    sim: Sim, api: WorkOrderApi, work: Any, behaviour: str, truth: dict[str, Any]
) -> None:
    assert names(work(behaviour))[-1] == "evidence-accepted"
    pull = shown(sim)
    assert {key: pull[key] for key in truth} == truth


def test_a_fork_and_a_lie(sim: Sim, api: WorkOrderApi, work: Any) -> None:
    work("from-fork")
    assert shown(sim)["head"]["repo"]["fork"]

    api.open_orders = 1
    work("lies")
    assert api.bodies("evidence")[-1]["pr_url"].endswith("/pull/999999")


def test_failing_and_never_and_nonsense(sim: Sim, api: WorkOrderApi, work: Any) -> None:
    assert names(work("fails"))[-1] == "failed"
    assert api.bodies("fail")[0]["retryable"] is True
    assert names(work("never")) == ["never"]
    assert work("nonsense")[0]["event"] == "unknown-behaviour"
    assert work("honest", token="wrong")[-1]["status"] == 401


def test_the_head_moves_after_the_checks_have_spoken(sim: Sim, api: WorkOrderApi, work: Any) -> None:
    lines = work("moves-head")

    assert names(lines)[-1] == "head-moved"
    assert shown(sim)["head"]["sha"] == lines[-1]["head_sha"] != api.bodies("evidence")[0]["head_sha"]


def command(sim: Sim, origin: str, behaviour: str) -> subprocess.Popen[str]:
    where = ["--api", origin, "--token", "key", "--simulator", sim.origin, "--worker-id", "w-1"]
    arguments = [sys.executable, "-m", "vtid.simulator", "worker", *where, "--behaviour", behaviour, "--once"]
    return subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_death_comes_without_a_goodbye(sim: Sim, api: WorkOrderApi, served: tuple[WorkOrderApi, str]) -> None:
    sim.shop()
    api.open_orders = 2
    early, late = (command(sim, served[1], it) for it in ("dies", "half-done"))

    assert [early.wait(60), late.wait(60)] == [1, 1]
    assert {verb for verb, _ in api.calls} == {"heartbeat"}
    assert shown(sim)["state"] == "open"
    assert "message" in shown(sim, 2)


def test_a_terminated_worker_gives_its_order_back(
    sim: Sim, api: WorkOrderApi, served: tuple[WorkOrderApi, str]
) -> None:
    sim.shop()
    process = command(sim, served[1], "beats-only")
    until = time.monotonic() + 60
    while not api.bodies("heartbeat") and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)

    assert process.wait(60) == 0
    assert len(api.bodies("release")) == 1
