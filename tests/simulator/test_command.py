"""python -m vtid.simulator world: one ready line, real sockets, a clean end."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vtid.simulator", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def first_line(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def test_it_says_when_it_is_ready_and_ends_while_an_answer_hangs() -> None:
    process = start("world", "--port", "0")
    ready = first_line(process)
    with httpx.Client(base_url=ready["url"], trust_env=False) as http:
        assert http.get("/_sim/healthz").json() == {"status": "ok"}
        http.post("/_sim/faults", json={"match": {"path_regex": "/user"}, "action": {"hang": True}})
        try:
            http.get("/api/v3/user", timeout=0.1)
        except httpx.ReadTimeout:
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            code = process.wait(5)

    assert ready["event"] == "ready"
    assert code == 0
    assert time.monotonic() - begun < 3


def test_a_busy_port_is_an_error_at_once() -> None:
    process = start("world", "--port", "0")
    port = first_line(process)["url"].rsplit(":")[-1]

    assert start("world", "--port", port).wait(60) != 0
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 0
