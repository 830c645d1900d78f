"""What somebody meets who uses the command for the first time."""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.cli.conftest import FakeApi, Vtid, run_view
from vtid.cli.addresses import Addresses, write_addresses
from vtid.cli.exits import Exit
from vtid.cli.faces import board_face
from vtid.domain.view import MOVES
from vtid.ledger.migrate import migrate

RUN = "/api/v1/runs/VTID-01227"
PULL = "https://github.com/acme/shop/pull/7"
LONG = "http://127.0.0.1:8233/namespaces/default/workflows/vtid-VTID-01227/0199-some-long-run-id/history"
FAILURE: dict[str, Any] = {
    "code": "EVIDENCE_REFUSED",
    "message": "GitHub has no pull request 7",
    "advice": "compare claimed and observed, then retry; or adopt the right pull request",
    "causes": [{"type": "HTTPStatusError", "message": "404"}],
}
EVIDENCE = {"claimed": {"pr_url": PULL, "head_sha": "a" * 40, "by": "w1"}, "observed": None}
LETTER: dict[str, Any] = {
    "vtid": "VTID-01227",
    "run_id": "r1",
    "stage": "WORKER",
    "code": "EVIDENCE_REFUSED",
    "message": FAILURE["message"],
    "advice": FAILURE["advice"],
    "causes": FAILURE["causes"],
    "inputs": {"evidence": EVIDENCE},
    "since": "2026-01-02T11:59:00Z",
    "age_seconds": 12_000.0,
    "side_effects": [{"says": "a pull request exists", "url": PULL}],
    "moves": [move | {"effects": ["it goes on"]} for move in MOVES.values()],
}


def blocked() -> dict[str, Any]:
    return run_view("blocked", failure=FAILURE, evidence=EVIDENCE, moves=list(MOVES.values()))


def test_a_key_is_made_in_the_ledger_of_the_running_demo(vtid: Vtid, tmp_path: Path) -> None:
    demo = tmp_path / "demo"
    demo.mkdir()
    migrate(f"sqlite+aiosqlite:///{demo / 'ledger.db'}")
    write_addresses(demo, Addresses("http://127.0.0.1:9", "", "", None, token="t"))

    ended = vtid("token", "create", "--role", "viewer")

    assert ended.code == Exit.OK
    assert ended.out.strip()
    assert not (tmp_path / "ledger.db").exists()


def test_without_a_ledger_a_key_is_refused_and_no_file_is_made(vtid: Vtid, tmp_path: Path) -> None:
    ended = vtid("token", "create", "--role", "viewer")

    assert ended.code == Exit.UNREACHABLE
    assert "no running stack" in ended.err
    assert "name --data-dir or VTID_DATABASE_URL" in ended.err
    assert ended.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_dead_letter_shows_claimed_beside_observed_and_whole_commands(api: FakeApi, vtid: Vtid) -> None:
    api.says("GET", "/api/v1/dead-letters/VTID-01227", LETTER)

    ended = vtid("dead", "show", "vtid-01227", "--api-url", api.url)

    rows = {line[:14].strip(): line[14:].strip() for line in ended.out.splitlines() if line[:1] != " "}
    assert rows["failure"] == "EVIDENCE_REFUSED"
    assert rows["message"] == FAILURE["message"]
    assert rows["advice"] == FAILURE["advice"]
    assert rows["causes"] == "HTTPStatusError: 404"
    assert rows["claimed"] == f"{PULL}, head aaaaaaaaaa, by w1"
    assert rows["observed"].startswith("nothing on GitHub")
    assert rows["side effects"] == f"a pull request exists {PULL}"
    assert "would: it goes on" in ended.out
    for command in ("retry", "adopt --pr-url …", "abandon --reason …"):
        assert f"vtid run rescue VTID-01227 {command}\n" in ended.out


def test_a_resolved_letter_says_by_whom_and_offers_nothing(api: FakeApi, vtid: Vtid) -> None:
    solved = {"resolution": "abandon", "resolved_by": "ann", "resolved_at": "2026-01-02T12:00:00Z"}
    api.says("GET", "/api/v1/dead-letters/VTID-01227", LETTER | solved | {"moves": []})

    ended = vtid("dead", "show", "VTID-01227", "--api-url", api.url)

    assert "abandon by ann" in ended.out
    assert "vtid run rescue" not in ended.out


def test_who_has_no_dead_letter_is_shown_to_the_list_of_them(api: FakeApi, vtid: Vtid) -> None:
    ended = vtid("dead", "show", "VTID-01227", "--api-url", api.url)

    assert ended.code == Exit.NOT_FOUND
    assert "vtid dead list" in ended.err


def test_an_environment_that_nobody_declared_is_told_with_those_that_are(api: FakeApi, vtid: Vtid) -> None:
    declared = [{"name": "dev", "repository": "acme/shop"}, {"name": "staging", "repository": "acme/shop"}]
    api.says("GET", "/api/v1/environments", {"items": declared})

    ended = vtid("task", "create", "--title", "x", "--environment", "nope", "--api-url", api.url)

    assert ended.code == Exit.USAGE
    assert "environment 'nope' is not declared; declared are dev, staging" in ended.err


def test_only_who_named_an_unknown_task_is_led_to_the_list_of_tasks(api: FakeApi, vtid: Vtid) -> None:
    api.refuses("GET", RUN, 404, "NOT_FOUND", "there is no run of VTID-01227")
    drift = "/api/v1/environments/nope/drift"
    api.refuses("GET", drift, 404, "NOT_FOUND", "environment 'nope' is not declared; declared are dev")

    run = vtid("run", "show", "VTID-01227", "--api-url", api.url)
    environment = vtid("env", "check", "nope", "--api-url", api.url)

    assert run.code == environment.code == Exit.NOT_FOUND
    assert "vtid task list" in run.err
    assert "vtid task list" not in environment.err


def test_a_dry_run_says_first_that_nothing_is_done(api: FakeApi, vtid: Vtid) -> None:
    api.says("POST", f"{RUN}/rescue", {"effects": ["stage WORKER begins again"]})

    ended = vtid("run", "rescue", "VTID-01227", "retry", "--dry-run", "--api-url", api.url)

    assert ended.out == "nothing is done; retry would do this:\n- stage WORKER begins again\n"


def test_codes_and_times_stay_whole_in_eighty_columns(api: FakeApi, vtid: Vtid) -> None:
    longest = LETTER | {"code": "CLOUD_RUN_UNAVAILABLE"}
    api.says("GET", "/api/v1/dead-letters", {"items": [longest], "next_cursor": None})

    ended = vtid("dead", "list", "--api-url", api.url)

    assert "CLOUD_RUN_UNAVAILABLE" in ended.out
    assert "3 h 20 min" in ended.out


def test_a_blocked_run_shows_claimed_and_observed_and_breaks_no_address(api: FakeApi, vtid: Vtid) -> None:
    api.says("GET", RUN, blocked() | {"links": {"temporal": LONG}})

    ended = vtid("run", "show", "VTID-01227", "--api-url", api.url)

    assert "claimed" in ended.out
    assert "nothing on GitHub" in ended.out
    assert LONG in ended.out.splitlines()


def test_the_board_does_not_cut_the_advice() -> None:
    console = Console(width=80, force_terminal=False)
    with console.capture() as captured:
        console.print(board_face([blocked()]))

    assert FAILURE["advice"] in " ".join(captured.get().split())


def test_abandoning_needs_a_reason(api: FakeApi, vtid: Vtid) -> None:
    ended = vtid("run", "rescue", "VTID-01227", "abandon", "--api-url", api.url)

    assert ended.code == Exit.USAGE
    assert "reason is required" in ended.err
    assert ended.err.count("\n") == 1
    assert not api.asked


def test_a_second_start_says_that_it_joined(api: FakeApi, vtid: Vtid) -> None:
    api.says("POST", "/api/v1/runs", run_view())

    first = vtid("run", "start", "VTID-01227", "--api-url", api.url)
    api.says("GET", RUN, run_view())
    second = vtid("run", "start", "VTID-01227", "--api-url", api.url)

    assert first.err == ""
    assert "joined the run under way" in second.err


@pytest.mark.parametrize("named", ["VTID_API_URL", "VTID_DATA_DIR", None])
def test_the_doctor_fails_when_the_api_that_was_named_is_down(
    vtid: Vtid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str | None
) -> None:
    monkeypatch.delenv("VTID_DATA_DIR")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vtid.cli.session.DEFAULT_API", "http://127.0.0.1:9")
    if named:
        monkeypatch.setenv(named, "http://127.0.0.1:9" if named == "VTID_API_URL" else str(tmp_path))

    ended = vtid("doctor", "--json")

    state = "fail" if named else "warn"
    assert f'{{"check": "API", "state": "{state}"' in ended.out
    assert ended.code == Exit.FAILED or not named


def test_the_doctor_asks_for_no_credentials_of_google_where_nothing_runs_there(
    vtid: Vtid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "environments.yaml"
    service = '{host: http_version, url: "https://shop.test"}'
    file.write_text(f"dev:\n  repository: acme/shop\n  services:\n    shop: {service}\n")
    monkeypatch.setenv("VTID_ENVIRONMENTS", str(file))

    ended = vtid("doctor", "--json")

    assert '{"check": "Cloud Run", "state": "ok", "says": "no service of dev runs there"' in ended.out


def test_the_version_is_told_by_option_as_by_command(vtid: Vtid) -> None:
    assert vtid("--version").out == vtid("version").out != ""


def test_the_same_lie_told_again_is_one_line_with_its_number(api: FakeApi, vtid: Vtid) -> None:
    lie = {
        "field": "pull_request",
        "claimed": PULL,
        "observed": "GitHub has no such pull request",
        "by": "w1",
    }
    told = EVIDENCE | {"contradictions": [lie, lie, lie | {"by": "w2"}]}
    api.says("GET", "/api/v1/dead-letters/VTID-01227", LETTER | {"inputs": {"evidence": told}})

    ended = vtid("dead", "show", "VTID-01227", "--api-url", api.url)

    lines = [line for line in ended.out.splitlines() if line.startswith("contradiction")]
    assert len(lines) == 2
    assert lines[0].endswith("GitHub has no such pull request (2 times)")
    assert "w2 says" in lines[1]
    assert "times" not in lines[1]


def test_a_move_that_is_not_offered_is_told_without_repeating_itself(api: FakeApi, vtid: Vtid) -> None:
    offered = ["retry", "adopt", "abandon"]
    detail = "'skip' is not offered: it offers retry, adopt, abandon"
    problem = {"code": "MOVE_NOT_OFFERED", "detail": detail, "expected": offered, "actual": "skip"}
    api.says("POST", f"{RUN}/rescue", problem, 409)

    ended = vtid("run", "rescue", "VTID-01227", "skip", "--rule", "X", "--reason", "x", "--api-url", api.url)

    assert ended.err.startswith(f"vtid: MOVE_NOT_OFFERED: {detail}; ")
    assert "[" not in ended.err


def test_adopting_needs_a_pull_request(api: FakeApi, vtid: Vtid) -> None:
    ended = vtid("run", "rescue", "VTID-01227", "adopt", "--api-url", api.url)

    assert ended.code == Exit.USAGE
    assert "--pr-url" in ended.err
    assert not api.asked


def test_who_claims_an_order_is_told_when_to_beat_and_how(api: FakeApi, vtid: Vtid) -> None:
    deadlines = {
        "heartbeat_seconds": 30.0,
        "lost_seconds": 90.0,
        "progress_seconds": 300.0,
        "cap_seconds": 1800.0,
    }
    order = {
        "order_id": "o1",
        "vtid": "VTID-01227",
        "lease": "secret",
        "mode": "attended",
        "deadlines": deadlines,
    }
    api.says("POST", "/api/v1/work-orders/claim", order)

    ended = vtid("order", "claim", "--worker-id", "me", "--api-url", api.url)

    assert "vtid order heartbeat o1" in ended.out
    assert "every 30 s, lost after 1 min 30 s" in ended.out
    assert "secret" not in ended.out


def test_what_was_handed_in_is_told_without_what_was_left_out(api: FakeApi, vtid: Vtid) -> None:
    evidence: dict[str, Any] = {
        "pr_url": PULL,
        "head_sha": "a" * 40,
        "branch": None,
        "files": [],
        "summary": None,
        "by": "me",
    }
    api.says(
        "POST", "/api/v1/work-orders/o1/evidence", {"accepted": True, "order_id": "o1", "evidence": evidence}
    )

    ended = vtid(
        *("order", "evidence", "o1", "--lease", "l", "--pr-url", PULL, "--head-sha", "a" * 40),
        *("--api-url", api.url),
    )

    assert f"pr_url {PULL}, head_sha {'a' * 40}, by me\n" in ended.out
