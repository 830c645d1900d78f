"""What a proof bundle says of a run, and what it never says."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.run_events import (
    DIGEST,
    HEAD,
    MERGED,
    RUN_ID,
    SPEC,
    approval,
    blocked,
    green,
    shown,
    until_merged,
)
from vtid.domain.canonical import canonical, sha256_of, sha256_of_lines
from vtid.domain.run_proof import EngineEnd, approval_of, events_of_run, statement_of, view_of


def test_a_completed_run_is_about_its_commit_and_its_images() -> None:
    statement = statement_of(green(), approval())

    assert statement["subject"] == [
        {"name": "acme/shop", "digest": {"gitCommit": MERGED}},
        {"name": "dev/shop/shop-00007", "digest": {"sha256": DIGEST.removeprefix("sha256:")}},
    ]
    run = statement["predicate"]
    assert (run["status"], run["outcome"], run["failure"], run["ended_by"]) == (
        "completed",
        "success",
        None,
        "run",
    )
    assert run["spec"]["approval"] == {
        "by": "ada", "at": "2026-01-02T03:04:08.000Z", "reason": "it is small", "position": 3,
    }  # fmt: skip
    assert (run["change"]["head_sha"], run["verdict"]["head_sha"]) == (HEAD, HEAD)
    assert [each["answer"] for each in run["verdict"]["rules"]] == ["pass"] * 13


def test_each_link_has_its_source_its_moment_and_the_hash_of_the_raw_answer() -> None:
    links = statement_of(green(), approval())["predicate"]["proof"]["links"]

    told = {each["name"]: each["source"] for each in links}
    assert told["commit"] == "GitHub, history of the base branch"
    assert (told["actions_run"], told["traffic"]) == ("GitHub Actions", "Cloud Run")
    assert told["live_answer"] == "the service's own version endpoint"
    raw = json.dumps({"id": 9, "url": "https://github.test/run/9"}, separators=(",", ":"))
    assert links[1]["raw_sha256"] == hashlib.sha256(raw.encode()).hexdigest()
    assert {each["at"] for each in links} == {"2026-01-02T03:05:00.123Z"}


def test_the_image_of_a_run_that_is_not_proven_is_no_subject() -> None:
    statement = statement_of(blocked(), approval())

    assert [each["name"] for each in statement["subject"]] == ["acme/shop"]
    assert statement["predicate"]["services"][0]["image_digest"] == DIGEST
    assert (statement["predicate"]["status"], statement["predicate"]["outcome"]) == ("blocked", None)
    assert statement["predicate"]["failure"]["code"] == "PROBE_FAILED"


def test_where_nothing_was_merged_it_is_about_the_spec() -> None:
    events = [
        *until_merged()[:1],
        shown(6, 2, "run.blocked", "PLANNER", failure=_failure("SPEC_HASH_MISMATCH")),
    ]

    assert statement_of(events, approval())["subject"] == [
        {"name": "VTID-01227/spec", "digest": {"sha256": SPEC}}
    ]


def test_an_end_inside_temporal_is_told_as_such() -> None:
    end = EngineEnd("rejected", "error", _failure("ENGINE_TERMINATED"), "2026-01-02T04:00:00Z")

    run = statement_of(until_merged(), approval(), end)["predicate"]

    assert (run["status"], run["ended_by"], run["ended_at"]) == (
        "rejected",
        "engine",
        "2026-01-02T04:00:00.000Z",
    )


def test_the_hash_over_the_events_is_that_of_their_file() -> None:
    events = green()
    file = "".join(canonical(each) + "\n" for each in events)

    log = statement_of(events, approval())["predicate"]["log"]

    assert log == {
        "events": 9, "first_position": 5, "last_position": 14, "first_seq": 1, "last_seq": 9,
        "sha256": hashlib.sha256(file.encode()).hexdigest(),
    }  # fmt: skip
    # Also for whoever only has the file: numbers with a fraction stand in it as text.
    assert sha256_of_lines(json.loads(line) for line in file.splitlines()) == log["sha256"]


def test_the_approval_is_the_last_one_of_this_text_before_the_run() -> None:
    early, other = shown(1, None, "spec.approved", hash=SPEC), shown(4, None, "spec.approved", hash="0" * 64)
    late = shown(9, None, "spec.approved", hash=SPEC)

    assert approval_of(SPEC, [early, approval(), other, late], before=5) == approval()
    assert approval_of(SPEC, [other, late], before=5) is None


def test_events_of_other_runs_and_of_none_do_not_count() -> None:
    strange = shown(13, 3, "run.finished", status="rejected") | {"run_id": "run-0"}

    assert events_of_run(RUN_ID, [approval(), *reversed(green()), strange]) == green()


def test_a_run_without_events_has_no_view() -> None:
    with pytest.raises(ValueError, match="without an event"):
        view_of([])


def test_secrets_in_the_words_of_people_are_masked() -> None:
    token = "ghp_" + "x" * 36
    signed = approval()
    signed["data"]["reason"] = f"as {token} said"

    assert token not in canonical(statement_of(green(), signed))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(_VALUES)
def test_canonical_json_is_the_same_however_often_it_is_read_and_written(value: Any) -> None:
    written = canonical(value)

    assert canonical(json.loads(written)) == written
    assert sha256_of(json.loads(written)) == sha256_of(value)


def _failure(code: str) -> dict[str, Any]:
    return {"code": code, "stage": "PLANNER", "message": "because", "outcome": "failure", "moves": []}
