"""Repair: what a verdict found wrong goes back to a worker instead of a person, as often as policy allows."""

from dataclasses import asdict, replace

from activities.pull_requests import PullRequests
from vtid.domain.change import Check
from vtid.domain.checks import red_checks
from vtid.domain.commands.pull_requests import CheckLog, ReadLogs
from vtid.domain.evidence import EvidenceSource
from vtid.domain.failures import RunStopped
from vtid.domain.repair import Finding, Repair, findings_of, may_be_repaired
from vtid.domain.rules import CHECKS_RULE
from vtid.domain.verdict import Facts, Verdict
from workflows.course import Course


class Repairs:
    def __init__(self, course: Course) -> None:
        self._course = course

    async def order(self, verdict: Verdict, facts: Facts, code: str, reason: str) -> bool:
        """Ask for one more round. False when policy allows none: then a person decides."""
        course, evidence = self._course, self._course.the_evidence()
        policy = course.request.environment.policy
        # What a person adopted is theirs; a worker does not push to it.
        theirs = evidence.source is EvidenceSource.ADOPTED
        if theirs or course.repair_rounds >= policy.repair_rounds or not may_be_repaired(verdict, policy):
            return False
        findings = await self._with_logs(findings_of(verdict, facts.checks, self._allowed), facts)
        course.repair_rounds += 1
        course.repair = Repair(
            round=course.repair_rounds,
            rounds=policy.repair_rounds,
            code=code,
            reason=reason,
            pr_url=evidence.pull_request.url,
            branch=evidence.pull_request.branch,
            head_sha=verdict.head_sha,
            findings=findings,
        )
        course.worker_succeeded = False
        course.story.tell("repair.ordered", **asdict(course.repair))
        return True

    @property
    def _allowed(self) -> tuple[str, ...]:
        return self._course.request.environment.checks.allow_skipped

    async def _with_logs(self, findings: tuple[Finding, ...], facts: Facts) -> tuple[Finding, ...]:
        red = red_checks(facts.checks.runs, self._allowed) if facts.checks else ()
        if not any(finding.rule == CHECKS_RULE for finding in findings):
            return findings
        named = {finding.name for finding in findings}
        logs = await self._logs(tuple(check for check in red if check.name in named))
        said = {log.name: log for log in logs}
        return tuple(
            replace(each, log=said[each.name].log, log_problem=said[each.name].problem)
            if each.rule == CHECKS_RULE and each.name in said
            else each
            for each in findings
        )

    async def _logs(self, red: tuple[Check, ...]) -> list[CheckLog]:
        """What the red checks say. Without an answer the names and links must do, and the order says so."""
        course = self._course
        command = ReadLogs(course.request.repository, red, course.limits["read_logs"].tries)
        try:
            return await course.step(
                PullRequests.read_logs, command, "GitHub to show what the red checks say", "GitHub"
            )
        except RunStopped as stop:
            return [CheckLog(check.name, problem=stop.message) for check in red]
