"""Whether GitHub itself sent these bytes."""

import hashlib
import hmac
from collections.abc import Sequence

from api.problems import Problem

HEADER = "X-Hub-Signature-256"
_SCHEME = "sha256="


def check_signature(body: bytes, told: str | None, secrets: Sequence[str]) -> None:
    """Raise Problem UNAUTHENTICATED unless one of the secrets signed exactly these bytes.

    Two secrets hold while one takes the place of the other. Every one is tried, in constant time.
    """
    if not secrets:
        raise _refused("this API has no webhook secret; set VTID_GITHUB_WEBHOOK_SECRET")
    if told is None:
        raise _refused(f"the header {HEADER} is missing: set a secret for this webhook on GitHub")
    signed = told.removeprefix(_SCHEME).encode() if told.startswith(_SCHEME) else b""
    matches = [hmac.compare_digest(signature_of(body, secret), signed) for secret in secrets]
    if not any(matches):
        raise _refused(f"{HEADER} does not fit the body: another secret signed it, or it was changed")


def signature_of(body: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()


def _refused(detail: str) -> Problem:
    return Problem("UNAUTHENTICATED", detail)
