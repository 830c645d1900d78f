"""The merge queue as GitHub has it: built, checked on its own commit, merged or dropped, and told of."""

from typing import Any

import pytest

from vtid.simulator.queues import LOOK_S

from .conftest import SHOP, Sim

ENTER = """mutation($pull: ID!, $head: GitObjectID) {
  enqueuePullRequest(input: {pullRequestId: $pull, expectedHeadOid: $head}) { mergeQueueEntry { position state } }
}"""
SEE = """query($number: Int!) { repository(owner: "acme", name: "shop") { pullRequest(number: $number) {
  isInMergeQueue mergeQueueEntry { position state headCommit { oid } }
  timelineItems(last: 1) { nodes { ... on RemovedFromMergeQueueEvent { reason beforeCommit { oid } } } }
} } }"""
CI = "on: {pull_request: {}%s}\njobs:\n  ci: {steps: []}\n"


def graphql(sim: Sim, query: str, **variables: Any) -> Any:
    return sim.http.post("/api/graphql", json={"query": query, "variables": variables}).json()


def enqueue(sim: Sim, pull: Any, head: str | None = None) -> Any:
    return graphql(sim, ENTER, pull=node(sim, pull), head=head or pull["head_sha"])


def node(sim: Sim, pull: Any) -> str:
    return str(sim.github(f"/repos/{SHOP}/pulls/{pull['number']}").json()["node_id"])


def seen(sim: Sim, pull: Any) -> Any:
    return graphql(sim, SEE, number=pull["number"])["data"]["repository"]["pullRequest"]


def reason(sim: Sim, pull: Any) -> str:
    sim.until(lambda: not seen(sim, pull)["isInMergeQueue"])
    return str(seen(sim, pull)["timelineItems"]["nodes"][0]["reason"])


@pytest.fixture
def shop(sim: Sim) -> Sim:
    sim.shop()
    sim.behave(queue={"enabled": True}, protection={"required_checks": ["ci"]}, checks={"after_s": 0})
    return sim


def test_a_branch_with_a_queue_says_so_and_takes_no_merge(shop: Sim) -> None:
    rules = shop.github(f"/repos/{SHOP}/rules/branches/main").json()
    refused = shop.merge(shop.pull())

    assert [rule["type"] for rule in rules] == ["required_status_checks", "merge_queue"]
    assert (refused.status_code, "merge queue" in refused.json()["message"]) == (405, True)


def test_a_group_is_checked_and_becomes_the_base(shop: Sim) -> None:
    shop.behave(checks={"after_s": 1000})
    pull = shop.pull()
    shop.told("POST", "/checks", repository=SHOP, sha=pull["head_sha"], name="ci", status="completed", conclusion="success")  # fmt: skip
    enqueue(shop, pull)
    group = shop.until(lambda: (it := seen(shop, pull)["mergeQueueEntry"]) and it["headCommit"])["oid"]
    checks = shop.github(f"/repos/{SHOP}/commits/{group}/check-runs").json()

    assert checks["total_count"] == 1
    shop.app.world.schedule.skip(1001)
    assert reason(shop, pull) == "merged"
    assert shop.github(f"/repos/{SHOP}/branches/main").json()["commit"]["sha"] == group
    assert shop.github(f"/repos/{SHOP}/pulls/1").json()["merged"]
    assert shop.effects() == ["enqueue"]


def test_it_is_entered_once_and_with_the_expected_head_only(shop: Sim) -> None:
    pull = shop.pull()

    moved = enqueue(shop, pull, "0" * 40)
    first, again = enqueue(shop, pull), enqueue(shop, pull)

    assert [it["errors"][0]["type"] for it in (moved, again)] == ["UNPROCESSABLE", "UNPROCESSABLE"]
    assert "already in the queue" in again["errors"][0]["message"]
    assert first["data"]["enqueuePullRequest"]["mergeQueueEntry"] == {"position": 1, "state": "QUEUED"}
    assert shop.effects() == ["enqueue"]


def test_a_push_takes_it_out(shop: Sim) -> None:
    pull = shop.pull()
    enqueue(shop, pull)
    shop.told("POST", "/pulls/1/push", repository=SHOP, files=[{"path": "b", "content": "2"}])

    assert reason(shop, pull) == "new_commits"


def test_two_that_are_merged_together_move_the_base_once(shop: Sim) -> None:
    shop.behave(queue={"together": 2}, checks={"after_s": 0})
    first = shop.pull("a", files=[{"path": "a", "content": "1"}])
    second = shop.pull("b", files=[{"path": "b", "content": "2"}])
    enqueue(shop, first)
    enqueue(shop, second)
    shop.until(lambda: not seen(shop, second)["isInMergeQueue"])

    runs = shop.github(f"/repos/{SHOP}/actions/runs").json()["workflow_runs"]
    events = [shop.github(f"/repos/{SHOP}/issues/{n}/events").json() for n in (1, 2)]
    [one, other] = [next(it["commit_id"] for it in each if it["event"] == "merged") for each in events]
    assert [run["head_sha"] for run in runs] == [other]
    assert shop.github(f"/repos/{SHOP}/compare/{one}...{other}").json()["status"] == "ahead"


@pytest.mark.parametrize(("trigger", "said"), [(", merge_group: {}", "merged"), ("", "ci_timeout")])
def test_a_check_runs_on_a_group_only_if_its_workflow_listens_to_it(
    shop: Sim, trigger: str, said: str
) -> None:
    file = {"path": ".github/workflows/ci.yml", "content": CI % trigger}
    shop.told("POST", "/commits", repository=SHOP, branch="main", files=[file])
    shop.behave(queue={"timeout_s": 3 * LOOK_S})
    pull = shop.pull()
    enqueue(shop, pull)

    assert reason(shop, pull) == said


def test_a_query_that_the_schema_does_not_know_is_refused(shop: Sim) -> None:
    answer = graphql(shop, "{ repository(owner: 1) { stars } }")

    assert "data" not in answer or answer["data"] is None
    assert answer["errors"]
