"""The API to fuzz: real routes on a real ledger, with tasks, runs, orders, dead letters and subscribers in it."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.composing import Outside
from api.engine import Pollers
from tests.api.conftest import OPTIONS, serving
from tests.api.engine import FakeEngine
from tests.api.stage import PULL, SHA, SPEC, Play
from tests.fuzz.fuzzing import Findings, Known, fuzz
from vtid.adapters.proof_signatures import Ed25519Signer, made_key
from vtid.configuration.environments import load_environments
from vtid.configuration.settings import SHIPPED_ENVIRONMENTS
from vtid.domain.change import BranchRules
from vtid.domain.environment import Environment, Service
from vtid.domain.failures import Cause, RunStopped, failure_of
from vtid.domain.group_checks import WorkflowFile
from vtid.domain.notifications import Answer
from vtid.domain.stages import Stage
from vtid.domain.task import spec_hash
from vtid.ledger import Ledger
from vtid.ledger.codec import failure_to_data
from vtid.ledger.migrate import migrate

KEY, WEBHOOK_SECRET = "key-of-the-fuzzer", "a-webhook-secret"
_STOP = RunStopped("PICKUP_TIMEOUT", causes=(Cause("Timeout", "60 s"),))
_BLOCKED = failure_to_data(
    failure_of(_STOP, Stage.WORKER, "pickup", None, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
)


class Bare:
    """vtid.domain.ports.SettingsHost of a place where nothing runs."""

    def settings(self, environment: Environment, service: Service, repository: str) -> None:
        """There is no such service."""


class Queued:
    """vtid.domain.ports.BranchHost whose every branch has a merge queue, and a workflow that is deaf to it."""

    def branch_rules(self, repository: str, branch: str) -> BranchRules:
        return BranchRules(("ci",), merge_queue=True)

    def workflow_files(self, repository: str, branch: str) -> tuple[WorkflowFile, ...]:
        return (WorkflowFile(".github/workflows/ci.yml", ("push",), ("ci",)),)


class Polled(FakeEngine):
    """An engine whose worker is always there."""

    async def pollers(self) -> Pollers:
        return Pollers("", {"": datetime.now(UTC)})


class Nobody:
    """vtid.domain.ports.Messenger for addresses that nobody listens at."""

    async def send(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        return Answer(None, "nobody listens")


async def fuzzed(directory: Path, *, cases: int, seed_number: int) -> Findings:
    """Fuzz a new API whose ledger lies in this directory."""
    shutil.rmtree(directory, ignore_errors=True)
    address = f"sqlite+aiosqlite:///{directory / 'ledger.db'}"
    await asyncio.to_thread(migrate, address)
    ledger = await Ledger.open(address)
    options = replace(
        OPTIONS, gateway_wait_seconds=0.05, gateway_hold_seconds=0.05, webhook_secrets=(WEBHOOK_SECRET,)
    )
    environments = load_environments(SHIPPED_ENVIRONMENTS)
    try:
        await ledger.keys.create(name="fuzzer", role="admin", secret=KEY)
        outside = Outside(
            settings_host=Bare(),
            branch_host=Queued(),
            messenger=Nobody(),
            proof_signer=Ed25519Signer(made_key()),
        )
        app = create_app(ledger, Polled(), environments, options, outside)
        play = Play(app, ledger, app.state.services.engine, {"admin": KEY, "viewer": KEY, "worker": KEY})
        async with serving(app) as url:
            known = await furnished(play)
            return await asyncio.to_thread(
                fuzz, url, KEY, WEBHOOK_SECRET, known, cases=cases, seed_number=seed_number
            )
    finally:
        await ledger.close()


@asynccontextmanager
async def on_a_socket(app: FastAPI) -> AsyncIterator[str]:
    """Any application, served from this loop."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def furnished(play: Play) -> Known:
    """Fill the ledger. Gives the names of what is in it now, by the names that the API has for them."""
    draft, approved, running, blocked = (
        await play.task(approved=False), await play.task(), await play.run(), await play.run(),
    )  # fmt: skip
    await play.tell(blocked, "run.blocked", stage=Stage.WORKER, failure=_BLOCKED, until=None)
    letter = (await play.ledger.dead_letters.get(blocked)).id
    grants = [await play.claimed(f"worker-{number}") for number in range(3)]
    subscribed = [
        (
            await play.post("/notifications", {"name": f"team-{number}", "url": "https://example.com/hook"})
        ).json()
        for number in range(12)  # each may be removed at any moment
    ]
    sent = [await play.post(f"/notifications/{each['id']}/test") for each in subscribed]
    names = [each[key] for each in subscribed for key in ("id", "name")]
    vtids = [draft, approved, running, blocked, *(grant["vtid"] for grant in grants), "VTID-99999"]
    return Known(
        {
            "vtid": vtids,
            "active_vtid": vtids,
            "order_id": [grant["order_id"] for grant in grants],
            "lease": [grant["lease"] for grant in grants],
            "run_id": [grant["run_id"] for grant in grants],
            "worker_id": ["worker-0", "worker-1", "somebody"],
            "id_or_vtid": [letter, blocked],
            "ids": [[letter], [letter, "no-such:1"]],
            "code": ["PICKUP_TIMEOUT", "WORKER_LOST"],
            "move": ["retry", "adopt", "skip", "abandon"],
            "rule": ["VAL-RULE-010"],
            "hash": [spec_hash(SPEC)],
            "markdown": [SPEC],
            "repository": ["acme/shop"],
            "environment": ["dev", "staging"],
            "environments": [["dev"]],
            "name": ["dev", "team-0", "somebody-new"],
            "version": [1, 2],
            "pr_url": [PULL],
            "head_sha": [SHA],
            "key": [KEY],
            "success": [True, False, "true"],
            "summary": ["it is done"],
            "type": ["vtid.evidence.pr_submitted", "vtid.stage.worker.started"],
            "details": [{"url": PULL}, {"vtid": running, "pr_url": PULL}],
            "url": ["https://example.com/hook"],
            "subscription_id": names,
            "subscription": names,
            "delivery_id": [each.json()["id"] for each in sent],
        }
    )
