"""The API as one FastAPI application, built from parts that are handed in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from api import mcp, problems
from api.composing import ALONE, Outside, compose
from api.description import describe
from api.engine import Engine
from api.envelope import Envelope, crash_answer
from api.files import Files
from api.gateway import refusals
from api.gateway.routes import NOUNS
from api.idempotency import Idempotent
from api.kept import Kept
from api.options import Options
from api.routes import (
    board,
    catalogue,
    dead_letters,
    events,
    health,
    notifications,
    page,
    proofs,
    runs,
    session,
    specs,
    system,
    tasks,
    webhooks,
    work_orders,
)
from api.services import PREFIX, Services
from api.ui_modules import UI
from vtid.configuration.build import BUILD
from vtid.domain.environment import Environment
from vtid.ledger import Ledger


def create_app(
    ledger: Ledger,
    engine: Engine,
    environments: dict[str, Environment],
    options: Options,
    outside: Outside = ALONE,
) -> FastAPI:
    """The application. It owns its background loops, not what it is given."""
    given = compose(ledger, engine, environments, options, outside)
    app = FastAPI(
        title="VTID runs",
        version=BUILD.version,
        docs_url=None,  # both pages load scripts of other sites, which our policy forbids
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.services = given
    problems.install(app)
    app.mount("/ui", Files(UI), name="ui")  # before a hundred routes that are none of it
    for noun in (
        tasks, specs, board, runs, proofs, events, work_orders, dead_letters, notifications, catalogue, system, session, webhooks,
    ):  # fmt: skip
        app.include_router(noun.router, responses=problems.RESPONSES)
    for old in NOUNS:
        app.include_router(old.router, responses=refusals.RESPONSES)
    app.include_router(webhooks.door, responses=problems.RESPONSES)
    app.include_router(health.router)
    app.include_router(page.router)
    app.router.routes.extend(mcp.routes(app, given.auth))
    app.router.routes.append(page.Nowhere())
    hashes = page.inline_script_hashes()
    app.add_middleware(Idempotent, store=ledger.idempotency, auth=given.auth, prefix=PREFIX)
    app.add_middleware(Kept, ledger=ledger, auth=given.auth, presenter=given.presenter, prefix=PREFIX)
    app.add_middleware(Envelope, metrics=given.metrics, script_hashes=hashes)
    app.add_exception_handler(Exception, crash_answer(hashes))
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    given: Services = app.state.services
    loops = [
        asyncio.create_task(given.feed.run(), name="feed"),
        asyncio.create_task(given.reconciler.run(), name="reconciler"),
        asyncio.create_task(given.results.run(), name="unread evidence"),
        asyncio.create_task(given.inbox.run(), name="webhooks"),
        asyncio.create_task(given.notifier.run(), name="notifier"),
    ]
    try:
        yield
    finally:
        stop(app)
        for loop in loops:
            loop.cancel()
            with suppress(asyncio.CancelledError):
                await loop


def stop(app: FastAPI) -> None:
    """End streams and long polls, which would keep the process from stopping."""
    given: Services = app.state.services
    given.feed.close()
    given.claims.close()
    given.counter.close()
    given.results.close()
    given.inbox.close()
