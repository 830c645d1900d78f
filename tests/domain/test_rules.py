"""The thirteen rules, each with what passes, what fails, and what it says when it cannot be asked."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.examples import (
    ENVIRONMENT,
    GREEN,
    HEAD,
    OTHER_HEAD,
    checks,
    facts,
    pinned,
    pull_request,
    task_facts,
)
from vtid.domain.change import ChangedFiles, Check, CheckState
from vtid.domain.evidence import EvidenceSource
from vtid.domain.failures import FAILURES
from vtid.domain.rules import (
    LEDGER_RULES,
    RULES,
    SKIPPABLE,
    WAITED_FOR,
    Rule,
    code_of,
    is_worth_waiting,
    judge,
)
from vtid.domain.verdict import Answer, RuleAnswer, Skip, Verdict

PENDING = Check("ci", CheckState.PENDING)
RED = Check("ci", CheckState.RED, "failure", id=2)
SKIPPED = Check("lint", CheckState.SKIPPED, "skipped", id=3)
ADOPTED = {"evidence_source": EvidenceSource.ADOPTED, "adopted_by": "ann"}
MERGED = {"is_open": False, "merged": True}
LENIENT = replace(ENVIRONMENT, checks=replace(ENVIRONMENT.checks, allow_skipped=("lint",)))


def case(number: int, reason: str, run: dict[str, Any] | None = None, **seen: Any) -> Any:
    return pytest.param(f"VAL-RULE-{number:03}", reason, run or {}, seen, id=f"{number:03} {reason[:40]}")


def files(*paths: str, **more: Any) -> ChangedFiles:
    return ChangedFiles(paths, **({"complete": True} | more))


PASSES = (
    case(1, "started for it"),
    case(2, "are equal"),
    case(3, "its current run"),
    case(4, "succeeded"),
    case(4, "adopted by ann", {"worker_succeeded": False, **ADOPTED}),
    case(5, "handed in"),
    case(5, "found", {"evidence_source": EvidenceSource.FOUND}),
    case(5, "merged before", {"evidence_source": EvidenceSource.MERGED_BEFORE}),
    case(5, "adopted", ADOPTED),
    case(11, "do not count", superseded=("https://github.test/acme/shop/pull/9",)),
    case(11, "ann chose", ADOPTED, other_open=("https://github.test/acme/shop/pull/9",)),
    case(6, "open, no draft, no fork"),
    case(6, "open, no draft", ADOPTED, pull_request=pull_request(**MERGED)),
    case(6, "open, no draft", {"repository": "Acme/Shop"}),
    case(7, "the head is the evidence"),
    case(8, "1 file, all claimed ones", {"claimed_files": ("services/shop/app.py",)}),
    case(9, "every path is allowed", files=files("a", "b", "c")),
    case(10, "1 check green"),
    case(10, "2 checks green", {"environment": LENIENT}, checks=checks(GREEN, SKIPPED)),
    case(11, "is named"),
    case(11, "is named", pull_request=pull_request(vtids=("VTID-00001", "VTID-01227"))),
    case(12, "no secret-looking value"),
    case(13, "merges cleanly"),
    case(13, "merged already", ADOPTED, pull_request=pull_request(mergeable=None, **MERGED)),
)
FAILS = (
    case(1, "has no task", task=None),
    case(1, "the task is VTID-00001", task=task_facts(vtid="VTID-00001")),
    case(2, "has no spec", task=None),
    case(2, "has no spec", task=task_facts(spec_hash=None)),
    case(2, "stored differs", task=task_facts(spec_hash="6" * 64)),
    case(2, "computed differs", task=task_facts(spec_bytes_hash="6" * 64)),
    case(2, "approved differs", task=task_facts(approved_hash=None)),
    case(3, "no task", task=None),
    case(3, "completed already", task=task_facts(status="completed")),
    case(3, "over: rejected", task=task_facts(status="rejected")),  # ended by somebody else than the run
    case(3, "over: cancelled", task=task_facts(status="cancelled")),
    case(3, "another run", task=task_facts(current_run_id="run-2")),
    case(3, "another run", task=task_facts(current_run_id=None)),
    case(4, "did not succeed", {"worker_succeeded": False}),
    case(5, "adopted by nobody", {"evidence_source": EvidenceSource.ADOPTED}),
    case(6, "does not exist", pull_request=None),
    case(6, "it is in other/shop", pull_request=pull_request(repository="other/shop")),
    case(6, "it is closed", pull_request=pull_request(is_open=False)),
    case(6, "it is closed", pull_request=pull_request(**MERGED)),  # merged, and not adopted
    case(6, "it is closed", ADOPTED, pull_request=pull_request(is_open=False)),
    case(6, "it is a draft", pull_request=pull_request(draft=True)),
    case(6, "comes from a fork", pull_request=pull_request(head_repository="mallory/shop")),
    case(6, "comes from a fork", pull_request=pull_request(head_repository=None)),
    case(6, "its base is dev", pull_request=pull_request(base="dev")),
    case(7, "does not exist", pull_request=None),
    case(7, "the head moved", pull_request=pull_request(head_sha=OTHER_HEAD)),
    case(8, "changes no file", files=files()),
    case(8, "not all changed files", files=files("a", complete=False)),
    case(8, "claimed but not in the diff: b", {"claimed_files": ("b",)}, files=files("a")),
    case(9, "denied by policy: secrets/x", files=files("a", "secrets/x")),
    case(9, "at most 3 allowed", files=files("a", "b", "c", "d")),
    case(
        9,
        "not allowed by policy: b",
        {"environment": replace(ENVIRONMENT, policy=replace(ENVIRONMENT.policy, allow_paths=("a",)))},
        files=files("a", "b"),
    ),
    case(10, "not green: ci", checks=checks(RED)),
    case(10, "not green: ci", checks=checks(RED, Check("slow", CheckState.PENDING))),
    case(10, "not green: lint", checks=checks(GREEN, SKIPPED)),
    case(10, "another commit", checks=checks(GREEN, sha=OTHER_HEAD)),
    case(11, "does not exist", pull_request=None),
    case(11, "(named: VTID-00001)", pull_request=pull_request(vtids=("VTID-00001",))),
    case(11, "(named: none)", pull_request=pull_request(vtids=())),
    case(11, "a second open pull request", other_open=("https://github.test/acme/shop/pull/8",)),
    case(12, "secret-looking value in a: key", files=files("a", secrets=("a: key",))),
    case(13, "does not exist", pull_request=None),
    case(13, "conflicts", pull_request=pull_request(mergeable=False)),
)
CANNOT_BE_ASKED = (
    case(8, "not read", files=None),
    case(9, "not read", files=None),
    case(10, "not read", checks=None),
    case(10, "not finished", checks=checks(PENDING)),
    case(10, "no check registered", checks=checks(required=())),
    case(10, "missing: ci", checks=checks(Check("other", CheckState.GREEN))),
    case(12, "not read", files=None),
    case(13, "still computes", pull_request=pull_request(mergeable=None)),
)


def answer(rule: str, run: dict[str, Any], seen: dict[str, Any]) -> RuleAnswer:
    verdict = judge(pinned(**run), facts(**seen))
    return next(each for each in verdict.rules if each.rule == rule)


@pytest.mark.parametrize(("rule", "reason", "run", "seen"), PASSES)
def test_a_rule_passes(rule: str, reason: str, run: dict[str, Any], seen: dict[str, Any]) -> None:
    told = answer(rule, run, seen)

    assert (told.answer, reason in told.reason) == (Answer.PASS, True), told.reason


@pytest.mark.parametrize(("rule", "reason", "run", "seen"), FAILS)
def test_a_rule_fails_with_its_reason(
    rule: str, reason: str, run: dict[str, Any], seen: dict[str, Any]
) -> None:
    told = answer(rule, run, seen)

    assert (told.answer, reason in told.reason) == (Answer.FAIL, True), told.reason
    assert not judge(pinned(**run), facts(**seen)).passed


@pytest.mark.parametrize(("rule", "reason", "run", "seen"), CANNOT_BE_ASKED)
def test_a_rule_that_cannot_be_asked_says_so_and_never_passes(
    rule: str, reason: str, run: dict[str, Any], seen: dict[str, Any]
) -> None:
    told = answer(rule, run, seen)

    assert (told.answer, reason in told.reason) == (Answer.NOT_ASKED, True), told.reason
    assert not judge(pinned(**run), facts(**seen)).passed


def test_every_rule_has_a_case_that_passes_and_one_that_fails() -> None:
    numbers = [f"VAL-RULE-{number:03}" for number in range(1, 14)]

    assert [rule.id for rule in RULES] == numbers
    assert {str(each.values[0]) for each in PASSES} == set(numbers)
    assert {str(each.values[0]) for each in FAILS} == set(numbers)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_means_a_code_of_the_catalogue_that_blocks(rule: Rule) -> None:
    assert FAILURES[rule.code].repairable


def test_right_facts_pass_and_every_rule_is_answered() -> None:
    verdict = judge(pinned(), facts())

    assert verdict.passed
    assert len(verdict.rules) == len(RULES)
    assert verdict.head_sha == HEAD
    assert all(rule.reason for rule in verdict.rules)


missing: dict[str, Any] = {"task": None, "pull_request": None, "files": None, "checks": None}


@given(st.sets(st.sampled_from(sorted(missing)), min_size=1))
def test_a_missing_fact_never_passes(absent: set[str]) -> None:
    seen = facts(**dict.fromkeys(absent))

    assert not judge(pinned(), seen).passed
    assert code_of(judge(pinned(), seen), seen)[0] in FAILURES


def test_a_verdict_without_rules_has_not_passed() -> None:
    assert not Verdict(HEAD, ()).passed


@given(st.lists(st.sampled_from(Answer), min_size=1))
def test_only_pass_and_a_named_skip_pass(answers: list[Answer]) -> None:
    verdict = Verdict(HEAD, tuple(RuleAnswer("r", "t", each, "because") for each in answers))

    assert verdict.passed == set(answers).issubset({Answer.PASS, Answer.SKIPPED})


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        ({"task": task_facts(approved_hash=None)}, "SPEC_HASH_MISMATCH"),
        ({"pull_request": pull_request(head_sha=OTHER_HEAD)}, "HEAD_MOVED"),
        ({"files": files("secrets/x")}, "SCOPE_VIOLATION"),
        ({"files": files()}, "VALIDATION_FAILED"),
        ({"checks": checks(RED)}, "CHECKS_FAILED"),
        ({"pull_request": pull_request(mergeable=False)}, "MERGE_CONFLICT"),
        ({"files": files("secrets/x"), "checks": checks(PENDING)}, "SCOPE_VIOLATION"),  # no before unasked
        ({"checks": checks(PENDING)}, "CHECKS_TIMEOUT"),
        ({"checks": checks(required=())}, "CHECKS_MISSING"),
        ({"checks": checks(Check("other", CheckState.GREEN))}, "CHECKS_MISSING"),
        ({"checks": None}, "CHECKS_MISSING"),
        ({"files": None}, "VALIDATION_FAILED"),
        ({"pull_request": pull_request(mergeable=None)}, "VALIDATION_FAILED"),  # could not ask is not no
    ],
)
def test_the_code_is_that_of_the_first_broken_rule(seen: dict[str, Any], code: str) -> None:
    told, reasons = code_of(judge(pinned(), facts(**seen)), facts(**seen))

    assert told == code
    assert reasons.startswith("VAL-RULE-")


WAITABLE: tuple[dict[str, Any], ...] = (
    {"checks": checks(PENDING)},
    {"checks": checks(required=())},
    {"pull_request": pull_request(mergeable=None)},
    {"checks": checks(PENDING), "task": None},  # the ledger is asked when the verdict is reached
)
NOT_WAITABLE: tuple[dict[str, Any], ...] = (
    {},
    {"checks": checks(RED)},
    {"checks": checks(PENDING), "files": files("secrets/x")},
    {"checks": checks(PENDING), "files": None},
    {"pull_request": None},
)


@pytest.mark.parametrize("seen", WAITABLE)
def test_what_may_still_become_an_answer_is_waited_for(seen: dict[str, Any]) -> None:
    assert is_worth_waiting(pinned(), facts(**seen))


@pytest.mark.parametrize("seen", NOT_WAITABLE)
def test_nobody_waits_for_a_lost_cause_or_for_nothing(seen: dict[str, Any]) -> None:
    assert not is_worth_waiting(pinned(), facts(**seen))


def test_the_named_rules_are_rules() -> None:
    assert {rule.id for rule in RULES} >= LEDGER_RULES | WAITED_FOR


SKIP = Skip("VAL-RULE-009", "ann", "reviewed by hand", HEAD)
DENIED = facts(files=files("secrets/prod.env"))


def answer_of(rule: str, verdict: Verdict) -> RuleAnswer:
    return next(each for each in verdict.rules if each.rule == rule)


def test_a_skipped_rule_lets_the_verdict_pass_and_says_who_let_it_be_and_what_it_had_said() -> None:
    verdict = judge(pinned(skips=(SKIP,)), DENIED)

    found = answer_of("VAL-RULE-009", verdict)
    assert verdict.passed
    assert (found.answer, found.by, found.reason) == (Answer.SKIPPED, "ann", "reviewed by hand")
    assert (found.inputs["said"], found.inputs["says"]) == (
        Answer.FAIL,
        "denied by policy: secrets/prod.env",
    )
    assert verdict.skipped == (found,)


def test_a_skip_does_not_outlive_the_head_that_the_person_saw() -> None:
    moved = pinned(skips=(SKIP,), evidence_sha=OTHER_HEAD)
    there = facts(
        files=files("secrets/prod.env"),
        pull_request=pull_request(head_sha=OTHER_HEAD),
        checks=checks(GREEN, sha=OTHER_HEAD),
    )

    assert answer_of("VAL-RULE-009", judge(moved, there)).answer is Answer.FAIL


def test_a_skip_of_one_rule_is_none_of_another() -> None:
    verdict = judge(pinned(skips=(SKIP,)), replace(DENIED, checks=checks(RED)))

    assert [each.rule for each in verdict.failed] == ["VAL-RULE-010"]


def test_a_rule_that_passes_is_not_called_skipped() -> None:
    assert answer_of("VAL-RULE-009", judge(pinned(skips=(SKIP,)), facts())).answer is Answer.PASS


def test_checks_that_were_let_be_are_not_waited_for() -> None:
    skip = Skip("VAL-RULE-010", "ann", "CI is down", HEAD)

    assert is_worth_waiting(pinned(), facts(checks=checks(PENDING)))
    assert not is_worth_waiting(pinned(skips=(skip,)), facts(checks=checks(PENDING)))


def test_what_this_change_is_and_whose_can_never_be_skipped() -> None:
    never = {f"VAL-RULE-{number:03}" for number in (1, 2, 3, 4, 5, 6, 7, 13)}

    assert never | set(SKIPPABLE) == {rule.id for rule in RULES}
    assert not never & set(SKIPPABLE)
