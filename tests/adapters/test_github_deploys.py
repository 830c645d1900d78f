"""Deploy runs are found by commit, event and workflow; a dispatch is found by its nonce; a report is one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from vtid.domain.errors import Conflict, Missing, Unavailable

if TYPE_CHECKING:
    from tests.adapters.conftest import Sim

VTID = "VTID-01227"
SINCE = datetime(2020, 1, 1, tzinfo=UTC)
NONCE = "run-7f3a-1"


def merged(sim: Sim) -> str:
    return str(sim.git_hub.merge(sim.merge_command(sim.opens_pull())).sha)


def test_the_run_of_exactly_this_commit_event_and_workflow_is_found(sim: Sim) -> None:
    commit = merged(sim)
    sim.git_hub.dispatch("acme/shop", "deploy.yml", "main", {"nonce": NONCE})
    find = sim.git_hub.deploy_runs

    runs = find("acme/shop", "deploy.yml", "push", commit)

    assert [(run.head_sha, run.event) for run in runs] == [(commit, "push")]
    assert find("acme/shop", "other.yml", "push", commit) == ()
    assert find("acme/shop", "deploy.yml", "push", "e" * 40) == ()


def test_the_latest_runs_of_the_branch_are_listed_newest_first(sim: Sim) -> None:
    ours, newer = merged(sim), sim.commits("newer.py", "newer = 1")
    since = sim.git_hub.deploy_runs_since

    runs = since("acme/shop", "deploy.yml", "push", "main", SINCE)

    assert [run.head_sha for run in runs] == [newer, ours]
    assert since("acme/shop", "deploy.yml", "push", "other", SINCE) == ()
    assert since("acme/shop", "deploy.yml", "push", "main", datetime(2099, 1, 1, tzinfo=UTC)) == ()


def test_a_run_is_told_with_the_number_of_its_jobs(sim: Sim) -> None:
    sim.behaves(deploy={"jobs": 0})
    listed = sim.git_hub.deploy_runs("acme/shop", "deploy.yml", "push", merged(sim))[0]

    run = sim.git_hub.deploy_run("acme/shop", listed.id)

    assert (run.jobs, run.status, run.conclusion) == (0, "completed", "success")
    assert listed.jobs is None


def test_a_run_that_is_not_there_is_missing(sim: Sim) -> None:
    with pytest.raises(Missing):
        sim.git_hub.deploy_run("acme/shop", 1)


def test_a_dispatch_names_its_run(sim: Sim) -> None:
    run = sim.git_hub.dispatch("acme/shop", "deploy.yml", "main", {"nonce": NONCE})

    assert run is not None
    assert sim.git_hub.deploy_run("acme/shop", run.id).event == "workflow_dispatch"


def test_a_dispatch_that_does_not_name_its_run_is_accepted(sim: Sim) -> None:
    sim.breaks("POST", "/dispatches$", {"status": 204, "apply": True})

    assert sim.git_hub.dispatch("acme/shop", "deploy.yml", "main", {"nonce": NONCE}) is None


def test_a_dispatch_whose_answer_was_lost_is_found_by_its_nonce(sim: Sim) -> None:
    sim.breaks("POST", "/dispatches$", {"lose_answer": True})

    with pytest.raises(Unavailable):
        sim.git_hub.dispatch("acme/shop", "deploy.yml", "main", {"nonce": NONCE})

    found = sim.git_hub.find_dispatched("acme/shop", "deploy.yml", NONCE, datetime.now(UTC))
    assert found is not None
    assert sim.effects("dispatch") == 1


def test_another_nonce_another_workflow_or_another_time_is_not_ours(sim: Sim) -> None:
    sim.git_hub.dispatch("acme/shop", "deploy.yml", "main", {"nonce": NONCE})
    find = sim.git_hub.find_dispatched

    assert find("acme/shop", "deploy.yml", NONCE, SINCE) is not None
    assert find("acme/shop", "deploy.yml", "run-other", SINCE) is None
    assert find("acme/shop", "other.yml", NONCE, SINCE) is None
    assert find("acme/shop", "deploy.yml", NONCE, datetime.now(UTC) + timedelta(days=1)) is None


def test_a_dispatch_on_a_branch_that_is_not_there_raises(sim: Sim) -> None:
    with pytest.raises(Conflict, match="No ref found"):
        sim.git_hub.dispatch("acme/shop", "deploy.yml", "gone", {})


def reports(sim: Sim, commit: str, **more: str) -> str:
    wish = {"description": "proven", "url": "http://page/runs/1"} | more
    return sim.git_hub.report_deployment("acme/shop", "dev", commit, success=True, **wish)


def test_a_report_that_is_repeated_writes_one_deployment_and_one_status(sim: Sim) -> None:
    commit = merged(sim)

    assert reports(sim, commit) == reports(sim, commit)
    assert (sim.effects("deployment"), sim.effects("deployment_status")) == (1, 1)


def test_a_report_that_says_something_else_adds_a_status_to_the_same_deployment(sim: Sim) -> None:
    commit = merged(sim)

    first = reports(sim, commit)
    assert reports(sim, commit, description="x" * 500) == first
    assert reports(sim, commit, description="x" * 500) == first

    assert (sim.effects("deployment"), sim.effects("deployment_status")) == (1, 2)


def test_environments_have_deployments_of_their_own(sim: Sim) -> None:
    commit = merged(sim)
    reports(sim, commit)

    sim.git_hub.report_deployment(
        "acme/shop", "staging", commit, success=False, description="", url="http://x/"
    )

    assert sim.effects("deployment") == 2


def test_one_adapter_serves_many_threads(sim: Sim) -> None:
    commit = merged(sim)

    with ThreadPoolExecutor(8) as pool:
        runs = list(
            pool.map(lambda _: sim.git_hub.deploy_runs("acme/shop", "deploy.yml", "push", commit), range(40))
        )

    assert {found[0].head_sha for found in runs} == {commit}


def claims(sim: Sim, commit: str) -> list[tuple[str, str, str]]:
    told = sim.git_hub.deployment_claims("acme/shop", "dev", commit)
    return [(claim.by, claim.state, claim.description) for claim in told]


def says_somebody_else(sim: Sim, commit: str, state: str, description: str = "", place: str = "dev") -> None:
    """A tool with an account of its own makes a deployment of the commit and says how it went."""
    other = {"authorization": "Bearer somebody-else"}
    wish = {"ref": commit, "environment": place, "auto_merge": False, "required_contexts": []}
    made = sim.control.post("/api/v3/repos/acme/shop/deployments", json=wish, headers=other).json()
    told = {"state": state, "description": description}
    sim.control.post(f"/api/v3/repos/acme/shop/deployments/{made['id']}/statuses", json=told, headers=other)


def test_what_others_say_of_a_deployment_is_read_and_what_we_say_is_not(sim: Sim) -> None:
    commit = merged(sim)
    reports(sim, commit, description=f"{VTID}: not proven")
    assert claims(sim, commit) == []

    says_somebody_else(sim, commit, "success")
    says_somebody_else(sim, commit, "failure", "smoke test: sk_live_" + "a1B2" * 5)
    says_somebody_else(sim, commit, "error", place="staging")

    assert claims(sim, commit) == [("somebody-else", "failure", "smoke test: [Stripe key masked]")]


def test_our_words_do_not_hide_those_that_stand_beside_them(sim: Sim) -> None:
    commit = merged(sim)
    says_somebody_else(sim, commit, "failure", "canary")
    reports(sim, commit, description=f"{VTID}: proven")

    assert claims(sim, commit) == [("somebody-else", "failure", "canary")]
    assert sim.effects("deployment") == 1  # it is the same one


def test_each_party_speaks_for_itself(sim: Sim) -> None:
    sim.behaves(deploy={"deployment": {"environment": "Dev", "state": "failure"}})
    commit = merged(sim)
    says_somebody_else(sim, commit, "success")

    assert {by: state for by, state, _ in claims(sim, commit)} == {
        "github-actions[bot]": "failure",
        "somebody-else": "success",
    }
