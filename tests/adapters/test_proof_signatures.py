"""Whoever changes a byte of a signed bundle, or has another key, is told."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.run_events import approval, green
from vtid.adapters.proof_signatures import BadSignature, Ed25519Signer, NotAKey, made_key, verify
from vtid.domain.canonical import canonical
from vtid.domain.proof_shape import BadBundle, read_bundle
from vtid.domain.run_proof import PAYLOAD_TYPE, statement_of

SIGNER = Ed25519Signer(made_key())
PAYLOAD = canonical(statement_of(green(), approval())).encode()
ENVELOPE = SIGNER.sign(PAYLOAD, PAYLOAD_TYPE)
WRITTEN = canonical(ENVELOPE).encode()


def test_the_key_verifies_what_it_signed_and_the_envelope_stays_as_it_is() -> None:
    before = json.dumps(ENVELOPE)

    assert verify(ENVELOPE, SIGNER.public_pem) == SIGNER.key_id
    assert json.dumps(ENVELOPE) == before


def test_the_same_statement_gives_the_same_bundle() -> None:
    assert SIGNER.sign(PAYLOAD, PAYLOAD_TYPE) == ENVELOPE


@given(st.integers(0, len(PAYLOAD) - 1), st.integers(1, 255))
def test_any_changed_byte_of_the_payload_is_refused(at: int, flip: int) -> None:
    changed = bytearray(PAYLOAD)
    changed[at] ^= flip

    with pytest.raises(BadSignature):
        verify(ENVELOPE | {"payload": base64.b64encode(changed).decode()}, SIGNER.public_pem)


@given(st.integers(0, len(WRITTEN) - 1), st.integers(1, 255))
def test_any_changed_byte_of_the_file_is_refused_or_means_nothing(at: int, flip: int) -> None:
    changed = bytearray(WRITTEN)
    changed[at] ^= flip

    try:
        bundle = read_bundle(changed.decode())
        verify(bundle.envelope, SIGNER.public_pem)
    except (UnicodeDecodeError, BadBundle, BadSignature):
        return
    assert bundle.envelope == ENVELOPE  # only blanks between the fields may differ


@given(st.integers(0, len(PAYLOAD)), st.binary(min_size=1, max_size=50))
def test_nothing_can_be_put_in_or_cut_off(at: int, more: bytes) -> None:
    for changed in (PAYLOAD[:at] + more + PAYLOAD[at:], PAYLOAD[:at]):
        if changed != PAYLOAD:
            with pytest.raises(BadSignature):
                verify(ENVELOPE | {"payload": base64.b64encode(changed).decode()}, SIGNER.public_pem)


def test_another_type_of_payload_is_refused() -> None:
    with pytest.raises(BadSignature, match="were changed"):
        verify(ENVELOPE | {"payloadType": "text/plain"}, SIGNER.public_pem)


def test_another_key_is_refused_and_both_are_named() -> None:
    other = Ed25519Signer(made_key())

    with pytest.raises(
        BadSignature, match=f"names the key {SIGNER.key_id}, and the given one is {other.key_id}"
    ):
        verify(ENVELOPE, other.public_pem)


def test_a_signature_under_the_name_of_another_key_is_refused() -> None:
    other = Ed25519Signer(made_key())
    forged = other.sign(PAYLOAD, PAYLOAD_TYPE)
    forged["signatures"][0]["keyid"] = SIGNER.key_id

    with pytest.raises(BadSignature, match="did not sign"):
        verify(forged, SIGNER.public_pem)


def test_an_old_key_verifies_what_was_signed_before_a_rotation() -> None:
    Ed25519Signer(made_key())

    assert verify(json.loads(WRITTEN), SIGNER.public_pem) == SIGNER.key_id


def test_the_id_of_a_key_is_the_hash_of_its_der() -> None:
    body = "".join(SIGNER.public_pem.splitlines()[1:-1])

    assert hashlib.sha256(base64.b64decode(body)).hexdigest() == SIGNER.key_id


def test_any_tool_that_knows_dsse_can_verify_it() -> None:
    """The bytes that are signed are DSSE's own encoding, made here without the library that signed."""
    kind = PAYLOAD_TYPE.encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(PAYLOAD), PAYLOAD)
    public = load_pem_public_key(SIGNER.public_pem.encode())

    assert isinstance(public, Ed25519PublicKey)
    public.verify(base64.b64decode(ENVELOPE["signatures"][0]["sig"]), signed)  # raises when it is none


def test_what_is_no_ed25519_key_is_refused_and_not_quoted() -> None:
    rsa = generate_private_key(65537, 2048)
    private = rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    for text in ("hunter2", "", private, SIGNER.public_pem):
        with pytest.raises(NotAKey) as problem:
            Ed25519Signer(text)
        assert "hunter2" not in str(problem.value)
    for text in ("hunter2", "", public):
        with pytest.raises(NotAKey):
            verify(ENVELOPE, text)
