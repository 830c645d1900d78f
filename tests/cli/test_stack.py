"""The whole development stack, as real processes."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from vtid.cli.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.fixture
def dev(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    command = (sys.executable, "-m", "vtid.cli.main", "dev", "--simulate", "--port", "0", "--json")
    process = subprocess.Popen(
        [*command, "--data-dir", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.wait()


def test_ready_means_ready_and_ctrl_c_leaves_nothing_behind(
    dev: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    assert dev.stdout
    ready = json.loads(dev.stdout.readline())
    known = json.loads((tmp_path / "dev.json").read_text())

    assert ready["event"] == "ready"
    assert {key: known[key] for key in ready if key != "event"} == {
        k: v for k, v in ready.items() if k != "event"
    }
    assert (tmp_path / "dev.json").stat().st_mode & 0o777 == 0o600
    assert httpx.get(f"{ready['api']}/readyz").status_code == 200
    key = {"Authorization": f"Bearer {ready['token']}"}
    assert httpx.get(f"{ready['api']}/api/v1/tasks", headers=key).status_code == 200
    assert serving_commit(ready["simulator"]) is not None

    dev.send_signal(signal.SIGINT)

    assert dev.wait(30) == 0
    assert not (tmp_path / "dev.json").exists()
    assert [pid for pid in known["pids"].values() if lives(pid)] == []


def test_ctrl_c_while_it_starts_says_one_line_and_leaves_nothing_behind(
    dev: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    assert dev.stderr
    while "starting worker and API" not in dev.stderr.readline():
        assert dev.poll() is None

    dev.send_signal(signal.SIGINT)

    assert dev.wait(30) == 0
    assert dev.stderr.read() == "stopping; once more to kill at once\n"
    assert not (tmp_path / "dev.json").exists()


def serving_commit(simulator: str) -> Any:
    """The commit that the seeded service says it serves, by its label."""
    path = "/v2/projects/acme-dev/locations/europe-west1/services/shop"
    service = httpx.get(simulator + path, headers={"Authorization": "Bearer any"}).raise_for_status().json()
    serving = [each for each in service["trafficStatuses"] if each.get("percent") == 100]
    revision = serving[0]["revision"].rsplit("/")[-1]
    answer = httpx.get(f"{simulator}{path}/revisions/{revision}", headers={"Authorization": "Bearer any"})
    return answer.raise_for_status().json()["labels"]["commit-sha"]


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def test_every_process_may_be_killed_and_comes_back_where_it_was(tmp_path: Path) -> None:
    said: list[str] = []
    async with Stack(tmp_path, simulate=True, port=0, say=said.append) as stack:
        where = (stack.api, stack.temporal, stack.simulator)

        for name in ("temporal", "simulator", "worker", "api"):
            os.kill(stack.pid(name), signal.SIGKILL)
            await until_started_again(stack, name)

        await stack.wait_ready()
        assert (stack.api, stack.temporal, stack.simulator) == where
        assert [stack.starts(name) for name in ("temporal", "simulator", "worker", "api")] == [2, 2, 2, 2]
        assert sum("starting it again" in line for line in said) == 4
        assert serving_commit(stack.simulator) is not None


async def until_started_again(stack: Stack, name: str) -> None:
    until = time.monotonic() + 60
    while stack.starts(name) == 1 and time.monotonic() < until:
        await asyncio.sleep(0.05)
    await stack.wait_serving(name)
