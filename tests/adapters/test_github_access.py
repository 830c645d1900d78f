"""As an App on GitHub: its tokens are made when they are needed, made anew, and told to nobody."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from vtid.adapters.github import GitHub
from vtid.domain.credentials import AppKey
from vtid.domain.errors import Denied, Unavailable
from vtid.domain.notice import Conclusion, Notice

if TYPE_CHECKING:
    from tests.adapters.conftest import Sim

SHOP = "acme/shop"
AN_HOUR = 3600.0
BLOCKED = Notice("VTID-01227", "blocked", Conclusion.ACTION_REQUIRED, "ci is red", "https://vtid.test/x")


def new_key() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


PRIVATE, PUBLIC = new_key()
Joining = Callable[..., GitHub]


@pytest.fixture
def joining(sim: Sim) -> Joining:
    """Registers an App on GitHub, and gives the code host that is asked as this App."""

    def join(
        number: int = 7,
        *,
        key: str = PRIVATE,
        token_s: float = AN_HOUR,
        installations: tuple[int, ...] = (1,),
        named: int | None = None,
    ) -> GitHub:
        app = {"app_id": number, "slug": f"app-{number}", "public_key": PUBLIC, "token_s": token_s}
        told = sim.control.post("/_sim/apps", json=app | {"installations": installations})
        assert told.status_code == 201, told.text
        return GitHub(f"{sim.origin}/api/v3", AppKey(number, key, named), timeout=sim.timeout)

    return join


def test_one_token_serves_many_calls_of_many_threads(sim: Sim, joining: Joining) -> None:
    git_hub, pull = joining(), sim.opens_pull()
    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(lambda _: git_hub.pull_request(SHOP, pull.number), range(24)))

    assert {each.head_sha for each in seen if each} == {pull.head_sha}
    assert sim.effects("app_token") == 1


def test_a_token_is_replaced_before_it_ends(sim: Sim, joining: Joining) -> None:
    git_hub, pull = joining(token_s=200), sim.opens_pull()
    for _ in range(2):
        git_hub.pull_request(SHOP, pull.number)

    assert sim.effects("app_token") == 2


def test_a_token_that_github_took_back_is_replaced_at_the_next_call(sim: Sim, joining: Joining) -> None:
    git_hub, pull = joining(), sim.opens_pull()
    git_hub.pull_request(SHOP, pull.number)
    joining()  # the App anew: GitHub knows none of the tokens that it gave before

    with pytest.raises(Denied, match="Bad credentials"):
        git_hub.pull_request(SHOP, pull.number)
    assert git_hub.pull_request(SHOP, pull.number)


def test_a_wrong_key_is_refused_and_not_told(sim: Sim, joining: Joining) -> None:
    git_hub = joining(key=new_key()[0])

    with pytest.raises(Denied, match="JSON web token could not be decoded") as told:
        git_hub.pull_request(SHOP, 1)

    assert "eyJ" not in str(told.value)
    assert "PRIVATE" not in f"{told.value} {AppKey(7, PRIVATE)!r}"


def test_of_several_installations_one_must_be_named(sim: Sim, joining: Joining) -> None:
    pull = sim.opens_pull()
    with pytest.raises(Denied, match=r"VTID_GITHUB_APP_INSTALLATION_ID names it; it has: 1, 2"):
        joining(installations=(2, 1)).pull_request(SHOP, pull.number)

    assert joining(installations=(1, 2), named=2).pull_request(SHOP, pull.number)


def test_a_github_that_is_away_while_a_token_is_made_is_away(sim: Sim, joining: Joining) -> None:
    git_hub = joining()
    sim.breaks("POST", r"/access_tokens$", {"status": 502})

    with pytest.raises(Unavailable):
        git_hub.pull_request(SHOP, 1)


def test_an_app_edits_its_own_comment_and_no_other_apps(sim: Sim, joining: Joining) -> None:
    first, second, pull = joining(7), joining(8), sim.opens_pull()
    for app in (first, first, second):
        app.write_comment(SHOP, pull.number, BLOCKED)

    comments = sim.shows(f"issues/{pull.number}/comments")
    assert [each["user"]["login"] for each in comments] == ["app-7[bot]", "app-8[bot]"]
