"""No adapter lets a foreign error out: every call x every fault, as a table.

What a fault means stands in FAULTS. Where a call means something else by it, the row of the call says so
with the reason. A row is one request of a call, so that a fault in the middle is told from one at the start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from vtid.domain.change import PullRequest
from vtid.domain.errors import Conflict, Denied, Missing, OutsideError, Unavailable
from vtid.domain.migrations import Migrations, Tool
from vtid.domain.notice import Conclusion, Notice
from vtid.domain.ports import (
    BranchHost,
    CodeHost,
    MigrationSource,
    ServiceHost,
    SettingsHost,
    TrafficHost,
    VersionProbe,
)

if TYPE_CHECKING:
    from tests.adapters.conftest import Sim

SINCE = datetime(2020, 1, 1, tzinfo=UTC)

Expected = type[OutsideError] | str | tuple[()] | None


def says(status: int, message: str, **headers: str) -> dict[str, Any]:
    return {"status": status, "body": {"message": message}, "headers": headers}


# fmt: off
FAULTS: dict[str, tuple[dict[str, Any], type[OutsideError]]] = {
    "401":               (says(401, "Bad credentials"), Denied),
    "403":               (says(403, "Resource not accessible by personal access token"), Denied),
    "404":               (says(404, "Not Found"), Missing),
    "405":               (says(405, "Pull Request is not mergeable"), Conflict),
    "409":               (says(409, "Head branch was modified. Review and try the merge again."), Conflict),
    "422":               (says(422, "Validation Failed"), Conflict),
    "429 with a pause":  (says(429, "Too many requests", **{"Retry-After": "7"}), Unavailable),
    "429 without":       (says(429, "Too many requests"), Unavailable),
    "500":               (says(500, "Server Error"), Unavailable),
    "502":               ({"status": 502, "body": "<html>Bad gateway</html>"}, Unavailable),
    "reset":             ({"reset": True}, Unavailable),
    "black hole":        ({"hang": True}, Unavailable),
    "truncated body":    ({"truncate": True}, Unavailable),
    "garbage body":      ({"status": 200, "body": "<html>Unicorn!</html>"}, Unavailable),
}
LOST = {"lost answer": ({"lose_answer": True}, Unavailable)}
# fmt: on
ALL_FAULTS = FAULTS | LOST


@dataclass(frozen=True)
class Row:
    """One request of one call.

    differs: fault -> (what is expected instead, why). always: expected of every fault. effect: what the
    request changes in the world, which it must have done exactly once after a second, healthy call.
    """

    call: Callable[[Sim, PullRequest], Any]
    path: str
    method: str = "GET"
    differs: dict[str, tuple[Expected, str]] = field(default_factory=dict)
    always: Expected | None = None
    effect: str | None = None
    after: int = 0  # calls to the same address that come before it, and pass


def _pull(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.pull_request("acme/shop", pull.number)


def _merged_pull(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.pull_request("acme/shop", MERGED_BEFORE)


def _find(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.find_pull_requests("acme/shop", "VTID-01227", sim.environment, SINCE)


def _files(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.changed_files("acme/shop", pull.number)


def _checks(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.checks("acme/shop", pull.head_sha)


def _required(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.required_checks("acme/shop", "main")


def _branch_rules(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.branch_rules("acme/shop", "main")


def _workflow_files(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.workflow_files("acme/shop", "main")


def _check_log(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.check_log("acme/shop", sim.git_hub.checks("acme/shop", pull.head_sha)[0])


def _compare(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.compare("acme/shop", pull.head_sha, "main")


def _merge(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.merge(sim.merge_command(pull)).kind.value


def _merge_by_queue(sim: Sim, pull: PullRequest) -> Any:
    sim.behaves(queue={"enabled": True}, checks={"after_s": 3600})
    return _merge(sim, pull)


def _queue_place(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.queue_place("acme/shop", pull.number)


def _leave_queue(sim: Sim, pull: PullRequest) -> Any:
    if sim.effects("enqueue") == 0:
        sim.enters_queue(pull)
    return sim.git_hub.leave_queue("acme/shop", pull.number).kind.value


def _deploy_runs(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.deploy_runs("acme/shop", "deploy.yml", "push", pull.head_sha)


def _deploy_runs_since(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.deploy_runs_since("acme/shop", "deploy.yml", "push", "main", SINCE)


def _deploy_run(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.deploy_run("acme/shop", sim.last_run)


def _find_dispatched(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.find_dispatched("acme/shop", "deploy.yml", "n-1", SINCE)


def _dispatch(sim: Sim, pull: PullRequest) -> Any:
    """As the step does it: nothing is sent while an earlier dispatch is found."""
    return _find_dispatched(sim, pull) or sim.git_hub.dispatch(
        "acme/shop", "deploy.yml", "main", {"nonce": "n-1"}
    )


def _claims(sim: Sim, pull: PullRequest) -> Any:
    commit = sim.git_hub.deploy_run("acme/shop", sim.last_run).head_sha
    return sim.git_hub.deployment_claims("acme/shop", "dev", commit)


def _report(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.report_deployment(
        "acme/shop", "dev", pull.head_sha, success=True, description="proven", url="http://page/run"
    )


def _write_check(sim: Sim, pull: PullRequest) -> Any:
    return A_STATUS if sim.git_hub.write_check("acme/shop", pull.head_sha, NOTICE).degraded else "written"


def _write_comment(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.write_comment("acme/shop", pull.number, NOTICE)


def _service(sim: Sim, pull: PullRequest) -> Any:
    return sim.cloud_run.service(sim.environment, sim.shop, "acme/shop", "b" * 40)


def _newest(sim: Sim, pull: PullRequest) -> Any:
    return sim.cloud_run.newest_revisions(sim.environment, sim.shop, "acme/shop")


def _settings(sim: Sim, pull: PullRequest) -> Any:
    return sim.cloud_run.settings(sim.environment, sim.shop, "acme/shop")


def _migration_files(sim: Sim, pull: PullRequest) -> Any:
    return sim.git_hub.migration_files("acme/shop", "main", ALEMBIC)


def _shift(sim: Sim, pull: PullRequest) -> Any:
    """As the step does it: nothing is sent while an earlier shift is found."""
    seen = _service(sim, pull)
    if OLD_REVISION not in seen.pinned:
        sim.cloud_run.shift_traffic(sim.environment, sim.shop, "acme/shop", OLD_REVISION, seen.etag)
    return "shifted"


def _look(sim: Sim, pull: PullRequest) -> Any:
    answer = sim.probe.look(f"{sim.origin}/run/demo/europe-west1/shop", "/version")
    return A_PROBLEM if answer.commit is None and answer.problem else answer


NOTICE = Notice("VTID-01227", "validated", Conclusion.SUCCESS, "13 rules")
A_STATUS = "a commit status"
NO_APP: dict[str, tuple[Expected, str]] = {
    "403": (A_STATUS, "only an App may write check runs: a commit status says the same"),
}
NO_FOLDER: dict[str, tuple[Expected, str]] = {
    "404": ((), "the branch can be seen, so it has no such folder"),
}
NO_SERVICE: dict[str, tuple[Expected, str]] = {
    "404": (None, "a service that is not there is what the question is about"),
}
ALEMBIC = Migrations(Tool.ALEMBIC, "services", "alembic_version", "SHOP_DATABASE_URL")
OLD_REVISION = "shop-00001"
MERGED_BEFORE = 1  # the number of a pull request that is merged already in the world of this table
A_PROBLEM = "a problem"

_UNWANTED = "the write is read again: nothing was merged, and GitHub gave a reason for people"
_HALF = "GitHub did it and half of the answer came: reading finds the merge"
MERGE_DIFFERS: dict[str, tuple[Expected, str]] = {
    "404": (Denied, "the pull request was read just before: only the right to merge can be missing"),
    "405": ("refused", _UNWANTED),
    "409": (Unavailable, "the head has not moved: GitHub lags behind itself"),
    "422": ("refused", _UNWANTED),
    "truncated body": ("merged", _HALF),
    "lost answer": ("merged", _HALF),
}
_READ_AGAIN = "GitHub did it and half of the answer came: reading finds it in the queue"
QUEUE_DIFFERS: dict[str, tuple[Expected, str]] = {
    "404": (Denied, "the pull request was read just before: only the right to queue it can be missing"),
    "405": ("refused", _UNWANTED),
    "409": (Unavailable, "the head has not moved: GitHub lags behind itself"),
    "422": ("refused", _UNWANTED),
    "truncated body": ("queued", _READ_AGAIN),
    "lost answer": ("queued", _READ_AGAIN),
}
_STAYS = "the queue may be about to merge it: a later look tells"
LEAVE_DIFFERS: dict[str, tuple[Expected, str]] = dict.fromkeys(
    ("404", "405", "409", "422"), (Unavailable, _STAYS)
)
NO_SUCH_PULL: dict[str, tuple[Expected, str]] = {
    "404": (None, "the repository is visible, so this one is not there: the port says None"),
}

# fmt: off
ROWS: dict[str, Row] = {
    "pull_request":                Row(_pull, r"/pulls/2$", differs=NO_SUCH_PULL),
    "pull_request: merge event":   Row(_merged_pull, r"/issues/1/events$"),
    "find_pull_requests":          Row(_find, r"/pulls$"),
    "find_pull_requests: merged":  Row(_find, r"/issues/1/events$"),
    "changed_files: count":        Row(_files, r"/pulls/2$"),
    "changed_files: files":        Row(_files, r"/pulls/2/files$"),
    "checks: runs":                Row(_checks, r"/check-runs$"),
    "checks: statuses":            Row(_checks, r"/status$"),
    "required_checks: rulesets":   Row(_required, r"/rules/branches/main$"),
    "required_checks: protection": Row(_required, r"/shop/branches/main$"),
    "branch_rules":                Row(_branch_rules, r"/rules/branches/main$"),
    "workflow_files":              Row(_workflow_files, r"/contents/", differs=NO_FOLDER),
    "check_log":               Row(_check_log, r"/check-runs/[0-9]+$"),
    "compare":                     Row(_compare, r"/compare/"),
    "merge: pull request":         Row(_merge, r"/pulls/2$"),
    "merge: rules":                Row(_merge, r"/rules/branches/main$"),
    "merge: checks":               Row(_merge, r"/check-runs$"),
    "merge: statuses":             Row(_merge, r"/status$"),
    "merge: write":                Row(_merge, r"/pulls/2/merge$", "PUT", differs=MERGE_DIFFERS, effect="merge"),
    "merge: enqueue":              Row(_merge_by_queue, r"/graphql$", "POST", differs=QUEUE_DIFFERS, effect="enqueue", after=1),
    "queue_place":                 Row(_queue_place, r"/graphql$", "POST"),
    "leave_queue: write":          Row(_leave_queue, r"/graphql$", "POST", differs=LEAVE_DIFFERS, effect="dequeue", after=3),
    "deploy_runs":                 Row(_deploy_runs, r"/actions/runs$"),
    "deploy_runs_since":           Row(_deploy_runs_since, r"/actions/runs$"),
    "deploy_run: run":             Row(_deploy_run, r"/actions/runs/\d+$"),
    "deploy_run: jobs":            Row(_deploy_run, r"/actions/runs/\d+/jobs$"),
    "find_dispatched":             Row(_find_dispatched, r"/actions/runs$"),
    "dispatch: write":             Row(_dispatch, r"/dispatches$", "POST", effect="dispatch"),
    "deployment_claims: list":     Row(_claims, r"/deployments$"),
    "deployment_claims: statuses": Row(_claims, r"/statuses$"),
    "report: deployments":         Row(_report, r"/deployments$"),
    "report: write deployment":    Row(_report, r"/deployments$", "POST", effect="deployment"),
    "report: statuses":            Row(_report, r"/statuses$"),
    "report: write status":        Row(_report, r"/statuses$", "POST", effect="deployment_status"),
    "write_check: runs":           Row(_write_check, r"/check-runs$"),
    "write_check: write":          Row(_write_check, r"/check-runs$", "POST", differs=NO_APP, effect="check_run"),
    "write_comment: comments":     Row(_write_comment, r"/comments$"),
    "write_comment: write":        Row(_write_comment, r"/comments$", "POST", effect="comment"),
    "service":                     Row(_service, r"/services/shop$"),
    "service: revision":           Row(_service, r"/revisions/shop-00001$"),
    "service: revisions":          Row(_service, r"/revisions$"),
    "newest_revisions":            Row(_newest, r"/revisions$"),
    "settings":                    Row(_settings, r"/services/shop$", differs=NO_SERVICE),
    "settings: revision":          Row(_settings, r"/revisions/shop-00001$"),
    "migration_files: tree":       Row(_migration_files, r"/git/trees/main$"),
    "migration_files: blob":       Row(_migration_files, r"/git/blobs/"),
    "shift_traffic: service":      Row(_shift, r"/services/shop$"),
    "shift_traffic: write":        Row(_shift, r"/services/shop$", "PATCH", effect="traffic"),
    "look":                        Row(_look, r"/version$", always=A_PROBLEM),
}
# fmt: on
CASES = [(name, fault) for name, row in ROWS.items() for fault in (*FAULTS, *(LOST if row.effect else ()))]


def expected_of(row: Row, fault: str) -> Expected:
    if fault in row.differs:
        return row.differs[fault][0]
    return row.always or ALL_FAULTS[fault][1]


@pytest.fixture
def table_world(sim: Sim) -> tuple[Sim, PullRequest]:
    """Pull request 1 is merged, 2 is open and green; a run has ended; an old revision serves."""
    sim.runs({"name": "shop-00001", "commit_sha": "c" * 40})
    sim.behaves(deploy={"services": [], "deployment": {"environment": "dev"}})
    merged = sim.opens_pull(head="claude/vtid-01227-0-1")
    answer = sim.git_hub.merge(sim.merge_command(merged))
    runs = sim.git_hub.deploy_runs("acme/shop", "deploy.yml", "push", str(answer.sha))
    sim.last_run = runs[0].id
    files = [{"path": "services/shop/second.py", "content": "second = 2\n"}]
    return sim, sim.reads(sim.opens_pull(files=files).number)


@pytest.mark.parametrize(("name", "fault"), CASES)
def test_every_fault_of_every_request_has_the_promised_end(
    table_world: tuple[Sim, PullRequest], name: str, fault: str
) -> None:
    sim, pull = table_world
    row, expected = ROWS[name], expected_of(ROWS[name], fault)
    asking = sim.impatient() if fault == "black hole" else sim
    before = sim.effects(row.effect) if row.effect else 0
    sim.breaks(row.method, row.path, ALL_FAULTS[fault][0], times=1 if row.after else None, after=row.after)

    seen = end_of(row, asking, pull)

    assert seen == promised_by(row, expected), row.differs.get(fault, ("", "by FAULTS"))[1]
    assert sum(entry["fault"] is not None for entry in sim.journal()) == 1, "one call is one try"
    if row.effect:
        sim.mends()
        row.call(sim, pull)
        assert sim.effects(row.effect) - before == 1, "a second try must find what the first one did"


def promised_by(row: Row, expected: Expected) -> Any:
    if isinstance(expected, type):
        return expected, "CLOUD_RUN" if row.call in (_service, _newest, _settings, _shift) else "GITHUB"
    return expected


def end_of(row: Row, sim: Sim, pull: PullRequest) -> Any:
    """The result, or the class of the promised error; whatever else is raised fails the test."""
    try:
        return row.call(sim, pull)
    except OutsideError as error:
        return type(error), error.system


def test_no_call_repeats_a_secret_that_an_answer_says_back(table_world: tuple[Sim, PullRequest]) -> None:
    sim, pull = table_world
    token = "ghp_" + "a1B2" * 9

    for row in ROWS.values():
        sim.mends()
        sim.breaks(row.method, row.path, says(401, f"Bad test-token: {'x ' * 240}{token}"), after=row.after)
        try:
            told = repr(row.call(sim, pull))
        except OutsideError as error:
            told = str(error)
        assert not any(part in told for part in ("test-token", token, token[:16])), row.path


@pytest.mark.parametrize("cases", [CASES], ids=[f"{len(CASES)} cases"])
def test_the_table_has_a_row_for_every_call_and_a_case_for_every_fault(cases: list[tuple[str, str]]) -> None:
    ports = (CodeHost, MigrationSource, BranchHost, ServiceHost, TrafficHost, SettingsHost, VersionProbe)
    calls = {name for port in ports for name in vars(port) if not name.startswith("_")}
    spelt = {"report": "report_deployment"}
    rows = {spelt.get(name.split(":")[0], name.split(":")[0]) for name in ROWS}

    assert rows == calls
    assert len(cases) == len(ROWS) * 14 + sum(1 for row in ROWS.values() if row.effect)


@pytest.mark.parametrize("call", [_checks, _service])
def test_a_pause_that_was_asked_for_is_kept(
    table_world: tuple[Sim, PullRequest], call: Callable[[Sim, PullRequest], Any]
) -> None:
    sim, pull = table_world
    sim.breaks("GET", "check-runs|/services/", FAULTS["429 with a pause"][0])

    with pytest.raises(Unavailable) as caught:
        call(sim, pull)

    assert caught.value.retry_after == timedelta(seconds=7)
