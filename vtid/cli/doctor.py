"""`vtid doctor`: is everything here that a run needs, and if not, what is to be done."""

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from vtid.cli.addresses import read_addresses
from vtid.cli.branches import State, branch_findings
from vtid.cli.client import headers
from vtid.cli.console import out, print_json
from vtid.cli.exits import Exit
from vtid.cli.layout import temporal_binary
from vtid.cli.session import Session
from vtid.cli.supervisor import StackError
from vtid.configuration.environments import load_environments
from vtid.configuration.settings import ConfigurationError, Settings

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Row:
    """One check: how it stands, and one sentence that says what was found or what to do.

    `unknown` is neither good nor bad: it could not be asked.
    """

    check: str
    state: State
    says: str


def doctor(session: Session) -> Exit:
    """Print every check; FAILED when one of them fails."""
    rows = [row for check in _CHECKS for row in check(session)]
    if session.as_json:
        print_json({"ok": all(row.state != "fail" for row in rows), "checks": [asdict(row) for row in rows]})
    else:
        _table(rows)
    return Exit.FAILED if any(row.state == "fail" for row in rows) else Exit.OK


def _table(rows: list[Row]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    styles = {
        "ok": ("✔ ok", "green"),
        "warn": ("! warn", "yellow"),
        "fail": ("✘ fail", "red"),
        "unknown": ("? unknown", "cyan"),
    }
    for row in rows:
        mark, style = styles[row.state]
        table.add_row(Text(mark, style=style), Text(row.check), Text(row.says, overflow="fold"))
    out().print(table)


def _python(_: Session) -> Iterator[Row]:
    version = platform.python_version()
    good = sys.version_info >= (3, 11)
    yield Row(
        "python", "ok" if good else "fail", version if good else f"{version} is too old; use 3.11 or newer"
    )


def _temporal(_: Session) -> Iterator[Row]:
    try:
        asked = subprocess.run(
            [temporal_binary(), "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (StackError, OSError, subprocess.SubprocessError) as error:
        yield Row("temporal program", "fail", f"{error}; run `make setup`")
    else:
        yield Row("temporal program", "ok", asked.stdout.strip())


def _settings(session: Session) -> Iterator[Row]:
    try:
        settings = Settings.load({**os.environ, "VTID_DATA_DIR": str(session.data_dir)})
    except ConfigurationError as error:
        yield Row("settings", "fail", str(error))
        return
    yield Row("settings", "ok", f"environment {settings.env}")
    yield from _environments(settings)
    yield _proof_key(settings)
    stack = read_addresses(session.data_dir)
    if stack and stack.simulator:
        yield Row("GitHub and Cloud Run", "ok", f"simulated at {stack.simulator}")
    else:
        yield _github(settings)
        yield _cloud_run(settings)


def _environments(settings: Settings) -> Iterator[Row]:
    try:
        declared = load_environments(settings.environments_file)
    except ConfigurationError as error:
        yield Row("environments", "fail", str(error))
        return
    known = settings.env in declared
    says = f"{settings.environments_file.name} declares {', '.join(declared)}"
    yield Row("environments", "ok" if known else "fail", says if known else f"{says}, but not {settings.env}")


def _proof_key(settings: Settings) -> Row:
    if settings.proof_key:
        return Row("proof key", "ok", "set: proof bundles are signed with it")
    if settings.env == "dev":
        return Row("proof key", "ok", f"the API makes its own in {settings.data_dir / 'proof.key'}")
    return Row(
        "proof key", "warn", "none, so no proof bundle is given; set VTID_PROOF_KEY_FILE (docs/proofs.md)"
    )


def _github(settings: Settings) -> Row:
    if settings.github_credentials:
        which = f"App {settings.github_app_id}" if settings.github_app_id else "a token"
        return Row("GitHub", "ok", f"{which} for {settings.github_api_url} is set")
    if urlsplit(settings.github_api_url).hostname in _LOOPBACK:
        return Row("GitHub", "ok", f"on this machine at {settings.github_api_url}")
    return Row(
        "GitHub",
        "warn",
        "no credentials; set VTID_GITHUB_APP_ID and its key, or VTID_GITHUB_TOKEN, or simulate with `vtid dev --simulate`",
    )


def _cloud_run(settings: Settings) -> Row:
    if not _is_on_cloud_run(settings):
        return Row("Cloud Run", "ok", f"no service of {settings.env} runs there")
    if settings.cloud_run_url:
        return Row("Cloud Run", "ok", f"at {settings.cloud_run_url}")
    usual = Path.home() / ".config" / "gcloud" / "application_default_credentials.json"
    named = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    file = Path(named) if named else usual
    if file.is_file():
        return Row("Cloud Run", "ok", f"Google's credentials are in {file}")
    if named:
        return Row("Cloud Run", "fail", f"GOOGLE_APPLICATION_CREDENTIALS names {file}, which is not there")
    return Row(
        "Cloud Run",
        "warn",
        "no credentials; run `gcloud auth application-default login`, or simulate with `vtid dev --simulate`",
    )


def _is_on_cloud_run(settings: Settings) -> bool:
    """Whether Google is asked about any service of our environment; one that is not declared is told by its own row."""
    try:
        services = load_environments(settings.environments_file)[settings.env].services
    except (ConfigurationError, KeyError):
        return True
    asked = (each.host == "cloud_run" or each.version_auth == "id_token" for each in services)
    return not services or any(asked)


def _api(session: Session) -> Iterator[Row]:
    """The API and what it says of database, Temporal and worker."""
    expected = session.named or read_addresses(session.data_dir) is not None
    try:
        with httpx.Client(base_url=session.api, headers=headers(session), timeout=10) as client:
            ready = client.get("/readyz")
            mine = client.get("/api/v1/tasks", params={"limit": 1})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        says = f"{session.api} does not answer ({error}); start it with `vtid dev`"
        yield Row("API", "fail" if expected else "warn", says)
        return
    yield Row("API", "ok", f"{session.api} answers")
    yield from _parts(ready)
    signed_in = mine.status_code not in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
    advice = "not accepted; give one with --api-token or VTID_API_TOKEN"
    yield Row("API key", "ok" if signed_in else "fail", "accepted" if signed_in else advice)


def _parts(ready: httpx.Response) -> Iterator[Row]:
    try:
        body = ready.json()
    except ValueError:
        yield Row("ready", "fail", f"/readyz answers {ready.status_code} and no JSON; is this our API?")
        return
    parts = body.get("checks", body)
    for name in ("database", "temporal", "worker"):
        part = parts.get(name) or {}
        age = part.get("age_seconds")
        says = str(part.get("says") or "not told") + (f" ({age:g} s ago)" if age else "")
        yield Row(name, "ok" if part.get("ok") else "fail", says)


def _simulator(session: Session) -> Iterator[Row]:
    stack = read_addresses(session.data_dir)
    if stack is None or stack.simulator is None:
        return
    try:
        good = httpx.get(f"{stack.simulator}/_sim/journal", timeout=10).is_success
    except httpx.HTTPError:
        good = False
    yield Row(
        "simulator", "ok" if good else "fail", f"{stack.simulator} {'answers' if good else 'does not answer'}"
    )


def _branches(session: Session) -> Iterator[Row]:
    for about, state, says in branch_findings(session):
        yield Row(about, state, says)


_CHECKS: tuple[Callable[[Session], Iterator[Row]], ...] = (
    _python,
    _temporal,
    _settings,
    _api,
    _simulator,
    _branches,
)
