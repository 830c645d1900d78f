"""What GitHub is told of a run: the view's own words, and nothing that a worker could smuggle in."""

from dataclasses import replace
from typing import Any

from vtid.domain.notice import MAX_TEXT, Conclusion, escaped, notice_of
from vtid.domain.stages import Stage
from vtid.domain.task import TaskStatus
from vtid.domain.view import MOVES, RunView

VTID = "VTID-01227"
HEAD, COMMIT = "a" * 40, "b" * 40


def rule(answer: str = "pass", reason: str = "it does") -> dict[str, Any]:
    return {"rule": "VAL-RULE-001", "title": "it holds", "answer": answer, "reason": reason}


def judged(*rules: dict[str, Any], **more: Any) -> RunView:
    verdict = {"passed": True, "head_sha": HEAD, "rules": list(rules or (rule(),))}
    view = RunView(VTID, "run-1", status=TaskStatus.VALIDATING, stage=Stage.DEPLOY, verdict=verdict)
    return replace(view, **more)


def proven(service: str | None = "shop", *, complete: bool = True) -> dict[str, Any]:
    link = {"name": "live_answer", "state": "proven", "says": "3 answers", "service": service}
    return {"complete": complete, "links": [link]}


def blocked(code: str = "CHECKS_FAILED", message: str = "ci is red") -> RunView:
    failure = {"code": code, "message": message, "advice": "look at ci"}
    return judged(
        rule("fail"),
        status=TaskStatus.BLOCKED,
        stage=Stage.VALIDATOR,
        failure=failure,
        moves=tuple(MOVES.values()),
    )


def test_a_passed_verdict_is_a_success_that_names_the_rules() -> None:
    notice = notice_of(judged(rule(), rule()))

    assert (notice.title, notice.conclusion) == ("validated, 2 rules hold", Conclusion.SUCCESS)
    assert "VAL-RULE-001" in notice.text


def test_a_rule_that_a_person_skipped_is_not_told_as_held() -> None:
    assert (
        notice_of(judged(rule(), rule("skipped"))).title == "validated, 1 rules hold, 1 skipped by a person"
    )


def test_a_blocked_run_asks_for_action_and_names_the_moves() -> None:
    notice = notice_of(blocked())

    assert notice.conclusion is Conclusion.ACTION_REQUIRED
    assert notice.title == "blocked in VALIDATOR, CHECKS_FAILED: ci is red"
    assert "vtid run rescue VTID-01227 retry | adopt | skip | abandon" in notice.text
    assert "look at ci" in notice.text


def test_merged_and_proven_are_told_apart() -> None:
    merged = judged(merged=COMMIT)

    assert notice_of(merged).title == "merged as bbbbbbbbbbbb, not proven to serve yet"
    assert notice_of(replace(merged, proof=proven())).title == "bbbbbbbbbbbb serves: proven"
    assert notice_of(replace(merged, proof=proven(complete=False))).title.endswith("not proven to serve yet")
    assert notice_of(replace(merged, proof=proven(service=None))).title == "merged as bbbbbbbbbbbb"


def test_a_run_that_is_over_says_how() -> None:
    over = replace(blocked(), moves=())

    assert notice_of(replace(over, status=TaskStatus.REJECTED)).conclusion is Conclusion.FAILURE
    cancelled = replace(over, status=TaskStatus.CANCELLED, note="changed my mind")
    assert notice_of(cancelled).title == "cancelled: changed my mind"
    assert notice_of(cancelled).conclusion is Conclusion.CANCELLED


def test_words_of_a_worker_cannot_make_a_link_a_mention_or_a_table() -> None:
    evil = "x](https://evil.test) | ✅ | @everyone <img src=x> `code`\n\n# big"

    notice = notice_of(judged(rule("fail", evil)))

    row = next(line for line in notice.text.splitlines() if "evil" in line)
    assert row.count(" | ") == 3
    assert not set("@<`[") & set(row)
    assert "# big" not in notice.text


def test_a_notice_stays_within_what_github_takes() -> None:
    many = [rule("fail", "long " * 200) for _ in range(500)]

    notice = notice_of(judged(*many))

    assert len(notice.text) <= MAX_TEXT
    assert len(escaped("x" * 10_000)) < 400


def test_the_page_is_linked_where_there_is_one() -> None:
    linked = notice_of(judged(links={"page": "https://vtid.test/#VTID-01227"}))

    assert linked.url == "https://vtid.test/#VTID-01227"
    assert "[the run](https://vtid.test/#VTID-01227)" in linked.text
    assert notice_of(judged()).url == ""
