"""What is done beside the API: `vtid migrate`, `vtid token create`, `vtid version`."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path

from vtid.cli.addresses import stack_dir
from vtid.cli.console import print_json, tell
from vtid.cli.exits import CommandFailed, Exit

ROLES = ("viewer", "operator", "approver", "admin", "worker")


def migrate(data_dir: Path, *, as_json: bool) -> None:
    """Bring the database to its newest form; a repeat changes nothing."""
    from vtid.ledger.errors import LedgerUnavailable
    from vtid.ledger.migrate import head_of
    from vtid.ledger.migrate import migrate as to_head

    url = _database(data_dir)
    try:
        to_head(url)
        revision = head_of(url)
    except LedgerUnavailable as error:
        raise CommandFailed(str(error), Exit.UNREACHABLE) from error
    if as_json:
        print_json({"revision": revision})
    else:
        print(f"the ledger stands at {revision}")


def create_token(data_dir: Path, *, role: str, name: str, days: float | None, as_json: bool) -> None:
    """Make a key and show it once. Raises CommandFailed for a role that does not exist."""
    if role not in ROLES:
        raise CommandFailed(f"{role!r} is no role; there are {', '.join(ROLES)}", Exit.USAGE)
    expires_at = datetime.now(UTC) + timedelta(days=days) if days is not None else None
    secret = asyncio.run(_made(_ledger_in_use(data_dir), name, role, expires_at))
    if as_json:
        print_json({"name": name, "role": role, "expires_at": expires_at, "token": secret})
    else:
        tell(f"the key of {name} ({role}); it is not shown again:")
        print(secret)


def show_version(*, as_json: bool) -> None:
    """The installed version."""
    try:
        installed = version_of("vtid")
    except PackageNotFoundError as error:
        raise CommandFailed("vtid is not installed here; run `make setup`") from error
    if as_json:
        print_json({"version": installed})
    else:
        print(installed)


def _ledger_in_use(data_dir: Path) -> str:
    """The ledger of the running stack or of the settings. Raises CommandFailed when it is a file that is not there.

    To open such a file would make it: a key in an empty ledger, which no API ever reads.
    """
    from sqlalchemy import make_url

    stack = stack_dir(data_dir)
    database = _database(stack or data_dir)
    url = make_url(database)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        found = "the running stack has no ledger yet" if stack else "no running stack"
        raise CommandFailed(
            f"{found}, and no file {url.database}; name --data-dir or VTID_DATABASE_URL", Exit.UNREACHABLE
        )
    return database


def _database(data_dir: Path) -> str:
    from vtid.configuration.settings import ConfigurationError, Settings

    try:
        return Settings.load({**os.environ, "VTID_DATA_DIR": str(data_dir)}).database_url
    except ConfigurationError as error:
        raise CommandFailed(str(error), Exit.USAGE) from error


async def _made(database_url: str, name: str, role: str, expires_at: datetime | None) -> str:
    from vtid.ledger import Ledger, LedgerUnavailable, NotMigrated, Refusal

    try:
        ledger = await Ledger.open(database_url)
    except LedgerUnavailable as error:
        raise CommandFailed(str(error), Exit.UNREACHABLE) from error
    except NotMigrated as error:
        raise CommandFailed(str(error)) from error
    try:
        return await ledger.keys.create(name=name, role=role, expires_at=expires_at)
    except Refusal as refusal:
        raise CommandFailed(f"{refusal.message}; take another --name", Exit.CONFLICT) from refusal
    finally:
        await ledger.close()
