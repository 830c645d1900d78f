"""The door at `/mcp/`: who comes in, under which name, and what it costs."""

import asyncio
import subprocess
import sys
from typing import Any

import httpx
import pytest

from tests.api.conftest import Staging, serving
from tests.api.stage import Play

from .conftest import ROOT, over_http

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
ACCEPT = {"Accept": "application/json, text/event-stream"}


async def _ask(url: str, play: Play, role: str | None = "worker", **headers: str) -> httpx.Response:
    if role is not None:
        headers["Authorization"] = f"Bearer {play.keys[role]}"
    async with httpx.AsyncClient() as client:
        return await client.post(f"{url}/mcp/", json=PING, headers=ACCEPT | headers)


@pytest.mark.parametrize("role", ["worker", "admin"])
async def test_workers_come_in(url: str, play: Play, role: str) -> None:
    answer = await _ask(url, play, role)

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"


async def test_without_a_key_nobody_comes_in_not_even_here_in_dev(url: str, play: Play) -> None:
    answer = await _ask(url, play, None)

    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_unknown_key_does_not_come_in(url: str, play: Play) -> None:
    answer = await _ask(url, play, None, Authorization="Bearer of-nobody")

    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("role", ["viewer", "operator", "approver"])
async def test_other_roles_do_not_come_in(url: str, play: Play, role: str) -> None:
    answer = await _ask(url, play, role)

    assert (answer.status_code, answer.json()["actual"]) == (403, role)


async def test_a_session_of_the_page_is_no_key(url: str, play: Play) -> None:
    cookie = play.services.auth.cookie
    async with httpx.AsyncClient() as client:
        session = (await client.get(url)).cookies[cookie]

    answer = await _ask(url, play, None, Cookie=f"{cookie}={session}")

    assert answer.status_code == 401


async def test_a_foreign_name_or_page_is_refused(url: str, play: Play) -> None:
    named = await _ask(url, play, Host="evil.example")
    posted = await _ask(url, play, Origin="https://evil.example")

    assert (named.status_code, posted.status_code) == (403, 403)
    assert "VTID_ALLOWED_HOSTS" in named.json()["detail"]


async def test_settings_add_names(staging: Staging) -> None:
    play = staging(hosts=("vtid.example.com",))

    async with serving(play.app) as url:
        answer = await _ask(url, play, Host="vtid.example.com")

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_clients_of_every_age_come_in_with_and_without_the_slash(
    url: str, play: Play, path: str, mode: str
) -> None:
    await play.offer(await play.run())

    async with over_http(url, play.keys["worker"], path=path, mode=mode) as model:
        claim = await model.call("claim_work", worker_id="claude-1")

    assert claim["claimed"]


async def test_there_is_no_session_to_listen_to(url: str, play: Play) -> None:
    async with play.client("worker") as client:
        answer = await client.get("/mcp/", headers=ACCEPT)

    assert answer.status_code == 405


async def test_no_order_goes_to_a_model_that_hung_up(url: str, play: Play) -> None:
    vtid = await play.run()
    call: dict[str, Any] = {"name": "claim_work", "arguments": {"worker_id": "gone", "wait_seconds": 20}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    headers = ACCEPT | {"Authorization": f"Bearer {play.keys['worker']}"}
    async with httpx.AsyncClient() as client:
        asking = asyncio.create_task(client.post(f"{url}/mcp/", json=body, headers=headers))
        while not any(
            each.worker_id == "gone" for each in await play.ledger.workers.list(seen_within_seconds=60)
        ):
            await asyncio.sleep(0.01)
        asking.cancel()

    order_id = await play.offer(vtid)
    claim = await play.claim("here", wait_seconds=5)

    assert (claim.status_code, claim.json()["order_id"]) == (200, order_id)


async def test_many_models_wait_and_one_wins(url: str, play: Play) -> None:
    vtid = await play.run()
    async with over_http(url, play.keys["worker"]) as model:
        waiting = [
            asyncio.create_task(model.call("claim_work", worker_id=f"claude-{n}", wait_seconds=1.5))
            for n in range(10)
        ]
        await asyncio.sleep(0.2)
        await play.offer(vtid)
        claims = await asyncio.gather(*waiting)

    assert sorted(claim["claimed"] for claim in claims) == [False] * 9 + [True]


@pytest.mark.parametrize("module", ["api.app", "vtid.cli.main"])
def test_the_sdk_is_not_loaded_before_it_is_needed(module: str) -> None:
    code = f"import sys, {module}; sys.exit('mcp' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


async def test_what_a_model_does_is_audited_under_the_name_of_its_key(url: str, play: Play) -> None:
    vtid = await play.run()
    await play.offer(vtid)

    async with over_http(url, play.keys["worker"]) as model:
        await model.call("claim_work", worker_id="claude-1")

    (kept,) = [each for each in await play.ledger.audit.list() if each.verb == "order.claim"]
    assert (kept.who, kept.role, kept.target) == ("worker-1", "worker", vtid)
