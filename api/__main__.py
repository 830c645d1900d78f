"""`python -m api`: the API as a process. Ports meet adapters here and nowhere else."""

import argparse
import asyncio
import logging
import sys

import structlog

from api.app import create_app
from api.composing import Outside
from api.key_files import kept
from api.leases import kept_key
from api.options import Options
from api.runs import Runs
from api.serving import PortTaken, Server, listen
from vtid.adapters.github import GitHub
from vtid.adapters.hosts import service_hosts
from vtid.adapters.http_probe import HttpProbe
from vtid.adapters.messenger import HttpMessenger
from vtid.adapters.proof_signatures import Ed25519Signer, NotAKey, made_key
from vtid.configuration.environments import load_environments
from vtid.configuration.settings import ConfigurationError, Settings
from vtid.ledger import Ledger, LedgerUnavailable, NotMigrated
from workflows.connection import connect


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m api", description="Serve the HTTP API and the page.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8700, help="0 takes a free one")
    return parser.parse_args()


def _options(settings: Settings, namespace: str) -> Options:
    key = settings.lease_key.get_secret_value() if settings.lease_key else kept_key(settings.data_dir)
    bootstrap = settings.bootstrap_token
    return Options(
        signing_key=key,
        dev=settings.env == "dev",
        bootstrap=bootstrap.get_secret_value() if bootstrap else None,
        gateway_networks=settings.gateway_networks,
        notify_networks=settings.notify_networks,
        hosts=tuple(host.lower() for host in settings.allowed_hosts),
        page_url=settings.page_url or settings.api_url,
        temporal_ui=settings.temporal_ui_url,
        namespace=namespace,
        webhook_secrets=settings.webhook_secrets,
    )


def proof_signer(settings: Settings) -> Ed25519Signer | None:
    """None: no bundle is given. A key that nobody chose signs nothing outside of `dev`: who would know it again?"""
    if settings.proof_key is not None:
        return Ed25519Signer(settings.proof_key.get_secret_value())
    if settings.env != "dev":
        return None
    file = settings.data_dir / "proof.key"
    try:
        return Ed25519Signer(kept(file, made_key))
    except NotAKey as error:
        raise ConfigurationError(f"{file}: {error}; take it away, and another one is made") from error


async def _serve(host: str, port: int) -> None:
    settings = Settings.load()
    environments = load_environments(settings.environments_file)
    listening = listen(host, port)
    ledger = await Ledger.open(settings.database_url)
    try:
        runs = Runs(await connect(lazy=True))  # Temporal may come up after us, or go and come back
        code_host = GitHub(settings.github_api_url, settings.github_credentials)
        options = _options(settings, runs.namespace)
        messenger = HttpMessenger(options.destinations)
        outside = Outside(
            code_host=code_host,
            words=code_host,
            settings_host=service_hosts(settings.cloud_run_url, HttpProbe()),
            branch_host=code_host,
            messenger=messenger,
            proof_signer=proof_signer(settings),
        )
        app = create_app(ledger, runs, environments, options, outside)
        try:
            await Server(app, host=host, port=port).serve(sockets=[listening])
        finally:
            await messenger.close()
    finally:
        await ledger.close()


def main() -> None:
    """Serve until told to stop. Exits with 2 when the configuration is wrong, with 9 when the ledger is out of reach."""
    arguments = _arguments()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    structlog.configure(
        processors=[structlog.processors.TimeStamper(fmt="iso"), structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        asyncio.run(_serve(arguments.host, arguments.port))
    except (ConfigurationError, NotMigrated, PortTaken, LedgerUnavailable) as error:
        sys.stderr.write(f"api: {error}\n")
        sys.exit(9 if isinstance(error, LedgerUnavailable) else 2)


if __name__ == "__main__":
    main()
