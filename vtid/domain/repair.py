"""A repair order: what a verdict found wrong goes back to a worker, on the same branch, a bounded number of times."""

from dataclasses import dataclass

from vtid.domain.change import Checks
from vtid.domain.checks import red_checks
from vtid.domain.environment import Policy
from vtid.domain.rules import CHECKS_RULE
from vtid.domain.verdict import Verdict

MOST_FINDINGS = 20  # of one order; they travel in histories


@dataclass(frozen=True)
class Finding:
    """One thing to mend: a red check with the end of its log, or a rule that does not hold.

    `log_problem` says why there is no log: that is neither an empty log nor a reason not to mend.
    """

    rule: str
    name: str  # of the check, or the rule's title
    says: str  # the check's conclusion, or the rule's reason
    url: str | None = None
    log: str = ""
    log_problem: str | None = None


@dataclass(frozen=True)
class Repair:
    """One round of repair: the pull request to push to, the head that was judged, and what was found."""

    round: int
    rounds: int
    code: str
    reason: str
    pr_url: str
    branch: str
    head_sha: str
    findings: tuple[Finding, ...]


def may_be_repaired(verdict: Verdict, policy: Policy) -> bool:
    """Whether all that fails is what policy lets a worker mend. What could not be asked, nobody can mend."""
    failed = {rule.rule for rule in verdict.failed}
    return bool(failed) and failed <= set(policy.repair_rules)


def findings_of(
    verdict: Verdict, checks: Checks | None, allow_skipped: tuple[str, ...]
) -> tuple[Finding, ...]:
    """What a worker has to mend, without logs: each red check by itself, any other failed rule as a whole."""
    findings: list[Finding] = []
    for rule in verdict.failed:
        if rule.rule == CHECKS_RULE and checks is not None:
            red = red_checks(checks.runs, allow_skipped)
            findings += [
                Finding(rule.rule, check.name, check.conclusion or check.state, check.url) for check in red
            ]
        else:
            findings.append(Finding(rule.rule, rule.title, rule.reason))
    return tuple(findings[:MOST_FINDINGS])
