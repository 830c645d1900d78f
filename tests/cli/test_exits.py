"""Exit codes and the one line that says what happened and what to do."""

import json
from typing import Any

import httpx
import pytest
import typer

from tests.cli.conftest import FakeApi, Vtid, run_view
from vtid.cli.addresses import Addresses, write_addresses
from vtid.cli.client import unreachable
from vtid.cli.exits import Exit
from vtid.cli.main import app
from vtid.cli.session import Session

SHOW = ("GET", "/api/v1/tasks/VTID-01227")


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "UNAUTHENTICATED", Exit.NOT_SIGNED_IN),
        (403, "FORBIDDEN", Exit.FORBIDDEN),
        (403, "EXECUTION_DISARMED", Exit.BLOCKED),
        (404, "NOT_FOUND", Exit.NOT_FOUND),
        (409, "LEASE_LOST", Exit.CONFLICT),
        (409, "SPEC_NOT_APPROVED", Exit.BLOCKED),
        (412, "STALE_ETAG", Exit.CONFLICT),
        (422, "VALIDATION", Exit.USAGE),
        (429, "RATE_LIMITED", Exit.FAILED),
        (500, "INTERNAL", Exit.FAILED),
        (503, "TEMPORAL_UNAVAILABLE", Exit.UNREACHABLE),
    ],
)
def test_a_problem_of_the_api_is_one_line_and_its_own_exit_code(
    api: FakeApi, vtid: Vtid, status: int, code: str, expected: Exit
) -> None:
    api.refuses(*SHOW, status, code, "the\nreason")

    ended = vtid("task", "show", "VTID-01227", "--api-url", api.url)

    assert ended.code == expected
    assert ended.err.startswith(f"vtid: {code}: the reason")
    assert ended.err.count("\n") == 1
    assert ended.out == ""


def test_nobody_listening_is_unreachable_and_says_how_to_start(vtid: Vtid) -> None:
    ended = vtid("task", "list", "--api-url", "http://127.0.0.1:9")

    assert ended.code == Exit.UNREACHABLE
    assert "vtid dev" in ended.err
    assert ended.err.count("\n") == 1


def test_an_answer_that_does_not_come_is_a_timeout(tmp_path: Any) -> None:
    failure = unreachable(Session("http://127.0.0.1:1", None, tmp_path, False), httpx.ReadTimeout("slow"))

    assert failure.code == Exit.TIMED_OUT


def test_an_error_page_that_is_no_problem_is_still_one_line(api: FakeApi, vtid: Vtid) -> None:
    api.says(*SHOW, "<html>Bad gateway</html>", 502)

    ended = vtid("task", "show", "VTID-01227", "--api-url", api.url)

    assert ended.code == Exit.UNREACHABLE
    assert ended.err == "vtid: HTTP 502: Bad Gateway\n"


def test_no_work_has_an_exit_code_of_its_own(api: FakeApi, vtid: Vtid) -> None:
    api.says("POST", "/api/v1/work-orders/claim", "", 204)

    assert vtid("order", "claim", "--worker-id", "w", "--api-url", api.url).code == Exit.NO_WORK


def test_a_worker_that_is_told_to_stop_learns_it_from_the_exit_code(api: FakeApi, vtid: Vtid) -> None:
    order = {"order_id": "o/1", "lease": "secret-lease", "vtid": "VTID-01227"}
    api.says("POST", "/api/v1/work-orders/claim", order)
    api.says("POST", "/api/v1/work-orders/o%2F1/heartbeat", {"action": "stop", "reason": "cancelled"})

    vtid("order", "claim", "--worker-id", "w", "--api-url", api.url)
    ended = vtid("order", "heartbeat", "o/1", "--api-url", api.url)

    assert ended.code == Exit.BLOCKED
    assert api.asked[-1]["body"] == {"lease": "secret-lease"}


def test_what_is_no_vtid_never_reaches_the_api(api: FakeApi, vtid: Vtid) -> None:
    ended = vtid("task", "show", "01227", "--api-url", api.url)

    assert ended.code == Exit.USAGE
    assert not api.asked


def test_a_spec_is_sent_byte_for_byte(api: FakeApi, vtid: Vtid, tmp_path: Any) -> None:
    text = "# Title\r\n\r\nwith a trailing space \n\n"
    (tmp_path / "spec.md").write_bytes(text.encode())
    api.says("PUT", "/api/v1/tasks/VTID-01227/spec", {"vtid": "VTID-01227"})

    vtid("spec", "put", "vtid-01227", str(tmp_path / "spec.md"), "--api-url", api.url)

    assert api.asked[-1]["body"] == {"markdown": text}


def test_the_key_of_the_stack_is_sent_to_the_stack_and_to_nobody_else(
    api: FakeApi, vtid: Vtid, tmp_path: Any
) -> None:
    write_addresses(tmp_path, Addresses(api.url, "", "", None, token="the-stack's"))
    api.says("GET", "/api/v1/tasks", {"items": [], "next_cursor": None})

    vtid("task", "list")
    write_addresses(tmp_path, Addresses("http://127.0.0.1:9", "", "", None, token="the-stack's"))
    vtid("task", "list", "--api-url", api.url)

    assert api.asked[0]["headers"]["Authorization"] == "Bearer the-stack's"
    assert "Authorization" not in api.asked[1]["headers"]


def test_data_goes_to_standard_output_as_json(api: FakeApi, vtid: Vtid) -> None:
    api.says("GET", "/api/v1/runs/VTID-01227", run_view("blocked"))

    ended = vtid("run", "show", "VTID-01227", "--json", "--api-url", api.url)

    assert json.loads(ended.out)["status"] == "blocked"
    assert ended.err == ""


def _commands(group: Any, *path: str) -> list[tuple[str, ...]]:
    if not hasattr(group, "commands"):
        return [path]
    return [found for name, sub in group.commands.items() for found in _commands(sub, *path, name)]


COMMANDS = _commands(typer.main.get_command(app))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_and_can_speak_json(vtid: Vtid, path: tuple[str, ...]) -> None:
    ended = vtid(*path, "--help")

    assert ended.code == Exit.OK
    assert "--json" in ended.out


def test_the_promised_commands_exist() -> None:
    promised = """demo; dev; doctor; migrate; version; task create; task list; task show; spec put; spec validate;
        spec approve; run start; run list; run show; run watch; run cancel; run rescue; dead list; dead show;
        order claim; order heartbeat; order evidence; order fail; order release; simulate list; simulate run;
        token create"""

    assert {tuple(each.split()) for each in promised.split(";")} <= set(COMMANDS)
