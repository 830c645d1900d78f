"""Being told, from the command line."""

from typing import Any

from tests.cli.conftest import FakeApi, Vtid
from vtid.cli.exits import Exit

BASE = "/api/v1/notifications"
TRY = {"at": "2026-01-02T03:04:05Z", "status": 200, "milliseconds": 12, "error": None, "answer": "ok"}


def delivery(state: str, *tries: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "msg_1", "subscription": "on-call", "kind": "notification.test", "vtid": None, "state": state,
        "next_at": None, "body": "{}", "attempts": list(tries), "last_error": None, "last_status": 200, "tries": 1,
    }  # fmt: skip


def test_adding_somebody_prints_the_secret(api: FakeApi, vtid: Vtid) -> None:
    api.says("POST", BASE, {"name": "on-call", "state": "active", "secret": "whsec_abc"}, 201)

    ended = vtid(
        "notify", "add", "on-call", "https://e.x/h", "--slack", "--on", "run.blocked", "--api-url", api.url
    )

    assert (ended.code, "whsec_abc" in ended.out) == (Exit.OK, True)
    assert api.asked[0]["body"] == {
        "name": "on-call", "url": "https://e.x/h", "format": "slack", "kinds": ["run.blocked"],
    }  # fmt: skip


def test_a_test_message_that_is_accepted_is_good_and_one_that_is_not_is_a_failure(
    api: FakeApi, vtid: Vtid
) -> None:
    api.says("POST", f"{BASE}/on-call/test", {"id": "msg_1"}, 202)
    ends = []
    for state, tried in (("delivered", TRY), ("pending", TRY | {"status": None, "error": "no answer"})):
        api.says("GET", f"{BASE}/deliveries/msg_1", delivery(state, tried))
        ends.append(vtid("notify", "test", "on-call", "--api-url", api.url))

    assert [ended.code for ended in ends] == [Exit.OK, Exit.FAILED]
    assert "no answer" in ends[1].out


def test_a_message_that_nobody_tries_in_time_is_said_to_be_so(api: FakeApi, vtid: Vtid) -> None:
    api.says("POST", f"{BASE}/deliveries/msg_1/resend", {"id": "msg_1"}, 202)
    api.says("GET", f"{BASE}/deliveries/msg_1", delivery("pending", TRY))

    ended = vtid("notify", "resend", "msg_1", "--wait", "0", "--api-url", api.url)

    assert ended.code == Exit.TIMED_OUT
    assert "nobody has tried it yet" in ended.err


def test_the_log_shows_how_each_message_stands(api: FakeApi, vtid: Vtid) -> None:
    line = delivery("failed") | {"last_error": "answered 500"}
    api.says("GET", f"{BASE}/deliveries", {"items": [line], "next_cursor": None})

    ended = vtid("notify", "log", "--state", "failed", "--to", "on-call", "--api-url", api.url)

    assert "answered 500" in ended.out
    assert "state=failed" in api.asked[0]["path"]
    assert "subscription=on-call" in api.asked[0]["path"]
