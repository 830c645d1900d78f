"""Who calls, and what they may: bearer keys for programs, a session cookie for the page."""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

import jwt
from starlette.requests import HTTPConnection

from api.gateway.paths import is_foreign_key, is_gateway
from api.problems import Problem
from vtid.ledger import LedgerUnavailable
from vtid.ledger.keys import Keys

BOOTSTRAP = "bootstrap"
OLD_WORKER = "gateway"  # a worker of the old gateway that sent no credentials
SESSION_HOURS = 12
_FRESH_SECONDS = 60.0
# While the ledger is out of reach nobody can revoke a key either, so a key known lately stays good:
# an outage must not kill a healthy lease.
_KEPT_SECONDS = 900.0
_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "[::1]", "::1"}


class Role(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"
    WORKER = "worker"


_LADDER = (Role.VIEWER, Role.OPERATOR, Role.APPROVER, Role.ADMIN)


@dataclass(frozen=True)
class Principal:
    """Somebody whose credentials hold. `name` stands in events and in the audit."""

    name: str
    role: Role

    def may(self, *needed: Role) -> bool:
        """Whether this role covers one of the needed ones: admin ⊇ approver ⊇ operator ⊇ viewer, worker apart."""
        return any(self._covers(each) for each in needed)

    def _covers(self, needed: Role) -> bool:
        if Role.WORKER in (self.role, needed):
            return self.role is needed or self.role is Role.ADMIN
        return _LADDER.index(self.role) >= _LADDER.index(needed)


@dataclass(frozen=True)
class Session:
    """How a caller is known. kind: `session` (the page's cookie) or `key`; expires_at None: it does not."""

    principal: Principal
    expires_at: datetime | None
    kind: str


@dataclass(frozen=True)
class _Known:
    principal: Principal
    expires_at: datetime | None
    asked_at: float


@dataclass(frozen=True)
class Guests:
    """Who is let in without a key of the ledger.

    bootstrap: the key of `vtid dev`, good on loopback in environment dev only. hosts: names under which
    the page may be opened besides loopback. networks: from where workers of the old gateway, which know
    no keys, may call its paths; loopback in dev is always one.
    """

    dev: bool
    bootstrap: str | None
    hosts: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()


class Authenticator:
    """Turns a request's credentials into a principal. Raises Problem UNAUTHENTICATED or FORBIDDEN."""

    def __init__(
        self, keys: Keys, guests: Guests, session_key: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys = keys
        self._guests = guests
        self._session_key = session_key
        # Cookies know no ports, so two installations on one machine need two names.
        self.cookie = f"vtid_session_{hashlib.sha256(session_key.encode()).hexdigest()[:8]}"
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._roles: tuple[float, Mapping[str, str]] = (-_KEPT_SECONDS, {})

    async def principal_of(self, request: HTTPConnection) -> Principal:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and secret.strip():
            return await self._of_bearer(secret.strip(), request)
        if cookie := request.cookies.get(self.cookie):
            return await self._of_session(cookie, request)
        if self._is_old_worker(request):
            return Principal(OLD_WORKER, Role.WORKER)
        raise _unauthenticated("send your API key as 'Authorization: Bearer …'")

    async def session_of(self, request: HTTPConnection) -> Session:
        """How the caller is known, and until when."""
        principal = await self.principal_of(request)
        if request.headers.get("authorization"):
            digest = _digest(request.headers["authorization"].partition(" ")[2].strip())
            known = self._known.get(digest)
            return Session(principal, known.expires_at if known else None, "key")
        claims = self._claims(request.cookies.get(self.cookie, ""))
        return Session(principal, datetime.fromtimestamp(claims["exp"], UTC), "session")

    async def sign_in(self, secret: str, request: HTTPConnection) -> tuple[Session, str]:
        """The session of the owner of a key, and its cookie's value."""
        self.check_same_site(request)
        principal = await self._of_key(secret, request)
        known = self._known.get(_digest(secret))
        until = datetime.now(UTC) + timedelta(hours=SESSION_HOURS)
        if known and known.expires_at:
            until = min(until, known.expires_at)
        return Session(principal, until, "session"), self._session_for(principal, until)

    def guest_session(self, request: HTTPConnection) -> str | None:
        """On this machine, in dev, the page signs in by itself, unless somebody is. None anywhere else."""
        if not self._guests.bootstrap or not self._is_local_dev(request):
            return None
        try:
            self._claims(request.cookies.get(self.cookie, ""))
        except Problem:
            until = datetime.now(UTC) + timedelta(hours=SESSION_HOURS)
            return self._session_for(Principal(BOOTSTRAP, Role.ADMIN), until)
        return None

    # --- keys

    async def _of_bearer(self, secret: str, request: HTTPConnection) -> Principal:
        try:
            return await self._of_key(secret, request)
        except Problem:
            if is_foreign_key(request.url.path) and self._is_old_worker(request):
                return Principal(OLD_WORKER, Role.WORKER)
            raise

    async def _of_key(self, secret: str, request: HTTPConnection) -> Principal:
        bootstrap = self._guests.bootstrap
        if bootstrap and hmac.compare_digest(secret.encode(), bootstrap.encode()):
            return self._as_bootstrap(request)
        known = await self._look_up(secret)
        if known.expires_at is not None and known.expires_at <= datetime.now(UTC):
            raise _unauthenticated("the API key has expired")
        return known.principal

    def _as_bootstrap(self, request: HTTPConnection) -> Principal:
        if not (self._guests.dev and _from_loopback(request)):
            raise _unauthenticated("the bootstrap key is good on this machine in dev only")
        return Principal(BOOTSTRAP, Role.ADMIN)

    async def _look_up(self, secret: str) -> _Known:
        digest = _digest(secret)
        known = self._known.get(digest)
        age = self._clock() - known.asked_at if known else _KEPT_SECONDS
        if known and age < _FRESH_SECONDS:
            return known
        try:
            found = await self._keys.find(secret)
        except LedgerUnavailable:
            if known and age < _KEPT_SECONDS:
                return known
            raise
        self._known.pop(digest, None)
        if found is None:
            raise _unauthenticated("the API key is unknown or revoked")
        principal = Principal(found.name, Role(found.role))
        return self._known.setdefault(digest, _Known(principal, found.expires_at, self._clock()))

    # --- sessions

    def _session_for(self, principal: Principal, until: datetime) -> str:
        claims = {"sub": principal.name, "role": principal.role.value, "exp": until, "aud": "vtid-session"}
        return jwt.encode(claims, self._session_key, "HS256")

    def _claims(self, cookie: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                cookie, self._session_key, ["HS256"], audience="vtid-session", options={"require": ["exp"]}
            )
        except jwt.InvalidTokenError:
            raise _unauthenticated("the session is over; sign in again") from None
        return claims

    async def _of_session(self, cookie: str, request: HTTPConnection) -> Principal:
        claims = self._claims(cookie)
        self.check_same_site(request)
        principal = Principal(claims["sub"], Role(claims["role"]))
        if principal.name == BOOTSTRAP:
            return self._as_bootstrap(request)
        # A key of the same name that was made anew with another role is another key.
        if (await self._roles_in_use()).get(principal.name) != principal.role:
            raise _unauthenticated("the key behind this session was revoked")
        return principal

    async def _roles_in_use(self) -> Mapping[str, str]:
        asked_at, roles = self._roles
        age = self._clock() - asked_at
        if age < _FRESH_SECONDS:
            return roles
        try:
            now = datetime.now(UTC)
            keys = await self._keys.list()
        except LedgerUnavailable:
            if age < _KEPT_SECONDS:
                return roles
            raise
        roles = {key.name: key.role for key in keys if key.expires_at is None or key.expires_at > now}
        self._roles = (self._clock(), roles)
        return roles

    # --- workers of the old gateway

    def _is_old_worker(self, request: HTTPConnection) -> bool:
        """A call without credentials on a path of the old gateway, from where such calls are let in."""
        if not is_gateway(request.url.path):
            return False
        near = self._guests.dev and _from_loopback(request)
        if not (near or _is_from(request, self._guests.networks)):
            return False
        self.check_same_site(request)  # a browser could be sent here by any page
        return True

    # --- where a browser's request comes from

    def check_same_site(self, request: HTTPConnection) -> None:
        """Raise Problem FORBIDDEN unless this is no page at all, or our own page under a name that is ours.

        A cookie speaks for a person, so it counts nowhere else.
        """
        host = request.headers.get("host", "")
        if not self._is_our_name(host):
            raise Problem(
                "FORBIDDEN",
                f"this API does not answer to the host name {host[:100]!r}; VTID_ALLOWED_HOSTS adds one",
            )
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            raise Problem("FORBIDDEN", "a page of another site may not act here")
        if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            raise Problem("FORBIDDEN", "a page of another site may not act here")

    def _is_our_name(self, host: str) -> bool:
        return _name_in(host) in _LOOPBACK_NAMES | self._guests.hosts

    def _is_local_dev(self, request: HTTPConnection) -> bool:
        host = _name_in(request.headers.get("host", ""))
        return self._guests.dev and _from_loopback(request) and host in _LOOPBACK_NAMES


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _name_in(host: str) -> str:
    """The name of a Host header, without its port."""
    return host.lower() if host.endswith("]") else host.lower().rsplit(":", 1)[0]


def _from_loopback(request: HTTPConnection) -> bool:
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _is_from(request: HTTPConnection, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        return request.client is not None and any(
            ip_address(request.client.host) in each for each in networks
        )
    except ValueError:
        return False


def _unauthenticated(detail: str) -> Problem:
    return Problem("UNAUTHENTICATED", detail, headers={"WWW-Authenticate": "Bearer"})
