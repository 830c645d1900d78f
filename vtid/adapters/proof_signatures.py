"""Ed25519 signatures over proof bundles, in DSSE envelopes by securesystemslib."""

import copy
import hashlib
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]


class NotAKey(ValueError):
    """The text is no Ed25519 key in PEM. The message never quotes it."""


class BadSignature(ValueError):
    """The signature is not one of this key over exactly these bytes."""


def made_key() -> str:
    """A new private key, in PEM."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Ed25519Signer:
    """Signs with one private key, given in PEM. Raises NotAKey."""

    def __init__(self, pem: str) -> None:
        try:
            key = load_pem_private_key(pem.encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise NotAKey("expected an Ed25519 private key in PEM, without a password")
        public = key.public_key()
        self.public_pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self.key_id = _key_id(public)
        self._signer = CryptoSigner(key, SSlibKey.from_crypto(public, keyid=self.key_id))

    def sign(self, payload: bytes, payload_type: str) -> dict[str, Any]:
        """The envelope around this payload. The same payload gives the same envelope."""
        envelope = Envelope(payload, payload_type, {})
        envelope.sign(self._signer)
        told: dict[str, Any] = envelope.to_dict()
        return told


def verify(envelope: dict[str, Any], public_pem: str) -> str:
    """The id of the key, which signed exactly this envelope. Raises BadSignature, and NotAKey for another text."""
    try:
        public = load_pem_public_key(public_pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        public = None
    if not isinstance(public, Ed25519PublicKey):
        raise NotAKey("expected an Ed25519 public key in PEM")
    key_id = _key_id(public)
    named = [str(each["keyid"]) for each in envelope["signatures"]]
    if key_id not in named:
        raise BadSignature(f"it names the key {', '.join(named)}, and the given one is {key_id}")
    try:
        # from_dict changes what it is given.
        Envelope.from_dict(copy.deepcopy(envelope)).verify(
            [SSlibKey.from_crypto(public, keyid=key_id)], threshold=1
        )
    except (VerificationError, ValueError, KeyError) as error:
        raise BadSignature(
            f"the key {key_id} did not sign these bytes: they, or the signature, were changed"
        ) from error
    return key_id


def _key_id(public: Ed25519PublicKey) -> str:
    """SHA-256 of the key's DER: `openssl pkey -pubin -in FILE -outform DER | sha256sum`."""
    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
