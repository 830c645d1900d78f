"""Worker and API as processes: what they say when they cannot begin, and that they go when they are told to."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from api.serving import listen
from vtid.cli.layout import ROOT
from vtid.cli.ports import LOOPBACK, free_ports
from vtid.ledger.migrate import migrate

WORKER = (sys.executable, "worker.py")
API = (sys.executable, "-m", "api", "--port")


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    """An environment of its own, whose ledger is empty and whose Temporal is nowhere."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("TEMPORAL_", "VTID_"))}
    (nobody,) = free_ports(1)
    return own | {
        "VTID_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}",
        "VTID_DATA_DIR": str(tmp_path),
        "TEMPORAL_ADDRESS": f"{LOOPBACK}:{nobody}",
        "TEMPORAL_CONFIG_FILE": os.devnull,
    }


def refused(argv: tuple[str, ...], place: dict[str, str]) -> tuple[int, str]:
    """(exit code, the one line that it says)"""
    ran = subprocess.run(argv, cwd=ROOT, env=place, capture_output=True, text=True, timeout=60, check=False)
    (line,) = ran.stderr.splitlines()
    return ran.returncode, line


@pytest.mark.parametrize("argv", [WORKER, (*API, "0")], ids=["worker", "api"])
def test_a_ledger_that_is_not_migrated_is_one_line(argv: tuple[str, ...], place: dict[str, str]) -> None:
    code, line = refused(argv, place)

    assert (code, "run `vtid migrate`" in line) == (2, True)


@pytest.mark.parametrize("argv", [WORKER, (*API, "0")], ids=["worker", "api"])
def test_a_ledger_that_does_not_answer_is_one_line(argv: tuple[str, ...], place: dict[str, str]) -> None:
    (nobody,) = free_ports(1)
    place["VTID_DATABASE_URL"] = f"postgresql+asyncpg://vtid:hidden@{LOOPBACK}:{nobody}/vtid"

    code, line = refused(argv, place)

    assert (code, "the ledger cannot be asked" in line, "hidden" in line) == (9, True, False)


def test_a_temporal_that_does_not_answer_is_one_line_of_the_worker(place: dict[str, str]) -> None:
    migrate(place["VTID_DATABASE_URL"])

    code, line = refused(WORKER, place)

    assert (code, line.startswith(f"worker: Temporal does not answer at {place['TEMPORAL_ADDRESS']}")) == (
        9,
        True,
    )


def test_an_address_for_metrics_that_is_taken_is_one_line_of_the_worker(place: dict[str, str]) -> None:
    migrate(place["VTID_DATABASE_URL"])
    with socket.create_server((LOOPBACK, 0)) as taken:
        place["VTID_WORKER_METRICS_ADDRESS"] = address = f"{LOOPBACK}:{taken.getsockname()[1]}"

        code, line = refused(WORKER, place)

    assert (code, f"VTID_WORKER_METRICS_ADDRESS={address}: " in line, "in use" in line) == (2, True, True)


def test_a_port_that_is_taken_is_one_line_of_the_api(place: dict[str, str]) -> None:
    migrate(place["VTID_DATABASE_URL"])
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = str(taken.getsockname()[1])

        code, line = refused((*API, port), place)

    assert (code, f"port {port}" in line) == (2, True)


def test_an_api_without_temporal_serves_and_ends_in_order_when_it_is_told_to(place: dict[str, str]) -> None:
    migrate(place["VTID_DATABASE_URL"])
    with subprocess.Popen((*API, "0"), cwd=ROOT, env=place, stdout=subprocess.PIPE, text=True) as api:
        assert api.stdout is not None
        assert '"ready"' in api.stdout.readline()
        api.send_signal(signal.SIGTERM)

        assert api.wait(20) == 0


async def test_what_is_sent_leaves_at_once() -> None:
    accepted = asyncio.get_running_loop().create_future()
    with listen(LOOPBACK, 0) as listening:
        server = await asyncio.start_server(lambda _, writer: accepted.set_result(writer), sock=listening)
        async with server:
            _, ours = await asyncio.open_connection(*listening.getsockname())
            theirs: asyncio.StreamWriter = await accepted
            taken = theirs.get_extra_info("socket")
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
            for each in (ours, theirs):
                each.close()
