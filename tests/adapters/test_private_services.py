"""Services that let nobody in without an ID token: how it is got, and that it stands nowhere afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from google.auth.compute_engine import _metadata
from hypothesis import given
from hypothesis import strategies as st

from vtid.adapters.http_probe import HttpProbe
from vtid.adapters.id_tokens import IdTokens, NoToken

if TYPE_CHECKING:
    from tests.adapters.conftest import Sim

OURS = "a1" * 20


@pytest.fixture
def metadata(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator is this machine's metadata server. Google's library reads one of the names when it is imported."""
    host = sim.origin.removeprefix("http://")
    monkeypatch.setenv("GCE_METADATA_IP", host)
    monkeypatch.setattr(_metadata, "_GCE_METADATA_HOST", host)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)


@pytest.fixture
def shop(sim: Sim) -> str:
    """The address of a private service that serves our commit."""
    sim.runs({"name": "shop-00001", "commit_sha": OURS}, private=True)
    return f"{sim.origin}/run/demo/europe-west1/shop"


def tokens(sim: Sim) -> list[str]:
    return list(sim.control.get("/_sim/state").json()["id_tokens"])


@pytest.mark.usefixtures("metadata")
def test_a_private_service_answers_who_brings_a_token_for_it(sim: Sim, shop: str) -> None:
    probe = HttpProbe(timeout=10)

    seen = [probe.look(shop, "/version", "id_token") for _ in range(3)]

    assert [(answer.commit, answer.problem) for answer in seen] == [(OURS, None)] * 3
    assert len(tokens(sim)) == 1  # kept until it expires


@pytest.mark.usefixtures("metadata")
def test_a_token_that_is_not_accepted_is_asked_for_anew(sim: Sim, shop: str) -> None:
    probe = HttpProbe(timeout=10)
    assert probe.look(shop, "/version", "id_token").commit == OURS
    sim.control.post("/_sim/reset")
    sim.runs({"name": "shop-00001", "commit_sha": OURS}, private=True)

    refused = probe.look(shop, "/version", "id_token")
    again = probe.look(shop, "/version", "id_token")

    assert (refused.status, again.commit) == (401, OURS)
    assert f"does not accept our ID token for {shop}" in str(refused.problem)


@pytest.mark.usefixtures("metadata")
def test_a_token_for_another_service_is_not_let_in(sim: Sim, shop: str) -> None:
    other = IdTokens().of("https://other.test")

    answer = httpx.get(f"{shop}/version", headers={"authorization": f"Bearer {other}"})

    assert answer.status_code == 401


def test_without_a_token_the_problem_says_what_to_set(sim: Sim, shop: str) -> None:
    answer = HttpProbe(timeout=10).look(shop, "/version")

    assert answer.status == 403
    assert "set version_auth: id_token for this service" in str(answer.problem)


@pytest.mark.usefixtures("metadata")
def test_a_service_account_that_may_not_call_it_is_told_its_role(sim: Sim, shop: str) -> None:
    sim.breaks("GET", "/version$", {"status": 403, "body": "Forbidden"})

    assert "Cloud Run Invoker" in str(HttpProbe(timeout=10).look(shop, "/version", "id_token").problem)


@pytest.mark.usefixtures("metadata")
def test_no_credentials_are_a_problem_with_advice_and_not_asked_for_at_every_look(
    sim: Sim, shop: str
) -> None:
    sim.breaks("GET", "^/$", {"status": 404})
    probe = HttpProbe(timeout=10)

    seen = [probe.look(shop, "/version", "id_token") for _ in range(3)]

    assert all("give the worker and the API a service account" in str(answer.problem) for answer in seen)
    assert {answer.commit for answer in seen} == {None}
    assert sim.requests("GET", "/version") == 0
    assert sum(entry["path"] == "/" for entry in sim.journal()) == 1


def test_a_token_is_never_sent_in_the_clear_to_another_machine() -> None:
    answer = HttpProbe(timeout=0.3, tokens=Given("secret-token")).look(
        "http://shop.test", "/version", "id_token"
    )

    assert "only sent by https://" in str(answer.problem)


class Given:
    """Tokens, and this one always."""

    def __init__(self, token: str) -> None:
        self.token = token

    def of(self, audience: str) -> str:
        return self.token

    def forget(self, audience: str) -> None:
        """It has no other one."""


PART = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=20, max_size=60)
TOKENS = st.builds(lambda one, two, three: f"eyJ{one}.eyJ{two}.{three}", PART, PART, PART)
ECHOES: dict[str, Callable[[str], str]] = {
    "as it came": lambda token: f"Bearer {token}",
    "in JSON": lambda token: json.dumps({"headers": {"authorization": f"Bearer {token}"}}),
    "as the version": lambda token: json.dumps({"version": token}),
    "after much else": lambda token: "x " * 30 + token,
    "as HTML": lambda token: f"<p>{token}</p>",
}


class Echo(httpx.BaseTransport):
    """A service that says back what it is sent, in this way and with this status."""

    def __init__(self) -> None:
        self.status = 200
        self.how = ECHOES["as it came"]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        token = request.headers["authorization"].removeprefix("Bearer ")
        return httpx.Response(self.status, text=self.how(token))


GIVEN, ECHO = Given(""), Echo()
ECHOED = HttpProbe(tokens=GIVEN, transport=ECHO)


@given(
    token=TOKENS, status=st.sampled_from([200, 200, 200, 401, 403, 500]), how=st.sampled_from(list(ECHOES))
)
def test_a_service_that_says_our_token_back_does_not_get_it_into_the_answer(
    token: str, status: int, how: str
) -> None:
    GIVEN.token, ECHO.status, ECHO.how = token, status, ECHOES[how]

    answer = ECHOED.look("https://shop.test", "/version", "id_token")

    told = f"{answer.url} {answer.commit} {answer.problem}"
    assert not any(part in told for part in (token, *token.split(".")))


def test_where_there_is_no_credentials_file_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")

    with pytest.raises(NoToken, match="GOOGLE_APPLICATION_CREDENTIALS path is either not found or invalid"):
        IdTokens().of("https://shop.test")


def test_a_service_account_file_signs_for_a_token(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, unused_tcp_port: int
) -> None:
    """Out of reach is told as that, and nothing of the key's file stands in it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "client_email": "vtid@acme.iam.gserviceaccount.com",
        "private_key": key.decode(),
        "token_uri": f"http://127.0.0.1:{unused_tcp_port}/token",
    }
    file = tmp_path / "key.json"
    file.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))

    with pytest.raises(NoToken, match="no ID token for") as told:
        IdTokens(timeout=0.3).of("https://shop.test")

    assert "PRIVATE" not in str(told.value)
