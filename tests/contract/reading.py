"""Every question that our adapters ask, put to a vendor that may be real: nothing is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from vtid.adapters.cloud_run import CloudRun
from vtid.adapters.github import GitHub
from vtid.domain.change import Ancestry
from vtid.domain.environment import Environment, Service
from vtid.domain.migrations import Migrations, Tool

NOBODYS = "VTID-00000"  # its pull requests are looked for, and none are expected
SQL = Migrations(Tool.SQL, "migrations", "schema_migrations", "SHOP_DATABASE_URL")
DAYS = timedelta(days=30)


def read_github(github: GitHub, repository: str, branch: str, pull_request: int) -> None:
    """Look at a repository, at one of its pull requests, and at what its checks and deploys say."""
    since = datetime.now(UTC) - DAYS
    pull = github.pull_request(repository, pull_request)
    assert pull is not None, f"{repository} has no pull request {pull_request}"
    assert github.pull_request(repository, 10**8) is None
    words = github.pull_request_words(repository, pull_request)
    assert words is not None
    assert words.title == pull.title
    assert github.changed_files(repository, pull_request).paths
    for check in github.checks(repository, pull.head_sha):
        github.check_log(repository, check)
    github.required_checks(repository, branch)
    github.branch_rules(repository, branch)
    github.workflow_files(repository, branch)
    assert github.queue_place(repository, pull_request).head_sha
    github.find_pull_requests(repository, NOBODYS, Environment("live", "", "", repository), since)
    assert github.compare(repository, branch, branch) is Ancestry.SAME
    assert github.commit_message(repository, pull.head_sha) is not None
    assert github.commit_message(repository, "0" * 40) is None
    github.pull_requests_of(repository, pull.merge_sha or pull.head_sha)
    github.migration_files(repository, branch, SQL)
    github.deploy_runs(repository, "deploy.yml", "push", pull.merge_sha or pull.head_sha)
    for run in github.deploy_runs_since(repository, "deploy.yml", "push", branch, since)[:1]:
        github.deploy_run(repository, run.id)
    github.find_dispatched(repository, "deploy.yml", "no-such-nonce", datetime.now(UTC))


def read_cloud_run(cloud_run: CloudRun, project: str, region: str, service: str) -> None:
    """Look at one service and its revisions."""
    environment = Environment("live", project, region, "live/live")
    wanted = Service(service, service)
    seen = cloud_run.service(environment, wanted, "live/live", "0" * 40)
    settings = cloud_run.settings(environment, wanted, "live/live")
    assert settings is not None
    assert {each.name for each in settings.serving} == {each.name for each in seen.serving}
    assert cloud_run.settings(environment, Service("none", "no-such-service-here"), "live/live") is None
