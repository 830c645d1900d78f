import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from api.app import create_app, stop
from api.composing import Outside
from api.options import Options
from api.serving import Server
from api.webhooks.attribution import ChangeWords
from tests.api.engine import FakeEngine
from tests.api.stage import SIGNING_KEY, Play
from vtid.configuration.environments import load_environments
from vtid.configuration.settings import SHIPPED_ENVIRONMENTS
from vtid.domain.ports import CodeHost, Messenger, ProofSigner
from vtid.ledger import Ledger
from vtid.ledger.migrate import migrate

OPTIONS = Options(
    signing_key=SIGNING_KEY,
    dev=True,
    bootstrap="bootstrap-secret",
    temporal_ui="http://127.0.0.1:8233",
    look_seconds=0.05,
)
ROLES = ("viewer", "operator", "approver", "admin", "worker")


@pytest.fixture(scope="session")
async def keys() -> dict[str, str]:
    return {role: f"secret-of-{role}" for role in ROLES}


@pytest.fixture(scope="session")
async def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty ledger, to be copied."""
    file = tmp_path_factory.mktemp("blank") / "ledger.db"
    await asyncio.to_thread(migrate, f"sqlite+aiosqlite:///{file}")
    return file


@pytest.fixture
async def ledger(blank: Path, tmp_path: Path) -> AsyncIterator[Ledger]:
    file = shutil.copy(blank, tmp_path)
    opened = await Ledger.open(f"sqlite+aiosqlite:///{file}")
    yield opened
    await opened.close()


Staging = Callable[..., Play]


@pytest.fixture
async def staging(ledger: Ledger, keys: dict[str, str]) -> AsyncIterator[Staging]:
    """Makes apps on one ledger, with options. Without their background loops: a test asks for those by name."""
    for role, secret in keys.items():
        await ledger.keys.create(name=f"{role}-1", role=role, secret=secret)
    made: list[Play] = []

    def make(
        engine: FakeEngine | None = None,
        code_host: CodeHost | None = None,
        words: ChangeWords | None = None,
        messenger: Messenger | None = None,
        proof_signer: ProofSigner | None = None,
        **changed: Any,
    ) -> Play:
        engine, options = engine or FakeEngine(), replace(OPTIONS, **changed)
        environments = load_environments(SHIPPED_ENVIRONMENTS)
        outside = Outside(code_host, words, messenger=messenger, proof_signer=proof_signer)
        app = create_app(ledger, engine, environments, options, outside)
        made.append(Play(app, ledger, engine, keys))
        return made[-1]

    yield make
    for play in made:
        stop(play.app)


@pytest.fixture
async def play(staging: Staging) -> Play:
    return staging()


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """The app on a real socket with its background loops."""
    server = Server(app, host="127.0.0.1", port=0)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.url
    finally:
        stop(app)  # as on a signal; the signal itself would end the tests, too
        server.should_exit = True
        await task


@pytest.fixture
async def url(play: Play) -> AsyncIterator[str]:
    async with serving(play.app) as address:
        yield address
