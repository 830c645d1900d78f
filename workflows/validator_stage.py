"""VALIDATOR: gather the facts, ask every rule, wait only for what may still become an answer."""

from dataclasses import replace
from typing import Any

from temporalio import workflow

from activities.pull_requests import PullRequests
from activities.validation import Validation
from vtid.domain.commands.pull_requests import AwaitChecks, Judge
from vtid.domain.evidence import Evidence
from vtid.domain.failures import RunStopped
from vtid.domain.rules import code_of, is_worth_waiting, may_skip
from vtid.domain.stages import Stage
from vtid.domain.verdict import Facts, Pinned
from workflows.course import Course, one_try
from workflows.repairs import Repairs


class ValidatorStage:
    def __init__(self, course: Course) -> None:
        self._course = course
        self._repairs = Repairs(course)

    async def validate(self) -> Stage:
        """A verdict over exactly one head. A head that moved is judged anew, a bounded number of times.

        Gives WORKER when what fails is to be mended there. Raises RunStopped when a person must decide.
        """
        facts = self._course.facts or await self._gather()
        while True:
            if self._moved(facts):
                facts = await self._gather()
                continue
            # Nothing is waited for that is lost already.
            if is_worth_waiting(_pinned(self._course), facts):
                facts = await self._await_checks(facts)
                if self._moved(facts):
                    facts = await self._gather()
                    continue
            verdict = await self._course.quietly(Validation.judge, Judge(_pinned(self._course), facts))
            self._course.judged_at = workflow.now()
            self._course.facts = None  # spent: whoever comes back here looks anew
            self._course.story.tell(
                "verdict.reached", passed=verdict.passed, head_sha=verdict.head_sha, rules=list(verdict.rules)
            )
            if verdict.passed:
                self._course.judged_head, self._course.skipped = verdict.head_sha, verdict.skipped
                return Stage.DEPLOY
            code, reasons = code_of(verdict, facts)
            if await self._repairs.order(verdict, facts, code, reasons):
                return Stage.WORKER
            skippable = tuple(rule for rule in verdict.open if may_skip(rule))
            raise RunStopped(code, reasons, skippable=skippable)

    async def _gather(self) -> Facts:
        pull = self._course.the_evidence().pull_request
        return await self._course.gather_facts(pull.repository, pull.number, pull.head_sha)

    def _moved(self, facts: Facts) -> bool:
        """Whether the head is another one than the evidence; if so the new one becomes the evidence."""
        pull = facts.pull_request
        if pull is None or pull.head_sha == self._course.the_evidence().head_sha:
            return False
        head_moved(self._course, pull.head_sha)
        return True

    async def _await_checks(self, facts: Facts) -> Facts:
        course, pull = self._course, self._course.the_evidence().pull_request
        missing_after = one_try(course.limits["checks_missing"])
        command = AwaitChecks(
            repository=pull.repository,
            number=pull.number,
            sha=pull.head_sha,
            base=pull.base,
            environment=course.request.environment,
            missing_after_seconds=missing_after.total_seconds(),
            since=workflow.now(),
        )
        what = f"the checks of {pull.head_sha[:12]} to end"
        checked = await course.step(PullRequests.await_checks, command, what, "GitHub Actions")
        return replace(facts, pull_request=checked.pull_request, checks=checked.checks)


def head_moved(course: Course, head_sha: str) -> None:
    """The evidence is void: the new head takes its place and is judged anew. Raises RunStopped HEAD_MOVED."""
    evidence = course.the_evidence()
    moved: dict[str, Any] = {"from": evidence.head_sha, "to": head_sha, "round": course.head_rounds + 1}
    course.story.tell("change.head_moved", **moved)
    course.evidence, course.judged_head = _at_head(evidence, head_sha), None
    _count_round(course, f"the head moved, last from {evidence.head_sha[:12]} to {head_sha[:12]}")


def checks_changed(course: Course, reason: str) -> None:
    """The verdict is void: a check is not what it was. Judged anew. Raises RunStopped HEAD_MOVED."""
    course.story.tell("verdict.voided", reason=reason, round=course.head_rounds + 1)
    course.judged_head = None
    _count_round(course, reason)


def _count_round(course: Course, reason: str) -> None:
    course.head_rounds += 1
    rounds = course.limits["head_rounds"].tries
    if course.head_rounds > rounds:
        raise RunStopped("HEAD_MOVED", f"validated {rounds} times again and it still moves: {reason}")


def _at_head(evidence: Evidence, head_sha: str) -> Evidence:
    return replace(evidence, pull_request=replace(evidence.pull_request, head_sha=head_sha))


def _pinned(course: Course) -> Pinned:
    evidence, request = course.the_evidence(), course.request
    claimed = evidence.claimed.files if evidence.claimed else ()
    return Pinned(
        vtid=request.vtid,
        run_id=workflow.info().run_id,
        spec_hash=request.spec_hash,
        repository=request.repository,
        base=request.base,
        environment=request.environment,
        evidence_source=evidence.source,
        evidence_sha=evidence.head_sha,
        worker_succeeded=course.worker_succeeded,
        adopted_by=evidence.adopted_by,
        claimed_files=claimed,
        skips=tuple(course.skips),
    )
