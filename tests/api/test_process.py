"""`python -m api` as a process: starts without Temporal, tells when it is ready, stops at once."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import httpx

from vtid.ledger import Ledger

ROOT = Path(__file__).parents[2]


async def test_it_serves_without_temporal_and_stops_while_a_stream_is_open(
    ledger: Ledger, tmp_path: Path
) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("VTID_", "TEMPORAL_"))}
    env = clean | {
        "VTID_DATA_DIR": str(tmp_path),
        "VTID_BOOTSTRAP_TOKEN": "boot",
        "TEMPORAL_ADDRESS": "127.0.0.1:9",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api", "--port", "0", cwd=ROOT, env=env, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
    assert ready["event"] == "ready"

    async with httpx.AsyncClient(base_url=ready["url"], headers={"Authorization": "Bearer boot"}) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/api/v1/proof-key")).json()["algorithm"] == "ed25519"
        async with client.stream("GET", "/api/v1/events/stream") as stream:
            lines = stream.aiter_lines()
            await anext(lines)
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(30):
                rest = [line async for line in lines]
                code = await process.wait()

    assert any(line.startswith("retry:") for line in rest)
    assert code == 0
    for key in ("lease.key", "proof.key"):
        assert (tmp_path / key).stat().st_mode & 0o777 == 0o600


async def test_a_wrong_setting_is_told_by_name_and_ends_the_process(tmp_path: Path) -> None:
    env = {**os.environ, "VTID_DATA_DIR": str(tmp_path), "VTID_DATABASE_ULR": "x"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api", cwd=ROOT, env=env, stderr=asyncio.subprocess.PIPE
    )
    _, error = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 2
    assert b"VTID_DATABASE_ULR" in error
