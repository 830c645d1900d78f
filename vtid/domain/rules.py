"""The validator rules VAL-RULE-001 … 013: each a pure function over facts that were gathered once.

Rule text and numbers: design of the run, 3.6. GET /rules and docs/rules.md are made from RULES.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from vtid.domain.change import CheckState
from vtid.domain.checks import checks_state, red_checks
from vtid.domain.environment import path_matches
from vtid.domain.evidence import EvidenceSource
from vtid.domain.task import CLOSED, TaskStatus
from vtid.domain.verdict import Answer, Facts, Pinned, RuleAnswer, Verdict

Finding = tuple[Answer, str, dict[str, Any]]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _pass(reason: str, **inputs: Any) -> Finding:
    return Answer.PASS, reason, inputs


def _fail(reason: str, **inputs: Any) -> Finding:
    return Answer.FAIL, reason, inputs


def _not_asked(reason: str, **inputs: Any) -> Finding:
    return Answer.NOT_ASKED, reason, inputs


def task_is_this_runs(pinned: Pinned, facts: Facts) -> Finding:
    if facts.task is None:
        return _fail(f"the ledger has no task {pinned.vtid}", vtid=pinned.vtid)
    if facts.task.vtid != pinned.vtid:
        return _fail(f"the run was started for {pinned.vtid}, the task is {facts.task.vtid}")
    return _pass("the task exists and this run was started for it", vtid=pinned.vtid)


def spec_is_the_approved_one(pinned: Pinned, facts: Facts) -> Finding:
    if facts.task is None or facts.task.spec_hash is None:
        return _fail("the task has no spec")
    hashes = {
        "pinned": pinned.spec_hash,
        "stored": facts.task.spec_hash,
        "computed": facts.task.spec_bytes_hash,
        "approved": facts.task.approved_hash,
    }
    differing = [name for name, value in hashes.items() if value != pinned.spec_hash]
    if differing:
        return _fail(
            f"the spec changed since the start: {', '.join(differing)} differs from the pinned hash", **hashes
        )
    return _pass("stored text, approval and pinned hash are equal", hash=pinned.spec_hash)


def run_is_the_current_one(pinned: Pinned, facts: Facts) -> Finding:
    if facts.task is None:
        return _fail("there is no task")
    if facts.task.status == TaskStatus.COMPLETED:
        return _fail("the task is completed already")
    if facts.task.status in CLOSED:
        return _fail(
            f"the ledger has this run as over: {facts.task.status}", current=facts.task.current_run_id
        )
    if facts.task.current_run_id != pinned.run_id:
        return _fail(
            "another run is the task's current one", current=facts.task.current_run_id, this=pinned.run_id
        )
    return _pass("the task is open and this is its current run", run_id=pinned.run_id)


def worker_stage_succeeded(pinned: Pinned, facts: Facts) -> Finding:
    if pinned.adopted_by:
        return _pass(f"evidence was adopted by {pinned.adopted_by}", adopted_by=pinned.adopted_by)
    if not pinned.worker_succeeded:
        return _fail("the WORKER stage of this run did not succeed")
    return _pass("the WORKER stage of this run succeeded")


def evidence_belongs_to_run(pinned: Pinned, facts: Facts) -> Finding:
    source = pinned.evidence_source
    if source is EvidenceSource.ADOPTED and not pinned.adopted_by:
        return _fail("the evidence was adopted by nobody", source=source)
    return _pass(f"the evidence was {source.replace('_', ' ')}", source=source)


def pull_request_is_mergeable_in_kind(pinned: Pinned, facts: Facts) -> Finding:
    pull = facts.pull_request
    if pull is None:
        return _fail("the pull request does not exist")
    seen = {
        "url": pull.url,
        "base": pull.base,
        "draft": pull.draft,
        "open": pull.is_open,
        "head": pull.head_repository,
    }
    adopted = pinned.evidence_source in (EvidenceSource.ADOPTED, EvidenceSource.MERGED_BEFORE)
    wrong = [
        text
        for text, holds in (
            (
                f"it is in {pull.repository}, not {pinned.repository}",
                _same(pull.repository, pinned.repository),
            ),
            ("it is closed", pull.is_open or (adopted and pull.merged)),
            ("it is a draft", not pull.draft),
            (f"it comes from a fork ({pull.head_repository})", not pull.from_fork),
            (f"its base is {pull.base}, planned was {pinned.base}", pull.base == pinned.base),
        )
        if not holds
    ]
    return (
        _fail("; ".join(wrong), **seen)
        if wrong
        else _pass("open, no draft, no fork, on the planned base", **seen)
    )


def _same(repository: str, other: str) -> bool:
    return repository.casefold() == other.casefold()


def head_is_the_evidence(pinned: Pinned, facts: Facts) -> Finding:
    if facts.pull_request is None:
        return _fail("the pull request does not exist")
    seen = {"head": facts.pull_request.head_sha, "evidence": pinned.evidence_sha}
    if facts.pull_request.head_sha != pinned.evidence_sha:
        return _fail("the head moved since the evidence was taken", **seen)
    return _pass("the head is the evidence", **seen)


def diff_is_real(pinned: Pinned, facts: Facts) -> Finding:
    if facts.files is None:
        return _not_asked("the changed files were not read")
    if not facts.files.paths:
        return _fail("the pull request changes no file", files=0)
    if not facts.files.complete:
        return _fail("not all changed files could be read", read=len(facts.files.paths))
    absent = sorted(set(pinned.claimed_files) - set(facts.files.paths))
    if absent:
        return _fail(
            f"claimed but not in the diff: {', '.join(absent[:5])}", claimed=len(pinned.claimed_files)
        )
    return _pass(
        f"{_counted(len(facts.files.paths), 'file')}, all claimed ones among them",
        files=len(facts.files.paths),
    )


def paths_are_allowed(pinned: Pinned, facts: Facts) -> Finding:
    if facts.files is None:
        return _not_asked("the changed files were not read")
    policy = pinned.environment.policy
    denied = [p for p in facts.files.paths if any(path_matches(p, pattern) for pattern in policy.deny_paths)]
    outside = [
        p for p in facts.files.paths if not any(path_matches(p, pattern) for pattern in policy.allow_paths)
    ]
    if denied:
        return _fail(f"denied by policy: {', '.join(denied[:5])}", denied=denied[:20])
    if outside:
        return _fail(f"not allowed by policy: {', '.join(outside[:5])}", outside=outside[:20])
    if len(facts.files.paths) > policy.max_files:
        return _fail(f"{len(facts.files.paths)} files changed, at most {policy.max_files} allowed")
    return _pass("every path is allowed", files=len(facts.files.paths))


def checks_are_green(pinned: Pinned, facts: Facts) -> Finding:
    checks = facts.checks
    if checks is None:
        return _not_asked("the checks were not read")
    seen = {
        "sha": checks.sha,
        "seen": {c.name: c.conclusion or c.state for c in checks.runs},
        "check_runs": [c.id for c in checks.runs if c.id is not None],
    }
    if checks.sha != pinned.evidence_sha:
        return _fail("the checks belong to another commit", **seen)
    state = checks_state(checks.runs, checks.required, pinned.environment.checks.allow_skipped)
    missing = checks.missing
    if state is CheckState.RED:
        red = red_checks(checks.runs, pinned.environment.checks.allow_skipped)
        return _fail(f"not green: {', '.join(check.name for check in red)}", **seen)
    if state is CheckState.PENDING:
        what = (
            f"missing: {', '.join(missing)}"
            if missing
            else "not finished"
            if checks.runs
            else "no check registered"
        )
        return _not_asked(what, **seen)
    return _pass(f"{_counted(len(checks.runs), 'check')} green on {checks.sha[:12]}", **seen)


def vtid_stands_in_it(pinned: Pinned, facts: Facts) -> Finding:
    pull = facts.pull_request
    if pull is None:
        return _fail("the pull request does not exist")
    if pinned.vtid not in pull.vtids:
        named = ", ".join(pull.vtids) or "none"
        return _fail(
            f"title, body and branch do not name {pinned.vtid} (named: {named})", named=list(pull.vtids)
        )
    if facts.other_open and pinned.adopted_by:
        text = f"{pinned.adopted_by} chose {pull.url} over {', '.join(facts.other_open[:3])}"
        return _pass(text, named=list(pull.vtids), others=facts.other_open)
    if facts.other_open:
        others = ", ".join(facts.other_open[:3])
        return _fail(
            f"a second open pull request of this VTID exists: {others} beside {pull.url}; "
            "adopt the one that counts, or close the other",
            others=facts.other_open,
        )
    if facts.superseded:
        text = f"{pinned.vtid} is named; late answers of lost attempts do not count: {', '.join(facts.superseded[:3])}"
        return _pass(text, named=list(pull.vtids), superseded=facts.superseded)
    return _pass(f"{pinned.vtid} is named and no other pull request is open for it", named=list(pull.vtids))


def no_secret_in_diff(pinned: Pinned, facts: Facts) -> Finding:
    if facts.files is None:
        return _not_asked("the changed files were not read")
    if facts.files.secrets:
        return _fail(
            f"secret-looking value in {facts.files.secrets[0]}", found=list(facts.files.secrets[:20])
        )
    return _pass("no secret-looking value was added")


def merges_cleanly(pinned: Pinned, facts: Facts) -> Finding:
    pull = facts.pull_request
    if pull is None:
        return _fail("the pull request does not exist")
    if pull.merged:
        return _pass("it is merged already", mergeable=None)
    if pull.mergeable is None:
        return _not_asked("GitHub still computes whether it merges cleanly")
    if not pull.mergeable:
        return _fail("it conflicts with its base", mergeable=False)
    return _pass("it merges cleanly", mergeable=True)


@dataclass(frozen=True)
class Rule:
    """One row of the rule table. `code` is the failure that it means when it does not hold.

    `skippable`: whether an approver may let it be. Never those that say *which* change this is and whose
    (001 to 007: another move mends them: start again, retry or adopt), nor the one that GitHub itself asks (013).
    """

    id: str
    title: str
    holds: Callable[[Pinned, Facts], Finding]
    code: str = "VALIDATION_FAILED"
    skippable: bool = False


# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("VAL-RULE-001", "the task exists and is this run's", task_is_this_runs),
    Rule("VAL-RULE-002", "the spec is exactly the approved and pinned one", spec_is_the_approved_one, "SPEC_HASH_MISMATCH"),
    Rule("VAL-RULE-003", "the task is open and this run is its current one", run_is_the_current_one),
    Rule("VAL-RULE-004", "the WORKER stage of this run succeeded", worker_stage_succeeded),
    Rule("VAL-RULE-005", "the evidence belongs to this run", evidence_belongs_to_run),
    Rule("VAL-RULE-006", "the pull request is open, no draft, no fork, on the planned base", pull_request_is_mergeable_in_kind),
    Rule("VAL-RULE-007", "the pull request's head is the evidence", head_is_the_evidence, "HEAD_MOVED"),
    Rule("VAL-RULE-008", "the diff is real and complete, claimed files are in it", diff_is_real, skippable=True),
    Rule("VAL-RULE-009", "every changed path is allowed", paths_are_allowed, "SCOPE_VIOLATION", skippable=True),
    Rule("VAL-RULE-010", "all required checks are green on exactly this commit", checks_are_green, "CHECKS_FAILED", skippable=True),
    Rule("VAL-RULE-011", "the VTID is named, and only one pull request is open for it", vtid_stands_in_it, skippable=True),
    Rule("VAL-RULE-012", "no secret-looking value in the diff", no_secret_in_diff, skippable=True),
    Rule("VAL-RULE-013", "the pull request merges cleanly", merges_cleanly, "MERGE_CONFLICT"),
)
# fmt: on
CHECKS_RULE = "VAL-RULE-010"
LEDGER_RULES = frozenset({"VAL-RULE-001", "VAL-RULE-002", "VAL-RULE-003"})  # over the task
SKIPPABLE = tuple(rule.id for rule in RULES if rule.skippable)
WAITED_FOR = frozenset({CHECKS_RULE, "VAL-RULE-013"})  # rules whose answer may still come


def judge(pinned: Pinned, facts: Facts) -> Verdict:
    """Ask every rule. A rule that cannot be answered says so; nothing is left out."""
    answers = []
    for rule in RULES:
        answer, reason, inputs = rule.holds(pinned, facts)
        found = RuleAnswer(rule.id, rule.title, answer, reason, inputs, rule.code)
        answers.append(_unless_skipped(found, pinned))
    return Verdict(pinned.evidence_sha, tuple(answers))


def _unless_skipped(found: RuleAnswer, pinned: Pinned) -> RuleAnswer:
    """The answer, or the skip of it. A rule that passes needs none, and no skip outlives its head."""
    skip = next((each for each in pinned.skips if each.rule == found.rule), None)
    if skip is None or found.answer is Answer.PASS or skip.head_sha != pinned.evidence_sha:
        return found
    said = found.inputs | {"said": found.answer, "says": found.reason}
    return replace(found, answer=Answer.SKIPPED, reason=skip.reason, by=skip.by, inputs=said)


def may_skip(rule: str) -> bool:
    """Whether an approver may let this rule be at all."""
    return rule in SKIPPABLE


def is_worth_waiting(pinned: Pinned, facts: Facts) -> bool:
    """Whether the facts of the code host leave open only what may still become an answer.

    False when nothing is open, and when a rule is broken already: nobody waits for a lost cause.
    """
    answers = [rule for rule in judge(pinned, facts).rules if rule.rule not in LEDGER_RULES]
    unasked = {rule.rule for rule in answers if rule.answer is Answer.NOT_ASKED}
    return bool(unasked) and unasked <= WAITED_FOR and all(rule.answer is not Answer.FAIL for rule in answers)


def code_of(verdict: Verdict, facts: Facts) -> tuple[str, str]:
    """(failure code, sentence) of a verdict that did not pass: the first failed rule, else the first unasked.

    *Could not ask* is never *no*: a rule's own code stands for its `fail`, not for a missing answer.
    """
    first = (verdict.failed or verdict.not_asked)[0]
    reasons = "; ".join(f"{rule.rule}: {rule.reason}" for rule in verdict.failed or verdict.not_asked)
    if first.answer is Answer.FAIL:
        return first.code, reasons
    return unfinished_checks_code(facts) if first.rule == CHECKS_RULE else "VALIDATION_FAILED", reasons


def unfinished_checks_code(facts: Facts) -> str:
    """CHECKS_MISSING when a needed check never showed up, CHECKS_TIMEOUT when one never ended."""
    checks = facts.checks
    running = checks is not None and any(run.state is CheckState.PENDING for run in checks.runs)
    return "CHECKS_TIMEOUT" if running else "CHECKS_MISSING"
