"""Who may do what, from where."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from vtid.ledger import LedgerUnavailable

from .conftest import ROLES, Staging
from .stage import Play

# (method, path, body) -> the roles that get past the door; what is behind it may refuse for other reasons.
MATRIX: list[tuple[str, str, object, set[str]]] = [
    ("GET", "/tasks", None, {"viewer", "operator", "approver", "admin"}),
    ("GET", "/tasks/VTID-0001/spec/versions", None, {"viewer", "operator", "approver", "admin"}),
    ("GET", "/tasks/VTID-0001/spec/versions/1", None, {"viewer", "operator", "approver", "admin"}),
    ("GET", "/board", None, {"viewer", "operator", "approver", "admin"}),
    ("GET", "/needs-you", None, {"viewer", "operator", "approver", "admin"}),
    ("GET", "/statistics", None, {"viewer", "operator", "approver", "admin"}),
    ("GET", "/session", None, set(ROLES)),
    ("GET", "/runs", None, {"viewer", "operator", "approver", "admin"}),
    ("GET", "/runs/VTID-0001", None, {"viewer", "operator", "approver", "admin"}),
    ("GET", "/events", None, {"viewer", "operator", "approver", "admin"}),
    ("GET", "/dead-letters", None, {"viewer", "operator", "approver", "admin"}),
    ("POST", "/dead-letters/bulk", {}, {"operator", "approver", "admin"}),
    ("GET", "/notifications", None, {"admin"}),
    ("POST", "/notifications", {}, {"admin"}),
    ("GET", "/notifications/x", None, {"admin"}),
    ("PATCH", "/notifications/x", {}, {"admin"}),
    ("DELETE", "/notifications/x", None, {"admin"}),
    ("POST", "/notifications/x/test", None, {"admin"}),
    ("POST", "/notifications/x/rotate", None, {"admin"}),
    ("GET", "/notifications/deliveries", None, {"admin"}),
    ("GET", "/notifications/deliveries/x", None, {"admin"}),
    ("POST", "/notifications/deliveries/x/resend", None, {"admin"}),
    ("GET", "/system", None, {"viewer", "operator", "approver", "admin"}),
    ("GET", "/limits", None, set(ROLES)),
    ("GET", "/failure-codes", None, set(ROLES)),
    ("GET", "/rules", None, set(ROLES)),
    ("GET", "/environments", None, set(ROLES)),
    ("GET", "/work-orders", None, set(ROLES)),
    ("GET", "/workers", None, set(ROLES)),
    ("POST", "/tasks", {}, {"operator", "approver", "admin"}),
    ("PATCH", "/tasks/VTID-0001", {}, {"operator", "approver", "admin"}),
    ("PUT", "/tasks/VTID-0001/spec", {}, {"operator", "approver", "admin"}),
    ("POST", "/tasks/VTID-0001/spec/validate", None, {"operator", "approver", "admin"}),
    ("POST", "/tasks/VTID-0001/spec/approve", {}, {"approver", "admin"}),
    ("POST", "/runs", {}, {"operator", "approver", "admin"}),
    ("POST", "/runs/VTID-0001/cancel", {}, {"operator", "approver", "admin"}),
    ("POST", "/runs/VTID-0001/rescue", {}, {"operator", "approver", "admin"}),
    ("POST", "/system/disarm", {}, {"approver", "admin"}),
    ("POST", "/system/arm", None, {"approver", "admin"}),
    ("POST", "/work-orders/claim", {}, {"worker", "admin"}),
    ("POST", "/work-orders/x/heartbeat", {}, {"worker", "admin"}),
    ("POST", "/work-orders/x/evidence", {}, {"worker", "admin"}),
    ("POST", "/work-orders/x/fail", {}, {"worker", "admin"}),
    ("POST", "/work-orders/x/release", {}, {"worker", "admin"}),
]


@pytest.mark.parametrize(("method", "path", "body", "allowed"), MATRIX)
async def test_each_route_opens_for_its_roles_and_no_other(
    play: Play, method: str, path: str, body: object, allowed: set[str]
) -> None:
    let_in = set()
    for role in ROLES:
        answer = await play.call(role, method, path, json=body)
        if answer.status_code not in (401, 403):
            let_in.add(role)

    assert let_in == allowed
    assert (await play.call(None, method, path, json=body)).status_code == 401


async def test_an_unknown_key_is_refused_and_told_how_to_sign_in(play: Play) -> None:
    async with play.client(None, Authorization="Bearer nobody") as client:
        answer = await client.get("/api/v1/tasks")

    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_known_key_outlives_an_outage_of_the_ledger(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    await play.get("/limits")

    async def away(_: str) -> None:
        raise LedgerUnavailable("away")

    monkeypatch.setattr(play.ledger.keys, "find", away)

    assert (await play.get("/limits")).status_code == 200
    assert (await play.get("/limits", role="operator")).status_code == 503


async def test_the_bootstrap_key_is_admin_on_this_machine_in_dev_only(staging: Staging) -> None:
    dev, production = staging(), staging(dev=False)

    async def status(play: Play, host: str) -> int:
        async with play.client(None, host=host, Authorization="Bearer bootstrap-secret") as client:
            return (await client.get("/api/v1/tasks")).status_code

    assert await status(dev, "127.0.0.1") == 200
    assert await status(dev, "192.0.2.7") == 401
    assert await status(production, "127.0.0.1") == 401


async def test_the_page_signs_in_by_itself_on_this_machine_in_dev(play: Play) -> None:
    async with play.client(None) as browser:
        page = await browser.get("/")
        who = await browser.get("/api/v1/session")

    cookie = page.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert (who.json()["name"], who.json()["role"], who.json()["kind"]) == ("bootstrap", "admin", "session")


async def test_whoever_signed_in_stays_signed_in_when_the_page_is_opened_again(play: Play) -> None:
    async with play.client(None) as browser:
        await browser.get("/")
        await browser.post("/api/v1/session", json={"key": play.keys["viewer"]})
        again = await browser.get("/")
        who = await browser.get("/api/v1/session")

    assert "set-cookie" not in again.headers
    assert who.json()["role"] == "viewer"


async def test_signing_out_forgets_the_cookie_and_is_audited(play: Play) -> None:
    async with play.client(None) as browser:
        await browser.post("/api/v1/session", json={"key": play.keys["viewer"]})
        gone = [(await browser.delete("/api/v1/session")).status_code for _ in range(2)]
        who = await browser.get("/api/v1/session")

    assert (gone, who.status_code) == ([204, 204], 401)
    verbs = [(entry.verb, entry.who) for entry in await play.ledger.audit.list()]
    assert verbs == [("session.sign_out", "viewer-1"), ("session.sign_in", "viewer-1")]


async def test_a_session_ends_with_its_key(play: Play) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    await play.ledger.keys.create(name="brief", role="viewer", secret="secret-of-brief", expires_at=soon)
    async with play.client(None) as browser:
        signed_in = await browser.post("/api/v1/session", json={"key": "secret-of-brief"})

    assert datetime.fromisoformat(signed_in.json()["expires_at"]) <= soon


async def test_a_key_tells_who_it_is_too(play: Play) -> None:
    who = await play.get("/session", role="worker")

    assert who.json() == {"name": "worker-1", "role": "worker", "expires_at": None, "kind": "key"}


async def test_over_https_the_cookie_never_travels_in_the_clear(play: Play) -> None:
    transport = httpx.ASGITransport(play.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://127.0.0.1:8700") as browser:
        signed_in = await browser.post("/api/v1/session", json={"key": play.keys["viewer"]})

    assert "secure" in signed_in.headers["set-cookie"].lower()


async def test_another_site_can_neither_sign_in_nor_out(play: Play) -> None:
    async with play.client(None, Origin="https://evil.example") as attacker:
        signed_in = await attacker.post("/api/v1/session", json={"key": play.keys["viewer"]})
        signed_out = await attacker.delete("/api/v1/session")

    assert (signed_in.status_code, signed_out.status_code) == (403, 403)


@pytest.mark.parametrize(
    ("host", "name"), [("192.0.2.7", "127.0.0.1:8700"), ("127.0.0.1", "evil.example:8700")]
)
async def test_the_page_signs_nobody_in_from_elsewhere_or_under_another_name(
    play: Play, host: str, name: str
) -> None:
    async with play.client(None, host=host, Host=name) as browser:
        page = await browser.get("/")

    assert "set-cookie" not in page.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Host": "evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
    ],
)
async def test_a_session_is_good_only_on_our_own_page(play: Play, headers: dict[str, str]) -> None:
    async with play.client(None) as browser:
        await browser.get("/")
        cookie = browser.cookies[play.services.auth.cookie]
    async with play.client(None, Cookie=f"{play.services.auth.cookie}={cookie}", **headers) as attacker:
        answer = await attacker.post("/api/v1/system/disarm", json={"reason": "x"})

    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")


async def test_signing_in_with_a_key_gives_its_role_until_it_is_revoked(play: Play) -> None:
    async with play.client(None) as browser:
        signed_in = await browser.post("/api/v1/session", json={"key": play.keys["operator"]})
        may = await browser.post("/api/v1/tasks", json={})
    await play.ledger.keys.revoke("operator-1")
    name = play.services.auth.cookie
    async with play.client(None, Cookie=f"{name}={signed_in.cookies[name]}") as later:
        known = await later.get("/api/v1/tasks")

    assert (signed_in.json()["name"], signed_in.json()["role"]) == ("operator-1", "operator")
    assert may.status_code == 422
    assert known.status_code in (200, 401)  # revoking takes up to a minute to reach every process


async def test_a_forged_session_is_nobody(play: Play) -> None:
    async with play.client(None, Cookie=f"{play.services.auth.cookie}=eyJhbGciOiJub25lIn0.e30.") as client:
        assert (await client.get("/api/v1/tasks")).status_code == 401


async def test_every_changing_verb_is_audited(play: Play) -> None:
    vtid = await play.run()
    await play.post(f"/runs/{vtid}/cancel", {"reason": "wrong"}, role="operator")

    kept = await play.ledger.audit.list()

    verbs = {entry.verb: entry for entry in getattr(kept, "items", kept)}
    assert {"task.create", "spec.approve", "run.start", "run.cancel"} <= set(verbs)
    assert (verbs["run.cancel"].who, verbs["run.cancel"].target) == ("operator-1", vtid)
