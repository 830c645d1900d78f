"""The reference agent on a real stack: an order becomes a real commit that is merged, deployed and proven."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.runner import ENVIRONMENT, ENVIRONMENTS, scenario_stack
from vtid.cli.stack import Stack
from vtid.configuration.environments import load_environments

pytestmark = pytest.mark.e2e
WORKS = "cat > services/spec.md; echo 'wrote it' >> $WORK_PROGRESS_FILE; sleep 0.5"


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with scenario_stack(tmp_path_factory.mktemp("stack"), print) as stack:
        yield stack


def git(directory: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(directory), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


@contextmanager
def agent(stack: Stack, bare: Path, name: str, command: str, vtid: str) -> Iterator[subprocess.Popen[bytes]]:
    """A running agent; killed when the test is over."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("VTID_")}
    env |= {
        "VTID_API_TOKEN": stack.token,
        "VTID_GITHUB_API_URL": f"{stack.simulator}/api/v3",
        "VTID_GITHUB_TOKEN": "t",
    }
    options = ("--api-url", stack.api, "--remote", str(bare), "--work-dir", str(bare.parent / "work"),
               "--worker-id", name, "--vtid", vtid, "--wait", "5")  # fmt: skip
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from vtid.cli.main import main; main()",
            "agent",
            "--command",
            command,
            *options,
        ],
        env=env,
        stdin=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


async def linked(stack: Stack, name: str, tmp_path: Path) -> Path:
    """A drill's repository, on disk."""
    bare = tmp_path / "repository.git"
    async with httpx.AsyncClient(base_url=stack.simulator) as simulator:
        wish = {"full_name": f"acme/drill-{name}", "git_dir": str(bare)}
        made = await simulator.post("/_sim/repos", json=wish)
        assert made.status_code == 201, made.text
    return bare


@pytest.mark.timeout(180)
async def test_a_shell_script_takes_a_task_from_offer_to_completed_with_a_real_commit(
    stack: Stack, tmp_path: Path
) -> None:
    bare = await linked(stack, "agent", tmp_path)
    async with Drill(stack, load_environments(ENVIRONMENTS)[ENVIRONMENT], "agent") as drill:
        await drill.create()
        with agent(stack, bare, "agent-1", WORKS, drill.vtid):
            await drill.start()
            await drill.until_decided()
        seen = await drill.look()

    assert seen.status == "completed", drill.run
    assert drill.run is not None
    assert git(bare, "rev-parse", "main") == drill.run["merged"]
    assert git(bare, "show", "main:services/spec.md").startswith("# agent")
    assert drill.run["proof"]["complete"] is True


@pytest.mark.timeout(240)
async def test_killed_in_the_middle_the_next_agent_finishes_the_task(stack: Stack, tmp_path: Path) -> None:
    bare = await linked(stack, "killed-agent", tmp_path)
    begun = tmp_path / "begun"
    async with Drill(stack, load_environments(ENVIRONMENTS)[ENVIRONMENT], "killed-agent") as drill:
        await drill.create()
        with agent(
            stack, bare, "agent-1", f"echo half > services/half; touch {begun}; sleep 600", drill.vtid
        ) as first:
            await drill.start()
            async with asyncio.timeout(60):
                while not begun.exists():
                    await asyncio.sleep(0.05)
            first.kill()
            first.wait()
        with agent(stack, bare, "agent-2", WORKS, drill.vtid):
            await drill.until_decided()
        seen = await drill.look()

    assert seen.status == "completed", drill.run
    assert drill.run is not None
    assert drill.run["attempt"] == 2
    assert [event["data"]["code"] for event in drill.events if event["type"] == "attempt.ended"] == [
        "WORKER_LOST"
    ]
    files = git(bare, "ls-tree", "-r", "--name-only", "main").splitlines()
    assert "services/spec.md" in files
    assert "services/half" not in files
