"""Processes that are kept running, and that never outlive who keeps them."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from vtid.cli.addresses import Addresses, DirectoryBusy, dev_json, keys, lock, read_addresses, write_addresses
from vtid.cli.ports import PortBusy, claim, free_ports
from vtid.cli.processes import Child
from vtid.cli.supervisor import MAX_DEATHS, Kept, Service, StackError

FOREVER = "import time; time.sleep(600)"


def service(code: str) -> Service:
    return Service("sleeper", (sys.executable, "-c", code), dict(os.environ))


@asynccontextmanager
async def kept(code: str, log: Path) -> AsyncIterator[tuple[Kept, list[str], "asyncio.Task[None]"]]:
    said: list[str] = []
    keeper = Kept(service(code), log, said.append, lambda: None)
    keeping = asyncio.create_task(keeper.keep())
    try:
        yield keeper, said, keeping
    finally:
        keeping.cancel()
        await asyncio.wait((keeping,))
        if keeper.child:
            await keeper.child.stop(1)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)


async def test_a_process_that_was_killed_is_started_again_and_it_is_said(tmp_path: Path) -> None:
    async with kept(FOREVER, tmp_path / "log") as (keeper, said, _):
        await until(keeper.serving.is_set)
        assert keeper.child
        first = keeper.child.pid
        os.kill(first, signal.SIGKILL)

        await until(lambda: keeper.starts == 2 and keeper.serving.is_set())

        assert keeper.child.pid != first
        assert said == [f"sleeper died (SIGKILL); starting it again (1 of {MAX_DEATHS})"]


async def test_a_death_that_was_asked_for_does_not_count(tmp_path: Path) -> None:
    async with kept(FOREVER, tmp_path / "log") as (keeper, said, _):
        await until(keeper.serving.is_set)
        keeper.kill()
        await until(lambda: keeper.starts == 2 and keeper.serving.is_set())
        await keeper.restart()
        await until(lambda: keeper.starts == 3 and keeper.serving.is_set())

        assert said == []


async def test_a_process_that_dies_at_once_is_not_tried_again(tmp_path: Path) -> None:
    async def never(_: object) -> bool:
        return False

    said: list[str] = []
    dying = Service("dying", (sys.executable, "-c", "raise SystemExit('no such table')"), {}, never)
    keeper = Kept(dying, tmp_path / "log", said.append, lambda: None)

    with pytest.raises(StackError, match=r"dying died at its start \(exit code 1\)(.|\n)*no such table"):
        await keeper.keep()
    assert keeper.starts == 1


async def test_stopping_ends_a_process_that_will_not_hear_and_its_children(tmp_path: Path) -> None:
    deaf = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "print(child.pid, flush=True); time.sleep(600)"
    )
    log = tmp_path / "log"
    child = await Child.start("deaf", (sys.executable, "-c", deaf), dict(os.environ), log)
    await until(lambda: len(log.read_text().split("\n")) > 2)
    grandchild = int(log.read_text().split("\n")[1])

    await child.stop(0.2)

    assert not child.running
    await until(lambda: not lives(grandchild))


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
async def test_a_supervisor_that_is_killed_takes_its_children_with_it(tmp_path: Path) -> None:
    supervisor = (
        "import asyncio, os, sys; from pathlib import Path; from vtid.cli.processes import Child\n"
        "async def main():\n"
        f"    child = await Child.start('c', (sys.executable, '-c', {FOREVER!r}), dict(os.environ), Path(sys.argv[1]))\n"
        "    print(child.pid, flush=True)\n"
        "    await child.wait()\n"
        "asyncio.run(main())"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", supervisor, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    child = int(parent.stdout.readline())

    parent.kill()
    parent.wait()

    await until(lambda: not lives(child))


def test_a_busy_port_is_named_with_who_needs_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(PortBusy, match=f"port {port} is in use, and the API needs it; stop it"):
            claim(port, "the API", "stop it")


def test_free_ports_are_different_ones() -> None:
    assert len(set(free_ports(5))) == 5


def test_the_addresses_are_for_their_owner_only_and_whole(tmp_path: Path) -> None:
    addresses = Addresses("http://a", "t", "u", None, "key", pids={"api": 1})

    write_addresses(tmp_path, addresses)

    assert read_addresses(tmp_path) == addresses
    assert dev_json(tmp_path).stat().st_mode & 0o777 == 0o600


def test_keys_outlive_a_restart_of_the_stack(tmp_path: Path) -> None:
    assert keys(tmp_path) == keys(tmp_path)


def test_two_stacks_never_share_a_data_directory(tmp_path: Path) -> None:
    with lock(tmp_path), pytest.raises(DirectoryBusy):
        lock(tmp_path)
