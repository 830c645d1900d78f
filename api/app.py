"""The API as one FastAPI application, built from parts that are handed in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from api import mcp, problems
from api.auth import Authenticator, Guests
from api.claims import Claims
from api.description import describe
from api.drift import Drifts
from api.engine import Engine
from api.envelope import Envelope, crash_answer
from api.explaining import Explainer
from api.files import Files
from api.gateway import refusals
from api.gateway.counter import Counter
from api.gateway.results import Results
from api.gateway.routes import NOUNS
from api.gateway.witness import Witness
from api.idempotency import Idempotent
from api.kept import Kept
from api.leases import LeaseTokens
from api.live import Feed
from api.metrics import Metrics
from api.notifier import Notifier, Secrets
from api.options import Options
from api.presenter import Presenter
from api.proofs import Proofs
from api.queues import Queues
from api.readiness import Readiness
from api.reconciler import Reconciler
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
    system,
    tasks,
    webhooks,
    work_orders,
)
from api.services import PREFIX, Services
from api.starts import Starts
from api.ui_modules import UI
from api.webhooks.attribution import Attribution, ChangeWords
from api.webhooks.inbox import Inbox
from api.webhooks.nudges import Nudges
from api.webhooks.reruns import Reruns
from api.work_orders import WorkDesk
from vtid.configuration.build import BUILD
from vtid.domain.environment import Environment
from vtid.domain.notifications import SOURCES
from vtid.domain.ports import BranchHost, CodeHost, Messenger, ProofSigner, SettingsHost
from vtid.ledger import Ledger
from vtid.ledger.records import LoggedEvent


def create_app(
    ledger: Ledger,
    engine: Engine,
    environments: dict[str, Environment],
    options: Options,
    code_host: CodeHost | None = None,
    words: ChangeWords | None = None,
    settings_host: SettingsHost | None = None,
    branch_host: BranchHost | None = None,
    messenger: Messenger | None = None,
    proof_signer: ProofSigner | None = None,
) -> FastAPI:
    """The application. It owns its background loops, not what it is given.

    code_host: where evidence that old workers name is looked up at receipt; without one the run looks alone.
    words: where it is asked whose change a push or a merge is; without one nobody asks.
    settings_host: where what runs is held against what is declared; without one that cannot be asked.
    branch_host: where a branch's rules and workflows are read; without one that cannot be asked.
    messenger: sends what subscribers want to be told; without one it waits in the ledger.
    proof_signer: signs proof bundles; without one none is given.
    """
    given = _services(
        ledger,
        engine,
        environments,
        options,
        code_host,
        words,
        settings_host,
        branch_host,
        messenger,
        proof_signer,
    )
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
        tasks, board, runs, proofs, events, work_orders, dead_letters, notifications, catalogue, system, session, webhooks,
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


def _services(
    ledger: Ledger,
    engine: Engine,
    environments: dict[str, Environment],
    options: Options,
    code_host: CodeHost | None,
    words: ChangeWords | None,
    settings_host: SettingsHost | None,
    branch_host: BranchHost | None,
    messenger: Messenger | None,
    proof_signer: ProofSigner | None,
) -> Services:
    presenter = Presenter(temporal_ui=options.temporal_ui, namespace=options.namespace)
    metrics = Metrics()
    starts = Starts(
        ledger, engine, environments, page_url=options.page_url, max_unfinished=options.max_unfinished
    )
    claims = Claims(ledger, look_seconds=options.look_seconds)
    feed = Feed(ledger, presenter, window=options.window)
    reconciler = Reconciler(
        ledger, engine, starts, presenter, metrics, period_seconds=options.reconcile_seconds
    )
    guests = Guests(options.dev, options.bootstrap, frozenset(options.hosts), options.gateway_networks)
    desk = WorkDesk(ledger, engine, claims, LeaseTokens(options.signing_key))
    attribution = Attribution(ledger, environments, words) if words is not None else None
    nudges = Nudges(ledger, engine)
    witness = Witness(code_host) if code_host is not None else None

    secrets = Secrets(options.signing_key)
    notifier = Notifier(ledger, messenger, secrets, metrics, page_url=options.page_url)

    def tell(event: LoggedEvent) -> None:
        if event.type.startswith(("work_order.", "system.")):
            claims.wake()
        if event.type.startswith("system."):
            reconciler.hurry()
        if event.type in SOURCES:
            notifier.hurry()

    feed.on_event(tell)
    return Services(
        ledger=ledger,
        engine=engine,
        environments=environments,
        auth=Authenticator(ledger.keys, guests, options.signing_key),
        presenter=presenter,
        starts=starts,
        claims=claims,
        desk=desk,
        counter=Counter(ledger, desk, options),
        results=Results(ledger, desk, environments, witness, look_seconds=options.gateway_look_seconds),
        drifts=Drifts(environments, settings_host),
        queues=Queues(environments, branch_host),
        explainer=Explainer(ledger, environments, code_host),
        proofs=Proofs(ledger, presenter, proof_signer),
        inbox=Inbox(
            ledger,
            environments,
            nudges,
            Reruns(ledger, engine),
            attribution,
            metrics,
            secrets=options.webhook_secrets,
        ),
        feed=feed,
        reconciler=reconciler,
        readiness=Readiness(ledger, engine),
        metrics=metrics,
        notifier=notifier,
        secrets=secrets,
        destinations=options.destinations,
    )


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
