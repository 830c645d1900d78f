"""CodeHost over GitHub's REST API. Each method is described by the port; the subjects have their own modules."""

from datetime import datetime

from vtid.adapters import (
    github_checks,
    github_deploys,
    github_files,
    github_logs,
    github_merge,
    github_notices,
    github_pulls,
    github_queue,
    github_workflows,
)
from vtid.adapters.github_access import wire_to
from vtid.domain.change import (
    Ancestry,
    BranchRules,
    ChangedFiles,
    Check,
    DeploymentClaim,
    DeployRun,
    MergeAnswer,
    PullRequest,
    QueuePlace,
)
from vtid.domain.commands.pull_requests import MergePullRequest
from vtid.domain.commands.reports import CheckWritten
from vtid.domain.credentials import Credentials
from vtid.domain.environment import Environment
from vtid.domain.extraction import PullRequestWords
from vtid.domain.group_checks import WorkflowFile
from vtid.domain.migrations import MigrationFiles, Migrations
from vtid.domain.notice import Notice


class GitHub:
    """The code host. Safe to share between threads; every call is one try.

    base_url: the API's, such as https://api.github.com. credentials: a token, or an App. timeout: seconds that a connection or a silence
    within one request may last.
    """

    def __init__(self, base_url: str, credentials: Credentials, *, timeout: float = 10.0) -> None:
        self._wire = wire_to(base_url, credentials, timeout)

    def pull_request(self, repository: str, number: int) -> PullRequest | None:
        return github_pulls.pull_request(self._wire, repository, number)

    def pull_request_words(self, repository: str, number: int) -> PullRequestWords | None:
        """Title, body and branch as they are now, or None when there is no pull request of this number."""
        return github_pulls.pull_request_words(self._wire, repository, number)

    def pull_requests_of(self, repository: str, sha: str) -> tuple[int, ...]:
        """The numbers of the merged pull requests that brought this commit."""
        return github_pulls.pull_requests_of(self._wire, repository, sha)

    def commit_message(self, repository: str, sha: str) -> str | None:
        """The message of the commit, or None when there is none of this SHA."""
        return github_pulls.commit_message(self._wire, repository, sha)

    def find_pull_requests(
        self, repository: str, vtid: str, environment: Environment, since: datetime | None = None
    ) -> tuple[PullRequest, ...]:
        return github_pulls.find_pull_requests(self._wire, repository, vtid, environment, since)

    def changed_files(self, repository: str, number: int) -> ChangedFiles:
        return github_pulls.changed_files(self._wire, repository, number)

    def migration_files(self, repository: str, ref: str, migrations: Migrations) -> MigrationFiles:
        return github_files.migration_files(self._wire, repository, ref, migrations)

    def compare(self, repository: str, ours: str, other: str) -> Ancestry:
        return github_pulls.compare(self._wire, repository, ours, other)

    def checks(self, repository: str, sha: str) -> tuple[Check, ...]:
        return github_checks.checks(self._wire, repository, sha)

    def check_log(self, repository: str, check: Check) -> str:
        return github_logs.check_log(self._wire, repository, check)

    def required_checks(self, repository: str, branch: str) -> tuple[str, ...]:
        return github_checks.required_checks(self._wire, repository, branch)

    def branch_rules(self, repository: str, branch: str) -> BranchRules:
        return github_checks.branch_rules(self._wire, repository, branch)

    def workflow_files(self, repository: str, branch: str) -> tuple[WorkflowFile, ...]:
        return github_workflows.workflow_files(self._wire, repository, branch)

    def merge(self, command: MergePullRequest) -> MergeAnswer:
        return github_merge.merge(self._wire, command)

    def queue_place(self, repository: str, number: int) -> QueuePlace:
        return github_queue.see(self._wire, repository, number).place

    def leave_queue(self, repository: str, number: int) -> MergeAnswer:
        return github_queue.leave(self._wire, repository, number)

    def deploy_runs(self, repository: str, workflow: str, event: str, sha: str) -> tuple[DeployRun, ...]:
        return github_deploys.deploy_runs(self._wire, repository, workflow, event, sha)

    def deploy_runs_since(
        self, repository: str, workflow: str, event: str, branch: str, since: datetime
    ) -> tuple[DeployRun, ...]:
        return github_deploys.deploy_runs_since(self._wire, repository, workflow, event, branch, since)

    def deploy_run(self, repository: str, run_id: int) -> DeployRun:
        return github_deploys.deploy_run(self._wire, repository, run_id)

    def find_dispatched(
        self, repository: str, workflow: str, nonce: str, since: datetime
    ) -> DeployRun | None:
        return github_deploys.find_dispatched(self._wire, repository, workflow, nonce, since)

    def dispatch(self, repository: str, workflow: str, ref: str, inputs: dict[str, str]) -> DeployRun | None:
        return github_deploys.dispatch(self._wire, repository, workflow, ref, inputs)

    def deployment_claims(
        self, repository: str, environment: str, commit: str
    ) -> tuple[DeploymentClaim, ...]:
        return github_deploys.deployment_claims(self._wire, repository, environment, commit)

    def report_deployment(
        self, repository: str, environment: str, commit: str, *, success: bool, description: str, url: str
    ) -> str:
        return github_deploys.report_deployment(
            self._wire,
            repository,
            environment,
            commit,
            state="success" if success else "failure",
            description=description,
            url=url,
        )

    def write_check(self, repository: str, sha: str, notice: Notice) -> CheckWritten:
        return github_notices.write_check(self._wire, repository, sha, notice)

    def write_comment(self, repository: str, number: int, notice: Notice) -> str:
        return github_notices.write_comment(self._wire, repository, number, notice)
