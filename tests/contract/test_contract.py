"""Every request that our adapters send, and every answer that they are given, is one that the vendors describe."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.adapters.conftest import Sim
from tests.contract import test_live
from tests.contract.recorder import Exchange, Recorder, recording
from tests.contract.vendors import CALLS, CLOUD_RUN, GITHUB, GRAPHQL, Call, misfits
from vtid.adapters.cloud_run import CloudRun
from vtid.adapters.github import GitHub
from vtid.domain.environment import Environment, Service
from vtid.domain.errors import OutsideError
from vtid.domain.migrations import Migrations, Tool
from vtid.domain.notice import Conclusion, Notice

SHOP, VTID = "acme/shop", "VTID-01227"
NUMBER_OF_1 = '{ repository(owner: "a", name: "b") { pullRequest(number: 1) { number } } }'
NOTICE = Notice(VTID, "validated", Conclusion.SUCCESS, "13 rules", "https://vtid.test/x")
ALEMBIC = Migrations(Tool.ALEMBIC, "alembic/versions", "alembic_version", "SHOP_DATABASE_URL")


@dataclass
class Stage:
    """The simulated world, and our adapters behind a door that keeps what passes."""

    sim: Sim
    door: Recorder

    @property
    def github(self) -> GitHub:
        return GitHub(f"{self.door.url}/api/v3", "test-token")

    @property
    def cloud_run(self) -> CloudRun:
        return CloudRun(self.door.url)

    def calls(self, vendor: str) -> set[Call]:
        """Which of the calls in the table were made, and succeeded."""
        made = [each for each in self.door.exchanges if each.status < 400]
        return {call for call in CALLS if call.vendor == vendor and any(call.is_of(each) for each in made)}


@pytest.fixture
def stage(sim: Sim) -> Iterator[Stage]:
    with recording(sim.origin) as door:
        yield Stage(sim, door)


def everything_on_github(stage: Stage) -> None:
    """Each question and each deed of the adapter, once at least, in an order in which all of them succeed."""
    sim, github = stage.sim, stage.github
    sim.behaves(protection={"required_checks": ["ci"]})
    first = sim.commits("alembic/versions/1.py", 'revision = "a"\ndown_revision = None\n')
    pull = sim.opens_pull()
    github.migration_files(SHOP, first, ALEMBIC)
    github.pull_request_words(SHOP, pull.number)
    github.find_pull_requests(SHOP, VTID, sim.environment, datetime.now(UTC) - timedelta(days=1))
    github.changed_files(SHOP, pull.number)
    github.required_checks(SHOP, "main")
    github.branch_rules(SHOP, "main")
    github.workflow_files(SHOP, "main")  # there is no folder of them yet
    sim.commits(".github/workflows/ci.yml", "on: [push, merge_group]\njobs:\n  ci: {}\n")
    github.workflow_files(SHOP, "main")
    for check in github.checks(SHOP, pull.head_sha):
        github.check_log(SHOP, check)
    for notice in (NOTICE, replace(NOTICE, conclusion=Conclusion.FAILURE, title="blocked")):
        github.write_check(SHOP, pull.head_sha, notice)
        github.write_comment(SHOP, pull.number, notice)
    github.pull_request(SHOP, pull.number)  # the first look makes GitHub compute whether it merges
    merged = github.merge(sim.merge_command(pull)).sha or ""
    github.pull_request(SHOP, pull.number)  # merged: the event of the merge tells its commit
    github.pull_request(SHOP, 99)  # not there: the repository is asked, which may be hidden
    github.pull_requests_of(SHOP, merged)
    github.commit_message(SHOP, merged)
    github.compare(SHOP, merged, "main")
    [run, *_] = github.deploy_runs(SHOP, "deploy.yml", "push", merged)
    github.deploy_run(SHOP, run.id)
    github.deploy_runs_since(SHOP, "deploy.yml", "push", "main", datetime.now(UTC) - timedelta(hours=1))
    sim.behaves(queue={"enabled": True}, checks={"after_s": 3600})
    waits = sim.opens_pull(head="claude/vtid-01227-2", files=[{"path": "b", "content": "2"}])
    sim.checks(waits.head_sha, "success")
    github.queue_place(SHOP, waits.number)
    github.merge(sim.merge_command(waits))
    github.leave_queue(SHOP, waits.number)
    github.queue_place(SHOP, waits.number)  # it left: the timeline says why
    github.dispatch(SHOP, "deploy.yml", "main", {"commit": merged, "vtid": VTID, "nonce": "n-1"})
    github.find_dispatched(SHOP, "deploy.yml", "n-1", datetime.now(UTC))
    for success in (False, True):
        github.report_deployment(
            SHOP, "dev", merged, success=success, description="d", url="https://vtid.test/x"
        )
    github.deployment_claims(SHOP, "dev", merged)


def test_all_that_is_said_to_github_fits_its_description(stage: Stage) -> None:
    everything_on_github(stage)

    assert list(misfits(stage.door.exchanges)) == []


def test_refusals_fit_the_description_too(stage: Stage) -> None:
    stage.sim.opens_pull()
    no_app = {"status": 403, "body": {"message": "Resource not accessible by personal access token"}}
    stage.sim.breaks("POST", "/check-runs$", no_app)
    github = stage.github

    assert github.pull_request(SHOP, 99) is None
    github.write_check(SHOP, stage.sim.reads(1).head_sha, NOTICE)  # a commit status takes its place
    for denied in (
        lambda: github.compare(SHOP, "a" * 40, "main"),
        lambda: github.pull_request("acme/none", 1),
    ):
        with pytest.raises(OutsideError):
            denied()

    assert list(misfits(stage.door.exchanges)) == []


def everything_on_cloud_run(stage: Stage) -> None:
    sha, other = "a" * 40, "b" * 40
    stage.sim.runs(
        {
            "name": "shop-1",
            "commit_sha": other,
            "env": {"MODE": "x"},
            "secrets": {"API_KEY": "API_KEY:latest"},
        },
        {"name": "shop-2", "commit_sha": sha},
        traffic={"shop-1": 100},
    )
    where: tuple[Environment, Service, str] = (stage.sim.environment, stage.sim.shop, SHOP)
    seen = stage.cloud_run.service(*where, sha)
    stage.cloud_run.newest_revisions(*where)
    stage.cloud_run.settings(*where)
    stage.cloud_run.shift_traffic(*where, "shop-2", seen.etag)


def test_all_that_is_said_to_cloud_run_fits_its_description(stage: Stage) -> None:
    everything_on_cloud_run(stage)

    assert list(misfits(stage.door.exchanges)) == []


def test_no_call_of_the_table_goes_unmade_and_no_method_of_an_adapter_unasked(stage: Stage) -> None:
    everything_on_github(stage)
    everything_on_cloud_run(stage)
    only_when_refused = {"/statuses/{}"}

    unmade = {call.path for call in CALLS} - {
        call.path for call in stage.calls(GITHUB) | stage.calls(GRAPHQL) | stage.calls(CLOUD_RUN)
    }
    assert {path.removeprefix("/repos/{}/{}") for path in unmade} <= only_when_refused
    for adapter, story in ((GitHub, everything_on_github), (CloudRun, everything_on_cloud_run)):
        told = inspect.getsource(story)
        unasked = [name for name in vars(adapter) if not name.startswith("_") and f".{name}(" not in told]
        assert unasked == [], f"say in {story.__name__} how {adapter.__name__} is asked this"


def test_the_suite_for_the_real_vendors_fits_the_simulated_ones(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything_on_github(stage)
    everything_on_cloud_run(stage)
    told = {
        "LIVE_GITHUB_TOKEN": "test-token", "LIVE_GITHUB_REPOSITORY": SHOP, "LIVE_GITHUB_PULL_REQUEST": "1",
        "LIVE_GITHUB_API_URL": f"{stage.sim.origin}/api/v3", "LIVE_CLOUD_RUN_PROJECT": "demo",
        "LIVE_CLOUD_RUN_REGION": "europe-west1", "LIVE_CLOUD_RUN_SERVICE": "shop",
        "LIVE_CLOUD_RUN_API_URL": stage.sim.origin,
    }  # fmt: skip
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    test_live.test_the_real_github_fits_its_description()
    test_live.test_the_real_cloud_run_fits_its_description()


@pytest.mark.parametrize(
    ("exchange", "says"),
    [
        (Exchange("GET", "/repos/a/b/invented", None, 200, {}), "stands in no schema of ours"),
        (Exchange("POST", "/repos/a/b/deployments", {"reff": "x"}, 201, None), "sent"),
        (Exchange("GET", "/repos/a/b/pulls/1", None, 200, {"merge_commit_sha": "x"}), "answered 200"),
        (
            Exchange("GET", "/repos/a/b/pulls/1", {"q": 1}, 404, {"message": "Not Found"}),
            "where none belongs",
        ),
        (Exchange("POST", "/graphql", {"query": "{ repository }"}, 200, {"data": None}), "asked"),
        (
            Exchange(
                "POST", "/graphql", {"query": NUMBER_OF_1}, 200, {"data": {"repository": {"pullRequest": {}}}}
            ),
            "answered",
        ),
        (
            Exchange("GET", "/v2/projects/p/locations/r/services/s", None, 200, {"generation": 1}),
            "answered 200",
        ),
    ],
)
def test_the_judge_sees_what_does_not_fit(exchange: Exchange, says: str) -> None:
    assert any(says in misfit for misfit in misfits([exchange]))
