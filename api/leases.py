"""Lease tokens: signed and self-contained, so that a heartbeat is checked without the ledger."""

import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt

from api.engine import RunRef
from api.key_files import kept

_ALGORITHM = "HS256"
_AUDIENCE = "vtid-lease"


class NoLease(Exception):
    """The token was not signed by us."""


@dataclass(frozen=True)
class Lease:
    """The right of one worker to one attempt. Times are seconds since the epoch."""

    order_id: str
    vtid: str
    run_id: str
    attempt: int
    worker: str
    mode: str
    lost_seconds: float
    iat: int
    exp: int  # the attempt's cap; the run itself ends the lease, earlier or then

    @property
    def run(self) -> RunRef:
        return RunRef(self.vtid, self.run_id)

    @property
    def ends_at(self) -> datetime:
        return datetime.fromtimestamp(self.exp, UTC)

    def age(self, now: datetime) -> timedelta:
        return now - datetime.fromtimestamp(self.iat, UTC)

    def expires_at(self, now: datetime) -> datetime:
        """When the lease is lost if nothing more is heard from the worker after `now`."""
        if self.mode == "unattended":
            return self.ends_at
        return min(now + timedelta(seconds=self.lost_seconds), self.ends_at)


class LeaseTokens:
    """Signs and reads leases with one key."""

    def __init__(self, key: str) -> None:
        self._key = key

    def sign(self, lease: Lease) -> str:
        return jwt.encode(asdict(lease) | {"aud": _AUDIENCE}, self._key, _ALGORITHM)

    def read(self, token: str) -> Lease:
        """The lease of a token. Expired ones are read too: whether a lease still holds, only its run can say."""
        try:
            claims = jwt.decode(
                token, self._key, [_ALGORITHM], audience=_AUDIENCE, options={"verify_exp": False}
            )
            return Lease(**{name: claims[name] for name in Lease.__dataclass_fields__})
        except (jwt.InvalidTokenError, KeyError) as error:
            raise NoLease(str(error)) from error


def kept_key(data_dir: Path) -> str:
    """The signing key of this installation, made on first use and readable by its owner alone."""
    return kept(data_dir / "lease.key", lambda: secrets.token_urlsafe(48))
