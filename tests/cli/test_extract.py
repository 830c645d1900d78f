"""`vtid extract`: a line of JSON in, a line of JSON out, and nothing silent."""

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Ended, FakeApi, Vtid
from tests.domain.corpus import FILE, rows
from vtid.cli.exits import Exit

Extract = Callable[..., Ended]


@pytest.fixture
def extract(vtid: Vtid, monkeypatch: pytest.MonkeyPatch) -> Extract:
    """Run `vtid extract` with these lines on standard input; what is not text is written as JSON."""

    def run(*lines: Any, arguments: tuple[str, ...] = ()) -> Ended:
        encoded = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n".join(encoded))))
        return vtid("extract", *arguments)

    return run


def answers(ended: Ended) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.out.splitlines()]


def test_every_line_is_answered_with_the_task_its_place_and_the_reason(extract: Extract) -> None:
    ended = extract(
        {"id": "a", "subject": "feat: pay (VTID-01227)", "body": "Since VTID-01300."},
        {"id": 2, "subject": "x"},
    )

    assert ended.code == Exit.OK
    assert ended.err == ""
    assert answers(ended) == [
        {
            "id": "a",
            "vtid": "VTID-01227",
            "found_in": "subject",
            "all_mentioned": ["VTID-01227", "VTID-01300"],
            "why": "the subject has VTID-01227 in brackets",
        },
        {"id": 2, "vtid": None, "found_in": None, "all_mentioned": [], "why": "the subject names no task"},
    ]


def test_title_text_and_branch_are_read_from_the_line(extract: Extract) -> None:
    change = {"id": 1, "subject": "x", "branch": "claude/vtid-01301-x"}
    ended = extract(
        change | {"pr_title": "Pay (VTID-01227)"}, change | {"pr_body": "VTID: VTID-01300"}, change
    )

    found = [(answer["vtid"], answer["found_in"]) for answer in answers(ended)]
    assert found == [("VTID-01227", "pr_title"), ("VTID-01300", "pr_body"), ("VTID-01301", "branch")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"nope", "expected one JSON object"),
        (b"\xff", "expected one JSON object"),
        (b"[" * 100_000, "expected one JSON object"),
        ([1], "expected one JSON object, got list"),
        ({"subject": "x"}, "field `id` is missing"),
        ({"id": None, "subject": "x"}, "field `id`: expected a string or a whole number, got null"),
        ({"id": 1}, "field `subject` is missing"),
        ({"id": 1, "subject": None}, "field `subject`: expected a string, got null"),
        ({"id": 1, "subject": "x", "body": 3}, "field `body`: expected a string or null, got 3"),
        (
            {"id": 1, "subject": "x", "pull_request": "7"},
            'field `pull_request`: expected its number, got "7"',
        ),
    ],
)
def test_a_bad_line_is_told_with_number_and_field_and_the_others_are_answered(
    extract: Extract, line: Any, problem: str
) -> None:
    ended = extract({"id": 1, "subject": "x"}, b"", line, {"id": 4, "subject": "x"})

    assert ended.code == Exit.USAGE
    assert ended.err.startswith(f"vtid: line 3: {problem}")
    assert ended.err.endswith("vtid: 1 of 3 changes could not be read\n")
    assert [answer["id"] for answer in answers(ended)] == [1, 4]


def test_no_input_is_said(extract: Extract) -> None:
    ended = extract()

    assert (ended.code, ended.out) == (Exit.OK, "")
    assert "no change came in" in ended.err


def test_the_corpus_is_answered_line_by_line(extract: Extract) -> None:
    ended = extract(*FILE.read_bytes().splitlines())

    assert ended.code == Exit.OK
    assert [answer["id"] for answer in answers(ended)] == [row["id"] for row in rows()]
    assert all(answer["why"] for answer in answers(ended))


# --- asking GitHub

PULL = "/repos/acme/shop/pulls/7"


def shown(title: str, body: str | None = None) -> dict[str, Any]:
    return {"title": title, "body": body, "head": {"ref": "claude/vtid-01301-x"}}


def test_title_text_and_branch_are_asked_from_github_once_and_only_where_missing(
    extract: Extract, api: FakeApi
) -> None:
    api.says("GET", PULL, shown("Pay", "VTID: VTID-01227"))
    change = {"id": 1, "subject": "x (#7)", "repository": "acme/shop", "pull_request": 7}

    ended = extract(
        change,
        change,
        change | {"pr_title": "Known (VTID-01300)"},
        {"id": 2, "subject": "without"},
        arguments=("--base-url", api.url),
    )

    found = [(answer["vtid"], answer["found_in"]) for answer in answers(ended)]
    assert found == [("VTID-01227", "pr_body")] * 2 + [("VTID-01300", "pr_title"), (None, None)]
    assert [asked["path"] for asked in api.asked] == [PULL]


def test_without_a_base_url_github_is_not_asked(extract: Extract) -> None:
    ended = extract({"id": 1, "subject": "x (VTID-01227)", "repository": "acme/shop", "pull_request": 7})

    assert answers(ended)[0]["found_in"] == "subject"


def test_a_pull_request_without_a_repository_is_a_bad_line(extract: Extract, api: FakeApi) -> None:
    ended = extract({"id": 1, "subject": "x", "pull_request": 7}, arguments=("--base-url", api.url))

    assert ended.code == Exit.USAGE
    assert "line 1: field `repository` is missing" in ended.err


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, Exit.NOT_SIGNED_IN), (403, Exit.FORBIDDEN), (404, Exit.NOT_FOUND), (502, Exit.UNREACHABLE)],
)
def test_a_github_that_does_not_tell_ends_the_command_and_names_the_line(
    extract: Extract, api: FakeApi, status: int, code: Exit
) -> None:
    api.says("GET", PULL, {"message": "no"}, status)
    api.says("GET", "/repos/acme/shop", {"full_name": "acme/shop"})
    change = {"id": 1, "subject": "x", "repository": "acme/shop", "pull_request": 7}

    ended = extract({"id": 0, "subject": "x"}, change, arguments=("--base-url", api.url))

    assert ended.code == code
    assert ended.err.startswith("vtid: line 2: ")
    assert [answer["id"] for answer in answers(ended)] == [0]


def test_a_base_url_that_is_none_is_refused_before_anything_is_read(extract: Extract) -> None:
    ended = extract({"id": 1, "subject": "x"}, arguments=("--base-url", "http://github.test"))

    assert (ended.code, ended.out) == (Exit.USAGE, "")
    assert "https://" in ended.err
