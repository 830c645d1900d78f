"""A verdict: the validator rules with pass, fail or not asked, and the reason for each."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vtid.domain.change import ChangedFiles, Checks, PullRequest
from vtid.domain.environment import Environment
from vtid.domain.evidence import EvidenceSource


class Answer(StrEnum):
    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    NOT_ASKED = "not_asked"  # could not be asked (yet): neither yes nor no, and never green
    SKIPPED = "skipped"  # by a named person, with a reason


@dataclass(frozen=True)
class RuleAnswer:
    rule: str
    title: str
    answer: Answer
    reason: str
    inputs: dict[str, Any] = field(default_factory=dict)
    code: str = "VALIDATION_FAILED"  # the failure that a `fail` means
    by: str | None = None  # who skipped it; `reason` is theirs then, and `inputs` has what the rule said


@dataclass(frozen=True)
class Skip:
    """A named person lets one rule be, for exactly the head that they saw: another head is asked again."""

    rule: str
    by: str
    reason: str
    head_sha: str


@dataclass(frozen=True)
class Verdict:
    """All rules over the facts of one head commit. Fails closed: only all-pass passes."""

    head_sha: str
    rules: tuple[RuleAnswer, ...]

    @property
    def passed(self) -> bool:
        return bool(self.rules) and all(rule.answer in (Answer.PASS, Answer.SKIPPED) for rule in self.rules)

    @property
    def failed(self) -> tuple[RuleAnswer, ...]:
        return tuple(rule for rule in self.rules if rule.answer is Answer.FAIL)

    @property
    def not_asked(self) -> tuple[RuleAnswer, ...]:
        return tuple(rule for rule in self.rules if rule.answer is Answer.NOT_ASKED)

    @property
    def skipped(self) -> tuple[RuleAnswer, ...]:
        return tuple(rule for rule in self.rules if rule.answer is Answer.SKIPPED)

    @property
    def open(self) -> tuple[str, ...]:
        """The ids of the rules that keep it from passing."""
        return tuple(rule.rule for rule in (*self.failed, *self.not_asked))


@dataclass(frozen=True)
class TaskFacts:
    """What the ledger says of the task now."""

    vtid: str
    status: str
    current_run_id: str | None
    spec_hash: str | None  # as stored
    spec_bytes_hash: str | None  # computed again from the stored text
    approved_hash: str | None


@dataclass(frozen=True)
class Pinned:
    """What the run knows by itself: fixed at its start or proven in its own stages."""

    vtid: str
    run_id: str
    spec_hash: str
    repository: str
    base: str
    environment: Environment
    evidence_source: EvidenceSource
    evidence_sha: str
    worker_succeeded: bool
    adopted_by: str | None = None
    claimed_files: tuple[str, ...] = ()
    skips: tuple[Skip, ...] = ()


@dataclass(frozen=True)
class Facts:
    """Everything the rules look at, gathered once."""

    task: TaskFacts | None
    pull_request: PullRequest | None
    files: ChangedFiles | None
    checks: Checks | None
    other_open: tuple[str, ...] = ()  # web addresses of further open pull requests of this VTID
    superseded: tuple[
        str, ...
    ] = ()  # those that lost attempts of this run opened: late answers, which do not count
