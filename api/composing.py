"""The parts of the API, put together: what each is given, and which of them hear of new events."""

from collections.abc import Callable
from dataclasses import dataclass

from api.auth import Authenticator, Guests
from api.claims import Claims
from api.drift import Drifts
from api.engine import Engine
from api.explaining import Explainer
from api.gateway.counter import Counter
from api.gateway.results import Results
from api.gateway.witness import Witness
from api.leases import LeaseTokens
from api.live import Feed
from api.metrics import Metrics
from api.notifier import Notifier, Secrets
from api.options import Options
from api.pickup import Pickup
from api.presenter import Presenter
from api.proofs import Proofs
from api.queues import Queues
from api.readiness import Readiness
from api.reconciler import Reconciler
from api.services import Services
from api.starts import Starts
from api.webhooks.attribution import Attribution, ChangeWords
from api.webhooks.inbox import Inbox
from api.webhooks.nudges import Nudges
from api.webhooks.reruns import Reruns
from api.work_orders import WorkDesk
from vtid.domain.environment import Environment
from vtid.domain.notifications import SOURCES
from vtid.domain.ports import BranchHost, CodeHost, Messenger, ProofSigner, SettingsHost
from vtid.ledger import Ledger
from vtid.ledger.records import LoggedEvent


@dataclass(frozen=True)
class Outside:
    """Whom the API itself may ask or tell. What is None cannot be asked, and the API says so.

    code_host: where evidence that old workers name is looked up at receipt; without one the run looks alone.
    words: where it is asked whose change a push or a merge is; without one nobody asks.
    settings_host: where what runs is held against what is declared.
    branch_host: where a branch's rules and workflows are read.
    messenger: sends what subscribers want to be told; without one it waits in the ledger.
    proof_signer: signs proof bundles; without one none is given.
    """

    code_host: CodeHost | None = None
    words: ChangeWords | None = None
    settings_host: SettingsHost | None = None
    branch_host: BranchHost | None = None
    messenger: Messenger | None = None
    proof_signer: ProofSigner | None = None


ALONE = Outside()


def compose(
    ledger: Ledger,
    engine: Engine,
    environments: dict[str, Environment],
    options: Options,
    outside: Outside,
) -> Services:
    """Every part, made once."""
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
    tokens = LeaseTokens(options.signing_key)
    pickup = Pickup(ledger, engine, claims, tokens)
    desk = WorkDesk(ledger, engine, tokens)
    witness = Witness(outside.code_host) if outside.code_host is not None else None
    secrets = Secrets(options.signing_key)
    notifier = Notifier(ledger, outside.messenger, secrets, metrics, page_url=options.page_url)

    feed.on_event(_waking(claims, reconciler, notifier))
    return Services(
        ledger=ledger,
        engine=engine,
        environments=environments,
        auth=Authenticator(ledger.keys, guests, options.signing_key),
        presenter=presenter,
        starts=starts,
        claims=claims,
        pickup=pickup,
        desk=desk,
        counter=Counter(ledger, pickup, desk, options),
        results=Results(ledger, desk, environments, witness, look_seconds=options.gateway_look_seconds),
        drifts=Drifts(environments, outside.settings_host),
        queues=Queues(environments, outside.branch_host),
        explainer=Explainer(ledger, environments, outside.code_host),
        proofs=Proofs(ledger, presenter, outside.proof_signer),
        inbox=_inbox(ledger, engine, environments, options, outside.words, metrics),
        feed=feed,
        reconciler=reconciler,
        readiness=Readiness(ledger, engine),
        metrics=metrics,
        notifier=notifier,
        secrets=secrets,
        destinations=options.destinations,
    )


def _inbox(
    ledger: Ledger,
    engine: Engine,
    environments: dict[str, Environment],
    options: Options,
    words: ChangeWords | None,
    metrics: Metrics,
) -> Inbox:
    attribution = Attribution(ledger, environments, words) if words is not None else None
    nudges, reruns = Nudges(ledger, engine), Reruns(ledger, engine)
    return Inbox(ledger, environments, nudges, reruns, attribution, metrics, secrets=options.webhook_secrets)


def _waking(claims: Claims, reconciler: Reconciler, notifier: Notifier) -> Callable[[LoggedEvent], None]:
    """Who waits for an event looks as soon as it is read."""

    def tell(event: LoggedEvent) -> None:
        if event.type.startswith(("work_order.", "system.")):
            claims.wake()
        if event.type.startswith("system."):
            reconciler.hurry()
        if event.type in SOURCES:
            notifier.hurry()

    return tell
