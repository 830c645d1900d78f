"""A branch that lets a change past the validator is told as such, with what to do."""

import pytest

from vtid.domain.branch_guard import guard_findings
from vtid.domain.change import BranchRules
from vtid.domain.group_checks import Finding, Standing

POLICY = ("ci", "security@15368")


def found(*required: str, protected: bool = True, policy: tuple[str, ...] = POLICY) -> Finding:
    [finding] = guard_findings("main", BranchRules(required, protected=protected), policy)
    return finding


@pytest.mark.parametrize("required", [("vtid",), ("ci", "vtid@7")])
def test_only_a_branch_that_requires_our_check_is_closed(required: tuple[str, ...]) -> None:
    assert found(*required).state is Standing.OK


def test_a_branch_without_protection_says_who_can_do_what_and_what_helps() -> None:
    finding = found(protected=False)

    assert finding.state is Standing.WARN
    for said in ("not protected", "push or merge past the validator", "require the check vtid"):
        assert said in finding.says


@pytest.mark.parametrize(
    ("required", "named"),
    [
        ((), "vtid, ci, security@15368"),
        (("ci",), "vtid, security@15368"),
        (("ci", "security"), "vtid"),
    ],
)
def test_what_the_branch_does_not_require_is_named(required: tuple[str, ...], named: str) -> None:
    finding = found(*required)

    assert finding.state is Standing.WARN
    assert f"main does not require {named}: " in finding.says
