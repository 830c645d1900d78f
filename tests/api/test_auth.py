"""Who may do what, from where."""

import pytest

from vtid.ledger import LedgerUnavailable

from .conftest import ROLES, Staging
from .stage import Play

# (method, path, body) -> the roles that get past the door; what is behind it may refuse for other reasons.
MATRIX: list[tuple[str, str, object, set[str]]] = [
    ("GET", "/tasks", None, {"viewer", "operator", "approver", "admin"}),
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
    assert who.json() == {"name": "bootstrap", "role": "admin"}


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

    assert signed_in.json() == {"name": "operator-1", "role": "operator"}
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
