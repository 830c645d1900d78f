"""From the merge to what serves, in every variation that scenarios ask for."""

from typing import Any

from .conftest import SHOP, Sim


def merged(sim: Sim, head: str = "a", **deploy: Any) -> str:
    sim.behave(deploy=deploy)
    return str(sim.merge(sim.pull(head)).json()["sha"])


def runs(sim: Sim, sha: str) -> list[Any]:
    found = sim.github(f"/repos/{SHOP}/actions/runs?head_sha={sha}").json()["workflow_runs"]
    return [it for it in found if it["event"]]


def ended(sim: Sim, sha: str) -> Any:
    return sim.until(lambda: (it := runs(sim, sha)) and it[0]["status"] == "completed" and it[0])


def settled(sim: Sim, sha: str) -> Any:
    """The service after the deploy of this commit has come to rest."""
    ended(sim, sha)
    sim.app.world.schedule.skip(1)
    return sim.cloud_run()


def test_ours_serves_with_both_witnesses(sim: Sim) -> None:
    sim.shop()
    sha = merged(sim)
    assert sim.deployed(sha)

    service = sim.cloud_run()
    assert service["trafficStatuses"][0]["percent"] == 100
    name = service["trafficStatuses"][0]["revision"]
    revision = sim.cloud_run(f"/services/shop/revisions/{name}")
    box = revision["containers"][0]
    env = {it["name"]: it.get("value") for it in box["env"]}
    assert (
        revision["labels"]["commit-sha"],
        env["GIT_COMMIT_SHA"],
        box["image"].split("@")[0].split(":")[1],
    ) == (
        sha,
        sha,
        sha,
    )
    assert (env["MODE"], "DB_URL" in env) == ("x", True)
    assert "@sha256:" in revision["containerStatuses"][0]["imageDigest"]


def test_while_reconciling_the_old_one_serves(sim: Sim) -> None:
    old = sim.shop()
    sim.behave(reconcile_s=60)
    ended(sim, merged(sim))

    service = sim.until(lambda: (it := sim.cloud_run())["reconciling"] and it)

    assert int(service["observedGeneration"]) < int(service["generation"])
    assert service["latestCreatedRevision"] != service["latestReadyRevision"]
    assert sim.version()["commit"] == old


def test_the_run_fails_and_nothing_is_deployed(sim: Sim) -> None:
    old = sim.shop()
    sha = merged(sim, conclusion="failure")

    assert ended(sim, sha)["conclusion"] == "failure"
    assert settled(sim, sha)["generation"] == "1"
    assert sim.version()["commit"] == old


def test_success_with_an_old_commit_serving(sim: Sim) -> None:
    old = sim.shop()
    sha = merged(sim, serves=old)

    assert ended(sim, sha)["conclusion"] == "success"
    settled(sim, sha)
    assert sim.version()["commit"] == old
    assert len(sim.cloud_run("/services/shop/revisions")["revisions"]) == 1


def test_ten_percent_is_one_request_in_ten(sim: Sim) -> None:
    sim.shop()
    sha = merged(sim, percent=10)
    service = settled(sim, sha)

    assert sorted(it["percent"] for it in service["trafficStatuses"]) == [10, 90]
    assert [sim.version()["commit"] == sha for _ in range(20)].count(True) == 2


def test_pinned_traffic_leaves_the_new_one_ready_at_nothing(sim: Sim) -> None:
    old = sim.shop()
    service = settled(sim, merged(sim, percent=0))

    assert service["latestReadyRevision"] == service["latestCreatedRevision"]
    assert [it["revision"] for it in service["trafficStatuses"]] == ["shop-00001-aaa"]
    assert sim.version()["commit"] == old


def test_an_unready_revision_shows_in_the_template_only(sim: Sim) -> None:
    old = sim.shop()
    sha = merged(sim, ready=False)
    service = settled(sim, sha)

    assert service["terminalCondition"]["state"] == "CONDITION_FAILED"
    assert service["template"]["labels"]["commit-sha"] == sha
    assert sim.version()["commit"] == old


def test_claims_and_live_answer_can_be_told_apart(sim: Sim) -> None:
    old = sim.shop()
    sha = merged(sim, answers=old, env={"GIT_COMMIT_SHA": None, "MODE": None})
    service = settled(sim, sha)

    revision = sim.cloud_run("/services/shop/revisions/" + service["trafficStatuses"][0]["revision"])
    assert revision["labels"]["commit-sha"] == sha
    assert [it["name"] for it in revision["containers"][0]["env"]] == ["DB_URL"]
    assert sim.version()["commit"] == old


def test_no_run_and_no_jobs(sim: Sim) -> None:
    sim.shop()
    assert runs(sim, merged(sim, auto=False)) == []

    sha = merged(sim, "b", auto=True, jobs=0)
    run = ended(sim, sha)
    jobs = sim.github(f"/repos/{SHOP}/actions/runs/{run['id']}/jobs").json()
    assert jobs == {"total_count": 0, "jobs": []}


def test_deploys_by_dispatch_only(sim: Sim) -> None:
    sim.shop()
    sha = merged(sim, event="workflow_dispatch")
    assert runs(sim, sha) == []

    sim.github(f"/repos/{SHOP}/actions/workflows/deploy.yml/dispatches", "POST", ref="main")
    assert sim.deployed(sha)


def test_a_newer_run_cancels_the_older(sim: Sim) -> None:
    sim.shop()
    first = merged(sim, "a", collapse=True, after_s=5)
    second = merged(sim, "b", collapse=True, after_s=0.05)

    assert ended(sim, first)["conclusion"] == "cancelled"
    assert sim.deployed(second)
    span = sim.github(f"/repos/{SHOP}/compare/{first}...{second}").json()
    assert span["status"] == "ahead"


def test_an_older_deploy_that_finishes_late_wins(sim: Sim) -> None:
    sim.shop()
    older = merged(sim, "a", after_s=1)
    newer = merged(sim, "b", after_s=0.05)

    assert sim.deployed(newer)
    assert sim.deployed(older)


def test_the_same_service_in_two_regions_and_a_second_service(sim: Sim) -> None:
    old = sim.shop()
    for name in ("shop", "api"):
        wish = {"project": "demo", "region": "us", "revisions": [{"name": f"{name}-1", "commit_sha": old}]}
        sim.told("PUT", f"/services/{name}", **wish)
    sha = merged(sim, services=["shop", "api"], unready=["api"])
    settled(sim, sha)

    def commit(path: str) -> Any:
        return sim.http.get(f"/run/demo/{path}/version").json()["commit"]

    assert [commit(it) for it in ("europe-west1/shop", "us/shop", "us/api")] == [sha, sha, old]


def test_the_version_endpoint_says_what_it_is_told(sim: Sim) -> None:
    sim.shop(version_body="<html>login</html>")
    answer = sim.http.get("/run/demo/europe-west1/shop/version")
    assert (answer.text, answer.headers["content-type"].split(";")[0]) == ("<html>login</html>", "text/html")

    sim.shop(version_body={"commit": "shop-00001-aaa"})
    assert sim.version() == {"commit": "shop-00001-aaa"}
    assert sim.http.get("/run/demo/europe-west1/shop/healthz").status_code == 200


def test_a_run_can_be_run_again(sim: Sim) -> None:
    sim.shop()
    sha = merged(sim, conclusion="failure")
    run = ended(sim, sha)
    sim.behave(deploy={"conclusion": "success"})

    sim.github(f"/repos/{SHOP}/actions/runs/{run['id']}/rerun", "POST")

    assert sim.deployed(sha)
    assert runs(sim, sha)[0]["run_attempt"] == 2
