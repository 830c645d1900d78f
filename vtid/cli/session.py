"""Which API a command speaks to and as whom, and how the four options that every command has are added to it."""

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from vtid.cli.exits import CommandFailed, Exit

DEFAULT_API = "http://127.0.0.1:8700"
DEFAULT_DATA_DIR = Path(".vtid")


@dataclass(frozen=True)
class Session:
    """What the options, the environment and the running stack say, in this order."""

    api_url: str | None
    api_token: str | None
    data_dir: Path
    as_json: bool
    named: bool = False  # somebody said which API or which stack is meant

    @property
    def api(self) -> str:
        """The API's address, without a slash at its end."""
        return (self.api_url or self._of_stack("api") or DEFAULT_API).rstrip("/")

    @property
    def token(self) -> str | None:
        """The key. The stack's own is used for the stack's own address only."""
        if self.api_token:
            return self.api_token
        if file := os.environ.get("VTID_API_TOKEN_FILE"):
            return content("VTID_API_TOKEN_FILE", Path(file))
        return self._of_stack("token") if self.api == self._of_stack("api") else None

    def _of_stack(self, key: str) -> str | None:
        from vtid.cli.addresses import read_addresses

        addresses = read_addresses(self.data_dir)
        return getattr(addresses, key) if addresses else None


def content(variable: str, file: Path) -> str:
    """The secret in a file that a variable names. Raises CommandFailed."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise CommandFailed(f"{variable} cannot be read: {error}", Exit.USAGE) from error


_ApiUrl = Annotated[
    str | None,
    typer.Option("--api-url", envvar="VTID_API_URL", help="The API; default: the running stack's."),
]
_ApiToken = Annotated[
    str | None,
    typer.Option("--api-token", envvar="VTID_API_TOKEN", help="The API key; default: the running stack's."),
]
DataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir", envvar="VTID_DATA_DIR", help="Where the stack keeps databases, logs and keys."
    ),
]
_MaybeDataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="VTID_DATA_DIR",
        help="Where the stack keeps databases, logs and keys.",
        show_default=str(DEFAULT_DATA_DIR),
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Data as JSON on standard output.")]

_KEYWORD = inspect.Parameter.KEYWORD_ONLY
_SHARED = (
    inspect.Parameter("api_url", _KEYWORD, default=None, annotation=_ApiUrl),
    inspect.Parameter("api_token", _KEYWORD, default=None, annotation=_ApiToken),
    inspect.Parameter("data_dir", _KEYWORD, default=None, annotation=_MaybeDataDir),
    inspect.Parameter("as_json", _KEYWORD, default=False, annotation=AsJson),
)

Action = Callable[..., None]


def _session(*, api_url: str | None, api_token: str | None, data_dir: Path | None, as_json: bool) -> Session:
    named = api_url is not None or data_dir is not None
    return Session(api_url, api_token, data_dir or DEFAULT_DATA_DIR, as_json, named)


def command(group: typer.Typer, name: str) -> Callable[[Action], Action]:
    """Register `action(session, …)` as a command that also has the shared options."""

    def register(action: Action) -> Action:
        @wraps(action)
        def run(**given: Any) -> None:
            action(_session(**{shared.name: given.pop(shared.name) for shared in _SHARED}), **given)

        signature = inspect.signature(action, eval_str=True)
        own = [each.replace(kind=_KEYWORD) for each in list(signature.parameters.values())[1:]]
        run.__signature__ = signature.replace(parameters=[*own, *_SHARED])  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in (*own, *_SHARED)}
        group.command(name)(run)
        return action

    return register
