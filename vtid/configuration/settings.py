"""Settings of every process, from environment variables with the prefix `VTID_`.

A name that we do not know is an error, so a slip of the pen cannot silently leave a default in force.
Each secret may also come from a file, named by the same variable with the suffix `_FILE`.
"""

import difflib
import os
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from vtid.domain.credentials import AppKey, Credentials

PREFIX = "VTID_"
FILE_SUFFIX = "_FILE"
SHIPPED_ENVIRONMENTS = Path(__file__).parents[2] / "environments.yaml"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class ConfigurationError(Exception):
    """A setting or a declaration is wrong. The text names the place, the problem and what is allowed."""


def closest(name: str, allowed: list[str]) -> str:
    """` (did you mean X?)` when one of the allowed names looks like this one, else nothing."""
    near = difflib.get_close_matches(name, allowed, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("expected an address like https://host or http://127.0.0.1:8700")
    return value.rstrip("/")


def safe_web_address(value: str) -> str:
    """The address without a slash at its end. Raises ValueError unless it is https://, or http:// on loopback."""
    address = _web_address(value)
    parts = urlsplit(address)
    # Credentials travel to these addresses, so plain HTTP may not leave the machine.
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError("plain http:// is allowed for loopback only (127.0.0.1, localhost); use https://")
    return address


def _database_address(value: str) -> str:
    if not value.startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")):
        raise ValueError("expected sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER@HOST/NAME")
    return value


def _listening_address(value: str) -> str:
    try:
        parts = urlsplit(f"//{value}")
        ip_address(parts.hostname or "")
        port = parts.port or 0  # a port that nobody knows cannot be scraped, so 0 is none
    except ValueError:
        port = 0
    if not port or value != parts.netloc or "@" in value:
        raise ValueError("expected IP:PORT with a port of 1 to 65535, like 127.0.0.1:9464 or [::]:9464")
    return value


def _rsa_key(value: SecretStr) -> SecretStr:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if not isinstance(_private_key(value), RSAPrivateKey):
        raise ValueError(
            "expected an RSA key in PEM, without a password: the file that GitHub gives for the App"
        )
    return value


def _ed25519_key(value: SecretStr) -> SecretStr:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if not isinstance(_private_key(value), Ed25519PrivateKey):
        raise ValueError(
            "expected an Ed25519 private key in PEM, without a password; the path of such a file goes into VTID_PROOF_KEY_FILE"
        )
    return value


def _private_key(pem: SecretStr) -> object:
    """The key, of whatever kind; None when there is none, or only for who has a password."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(pem.get_secret_value().encode(), password=None)
    except (ValueError, TypeError):  # the library's text may quote the key
        return None


def _comma_separated(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]
SafeWebAddress = Annotated[str, AfterValidator(safe_web_address)]


class Settings(BaseModel):
    """What a process must know before it starts. Build it with `Settings.load()`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: str = Field(
        "dev",
        min_length=1,
        description="an environment of environments.yaml. `dev`: calls from loopback need no key; else every call needs one",
    )
    data_dir: Path = Field(Path(".vtid"), description="where the development stack keeps its files")
    database_url: Annotated[str, AfterValidator(_database_address)] = Field(
        "", repr=False, description="the ledger; default: SQLite in the data directory"
    )
    environments: Path | None = Field(None, description="another environments.yaml")
    api_url: WebAddress = Field(
        "http://127.0.0.1:8700", description="where the command and the page's links find the API"
    )
    api_token: SecretStr | None = Field(None, description="the API key that the command sends")
    github_api_url: SafeWebAddress = Field("https://api.github.com", description="GitHub's REST API")
    github_token: SecretStr | None = Field(None, description="our token on GitHub, where we are no App")
    github_app_id: int | None = Field(None, ge=1, description="our App on GitHub, in place of a token")
    github_app_private_key: Annotated[SecretStr, AfterValidator(_rsa_key)] | None = Field(
        None, description="the App's private key, in PEM"
    )
    github_app_installation_id: int | None = Field(
        None, ge=1, description="which of the App's installations is ours; none: its only one"
    )
    github_webhook_secret: SecretStr | None = Field(None, description="signs GitHub's webhooks")
    github_webhook_secret_previous: SecretStr | None = Field(
        None, description="also good while GitHub's webhooks change from it to the new one"
    )
    cloud_run_url: SafeWebAddress | None = Field(None, description="Cloud Run's API; none: Google's own")
    lease_key: SecretStr | None = Field(
        None,
        description="signs leases, sessions and notifications; the same for all API processes. None: made in the data directory",
    )
    proof_key: Annotated[SecretStr, AfterValidator(_ed25519_key)] | None = Field(
        None,
        description="signs proof bundles: an Ed25519 private key in PEM; the same for all API processes. None: made in the data directory in `dev`, elsewhere no bundle is given",
    )
    bootstrap_token: SecretStr | None = Field(None, description="admin key of a development stack")
    page_url: WebAddress | None = Field(
        None, description="where people see the page; none: the API's address"
    )
    temporal_ui_url: WebAddress | None = Field(None, description="Temporal's web UI, for links")
    worker_metrics_address: Annotated[str, AfterValidator(_listening_address)] | None = Field(
        None,
        description="IP:PORT at which the worker gives its numbers to Prometheus (`/metrics`), to anybody who asks; none: nowhere",
    )
    worker_versioning: Literal["pinned", "off"] | None = Field(
        None,
        description="`pinned`: a run ends with the build of the worker that began it; `off`: with whatever worker is there. None: `off` in `dev`, else `pinned`",
    )
    gateway_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_comma_separated)] = (
        Field(
            (),
            description="networks from which workers of the old gateway may call without a key, comma-separated",
        )
    )
    notify_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_comma_separated)] = (
        Field((), description="private networks into which notifications may be sent, comma-separated")
    )
    allowed_hosts: Annotated[tuple[str, ...], BeforeValidator(_comma_separated)] = Field(
        (), description="host names that the API answers to beside loopback, comma-separated"
    )

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """The settings of this process (or of the given variables). Raises ConfigurationError."""
        variables = os.environ if environ is None else environ
        ours = {name: value for name, value in variables.items() if name.startswith(PREFIX) and value}
        values = _values(ours, list(cls.model_fields))
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigurationError("\n".join(_told(each) for each in error.errors())) from None

    @model_validator(mode="after")
    def _says_once_who_it_is(self) -> Self:
        named = [each for each in ("app_id", "app_private_key") if getattr(self, f"github_{each}")]
        if len(named) == 1:
            raise ValueError("VTID_GITHUB_APP_ID and VTID_GITHUB_APP_PRIVATE_KEY belong together; set both")
        if self.github_app_installation_id and not named:
            raise ValueError("VTID_GITHUB_APP_INSTALLATION_ID needs VTID_GITHUB_APP_ID beside it")
        if named and self.github_token:
            raise ValueError("VTID_GITHUB_TOKEN and VTID_GITHUB_APP_ID are both set; keep one")
        return self

    def model_post_init(self, context: object) -> None:
        if not self.database_url:
            file = (self.data_dir / "ledger.db").absolute()
            object.__setattr__(self, "database_url", f"sqlite+aiosqlite:///{file}")

    @property
    def github_credentials(self) -> Credentials:
        """What we show to GitHub: our App's key, or a token, which is empty where none is set."""
        if self.github_app_id and self.github_app_private_key:
            key = self.github_app_private_key.get_secret_value()
            return AppKey(self.github_app_id, key, self.github_app_installation_id)
        return self.github_token.get_secret_value() if self.github_token else ""

    @property
    def pins_runs(self) -> bool:
        """Whether a run stays with the build that began it."""
        return (self.worker_versioning or ("off" if self.env == "dev" else "pinned")) == "pinned"

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Every secret that may have signed a webhook of GitHub's: the one in force, then the one before."""
        both = (self.github_webhook_secret, self.github_webhook_secret_previous)
        return tuple(secret.get_secret_value() for secret in both if secret)

    @property
    def secret_values(self) -> tuple[str, ...]:
        """Every credential of this process: what must stand in nothing that it keeps or says."""
        fields = (getattr(self, name) for name in type(self).model_fields)
        values = [field.get_secret_value() for field in fields if isinstance(field, SecretStr)]
        return (*values, *filter(None, [urlsplit(self.database_url).password]))

    @property
    def environments_file(self) -> Path:
        """The environments.yaml to read: the one that is named, or the shipped one."""
        return self.environments or SHIPPED_ENVIRONMENTS


def _values(variables: Mapping[str, str], fields: list[str]) -> dict[str, str]:
    """Field -> value. A variable with the suffix `_FILE` gives the content of that file."""
    allowed = [PREFIX + field.upper() for field in fields]
    values: dict[str, str] = {}
    for name, value in sorted(variables.items()):
        variable = name if name in allowed else name.removesuffix(FILE_SUFFIX)
        if variable not in allowed:
            raise ConfigurationError(
                f"{name} is no setting{closest(variable, allowed)}; known are {', '.join(allowed)}"
            )
        field = variable.removeprefix(PREFIX).lower()
        if field in values:
            raise ConfigurationError(f"{variable} and {variable}{FILE_SUFFIX} are both set; keep one")
        values[field] = value if variable == name else _content(name, Path(value))
    return values


def _content(name: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{name} names {file}, which cannot be read: {error}") from error


def _told(error: Mapping[str, object]) -> str:
    location = error["loc"]
    problem = str(error["msg"]).removeprefix("Value error, ")
    if not isinstance(location, tuple) or not location:  # of several settings, which it names
        return problem
    field = str(location[0])
    secret = any(word in field for word in ("token", "secret", "key", "database"))
    shown = "" if secret else f"={error['input']!r}"
    return f"{PREFIX}{field.upper()}{shown[:200]}: {problem}"
