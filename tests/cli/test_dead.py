"""The same move for many blocked runs, from the command line."""

from typing import Any

from tests.cli.conftest import FakeApi, Vtid
from vtid.cli.exits import Exit

BULK = "/api/v1/dead-letters/bulk"


def entry(vtid: str, result: str, **more: Any) -> dict[str, Any]:
    return {"vtid": vtid, "code": "GITHUB_DENIED", "result": result, "effects": [], "problem": None} | more


def answer(*items: dict[str, Any], remaining: int = 0) -> dict[str, Any]:
    results = [item["result"] for item in items]
    counts = {name: results.count(name) for name in ("done", "would", "refused", "failed", "not_tried")}
    return {"items": list(items), "matched": len(items) + remaining, "remaining": remaining, **counts}


def test_a_dry_run_says_what_would_happen_to_each(api: FakeApi, vtid: Vtid) -> None:
    api.says("POST", BULK, answer(entry("VTID-00001", "would", effects=["the stage begins again"])))

    ended = vtid("dead", "rescue", "retry", "--code", "GITHUB_DENIED", "--dry-run", "--api-url", api.url)

    assert (ended.code, api.asked[0]["body"]["dry_run"]) == (Exit.OK, True)
    assert "the stage begins again" in ended.out


def test_one_that_did_not_take_it_makes_the_command_fail_and_says_why(api: FakeApi, vtid: Vtid) -> None:
    problem = {"code": "ILLEGAL_TRANSITION", "detail": "the run is over"}
    api.says(
        "POST",
        BULK,
        answer(entry("VTID-00001", "done"), entry("VTID-00002", "refused", problem=problem), remaining=3),
    )

    ended = vtid("dead", "rescue", "retry", "--code", "GITHUB_DENIED", "--api-url", api.url)

    assert ended.code == Exit.FAILED
    assert "ILLEGAL_TRANSITION" in ended.out
    assert "3 more match" in ended.err


def test_nobody_decides_about_every_blocked_run_at_once(api: FakeApi, vtid: Vtid) -> None:
    ended = vtid("dead", "rescue", "retry", "--api-url", api.url)

    assert (ended.code, api.asked) == (Exit.USAGE, [])
    assert "--code" in ended.err
