"""Can a change reach the base branch past the validator? GitHub lets whoever may write merge what no rule holds up.

Only a required check does hold it up: `vtid`, which is green on a head only where the verdict passed. With a merge queue
that check must not be required (it never comes for a group), and the queue's own findings say what is.
"""

from collections.abc import Sequence

from vtid.domain.change import BranchRules
from vtid.domain.group_checks import Finding, Standing
from vtid.domain.notice import CHECK_NAME

ABOUT = "base branch"


def guard_findings(branch: str, rules: BranchRules, policy: Sequence[str]) -> tuple[Finding, ...]:
    """What a branch without a merge queue lets past. policy: the checks that the environment requires."""
    ruled = {name.partition("@")[0] for name in rules.required}
    if CHECK_NAME in ruled:
        text = f"{branch} requires {CHECK_NAME}: without a right to bypass its rules nobody merges past the validator"
        return (Finding(Standing.OK, text, ABOUT),)
    if not rules.protected:
        says = f"{branch} is not protected: whoever may write can push or merge past the validator"
        return (_warn(f"{says}. Protect it, and require the check {CHECK_NAME}"),)
    missing = [CHECK_NAME, *(name for name in policy if name.partition("@")[0] not in ruled)]
    says = f"{branch} does not require {', '.join(missing)}: a person can merge what the validator has not passed"
    return (_warn(f"{says}. Require the check {CHECK_NAME} there"),)


def _warn(says: str) -> Finding:
    return Finding(Standing.WARN, says, ABOUT)
