"""What a merge queue's groups would lack is known before a change waits for it."""

import pytest

from vtid.domain.change import BranchRules
from vtid.domain.group_checks import Finding, Standing, WorkflowFile, findings

LISTENS = WorkflowFile(".github/workflows/ci.yml", ("pull_request", "merge_group"), ("ci",))
DEAF = WorkflowFile(".github/workflows/scan.yml", ("pull_request",), ("security",))


def found(
    *required: str, policy: tuple[str, ...] = (), files: tuple[WorkflowFile, ...] = (LISTENS, DEAF)
) -> tuple[Finding, ...]:
    return findings("main", BranchRules(required, merge_queue=True), policy, files)


def states(of: tuple[Finding, ...]) -> list[str]:
    return [each.state.value for each in of]


def test_a_branch_without_a_queue_asks_for_nothing() -> None:
    assert states(findings("main", BranchRules(("ci",)), (), ())) == ["ok"]


def test_a_check_whose_workflow_listens_to_groups_is_fine() -> None:
    assert states(found("ci")) == ["ok"]
    assert states(found("ci@15368")) == ["ok"]


def test_a_check_whose_workflow_does_not_listen_names_file_and_line() -> None:
    (finding,) = found("security")

    assert finding.state is Standing.FAIL
    for said in ("security", ".github/workflows/scan.yml", "merge_group:", "on:"):
        assert said in finding.says


def test_a_check_of_no_workflow_is_not_known() -> None:
    assert states(found("licences")) == ["unknown"]


def test_our_own_check_can_never_come_for_a_group() -> None:
    assert states(found("vtid")) == ["fail"]


def test_what_only_the_environment_requires_is_not_asked_of_a_group() -> None:
    (_, finding) = found("ci", policy=("ci", "security"))

    assert finding.state is Standing.WARN
    assert "security" in finding.says


def test_a_queue_without_any_required_check_is_worth_a_word() -> None:
    assert states(found()) == ["warn"]


def test_a_file_that_cannot_be_read_is_told_beside_the_rest() -> None:
    broken = WorkflowFile(".github/workflows/x.yml", problem="no YAML")

    assert states(found("ci", files=(LISTENS, broken))) == ["ok", "unknown"]


@pytest.mark.parametrize(
    ("job", "check", "gives"),
    [
        ("test", "test", True),
        ("test", "test (3.11, linux)", True),
        ("call", "call / build", True),
        ("test *", "test 3.11", True),
        ("test", "tests", False),
        ("lint", "test", False),
    ],
)
def test_a_job_gives_its_own_check_and_those_of_its_matrix_or_callee(
    job: str, check: str, gives: bool
) -> None:
    assert WorkflowFile("x.yml", (), (job,)).provides(check) is gives
