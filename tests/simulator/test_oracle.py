"""Every answer is one that the vendor's own schema allows."""

from typing import Any

import pytest

from .conftest import SHOP, Sim
from .oracle import faults, judge_cloud_run, judge_github

REPO = f"/repos/{SHOP}"


@pytest.fixture
def busy(sim: Sim) -> dict[str, Any]:
    """A world in which something of every kind has happened."""
    base = sim.shop()
    sim.behave(protection={"required_checks": ["ci"]})
    pull, other = sim.pull(), sim.pull("claude/vtid-0002-b")
    head = pull["head_sha"]
    sim.until(lambda: checks_ended(sim, head))
    merged = sim.merge(pull).json()["sha"]
    sim.deployed(merged)
    runs = sim.github(f"{REPO}/actions/runs").json()["workflow_runs"]
    deployment = sim.github(
        f"{REPO}/deployments", "POST", ref=merged, environment="dev", description="d"
    ).json()
    status = sim.github(f"{REPO}/deployments/{deployment['id']}/statuses", "POST", state="success").json()
    comment = sim.github(f"{REPO}/issues/1/comments", "POST", body="hello").json()
    sim.github(f"{REPO}/statuses/{merged}", "POST", state="success", context="lint")
    check = sim.github(
        f"{REPO}/check-runs", "POST", name="vtid", head_sha=merged, conclusion="success"
    ).json()
    return {
        "base": base,
        "head": head,
        "merged": merged,
        "run": runs[0]["id"],
        "open": other["number"],
        "deployment": deployment["id"],
        "status": status["id"],
        "comment": comment["id"],
        "check": check["id"],
        "blob": sim.github(f"{REPO}/git/trees/main").json()["tree"][0]["sha"],
    }


def checks_ended(sim: Sim, sha: str) -> bool:
    found = sim.github(f"{REPO}/commits/{sha}/check-runs").json()["check_runs"]
    return bool(found) and all(it["status"] == "completed" for it in found)


ANSWERS = [
    ("FullRepository", ""),
    ("[PullRequestSimple]", "/pulls?state=all"),
    ("PullRequest", "/pulls/1"),
    ("PullRequest", "/pulls/{open}"),
    ("[DiffEntry]", "/pulls/1/files"),
    ("[Commit]", "/pulls/1/commits"),
    ("Commit", "/commits/{merged}"),
    ("Commit", "/commits/claude/vtid-0001-a"),
    ("[Commit]", "/commits"),
    ("ReposOwnerRepoCommitsRefCheckRunsGetResponse200", "/commits/{head}/check-runs"),
    ("ReposOwnerRepoCommitsRefCheckSuitesGetResponse200", "/commits/{head}/check-suites"),
    ("CombinedCommitStatus", "/commits/{merged}/status"),
    ("[Status]", "/commits/{merged}/statuses"),
    ("[PullRequestSimple]", "/commits/{merged}/pulls"),
    ("CheckRun", "/check-runs/{check}"),
    ("CommitComparison", "/compare/{base}...{merged}"),
    ("CommitComparison", "/compare/main...claude/vtid-0002-b"),
    ("ReposOwnerRepoActionsRunsGetResponse200", "/actions/runs?head_sha={merged}&event=push"),
    ("ReposOwnerRepoActionsWorkflowsWorkflowIdRunsGetResponse200", "/actions/workflows/deploy.yml/runs"),
    ("Workflow", "/actions/workflows/deploy.yml"),
    ("WorkflowRun", "/actions/runs/{run}"),
    ("ReposOwnerRepoActionsRunsRunIdJobsGetResponse200", "/actions/runs/{run}/jobs"),
    ("[Deployment]", "/deployments?environment=dev"),
    ("Deployment", "/deployments/{deployment}"),
    ("[DeploymentStatus]", "/deployments/{deployment}/statuses"),
    ("DeploymentStatus", "/deployments/{deployment}/statuses/{status}"),
    ("[IssueEvent]", "/issues/1/events"),
    ("[IssueComment]", "/issues/1/comments"),
    ("IssueComment", "/issues/comments/{comment}"),
    ("BranchWithProtection", "/branches/main"),
    ("[ShortBranch]", "/branches"),
    ("GitTree", "/git/trees/{merged}?recursive=1"),
    ("GitTree", "/git/trees/main"),
    ("Blob", "/git/blobs/{blob}"),
    ("GitRef", "/git/ref/heads/main"),
    ("[GitRef]", "/git/matching-refs/heads/claude/vtid-0001-"),
]


def test_every_answer_of_github_is_valid(sim: Sim, busy: dict[str, Any]) -> None:
    for kind, path in ANSWERS:
        content = sim.github(REPO + path.format(**busy)).json()
        for item in content if kind.startswith("[") else [content]:
            judge_github(kind.strip("[]"), item)
        assert content, f"{path} answered nothing to judge"
    judge_github("PublicUser", sim.github("/user").json())
    judge_github("RateLimitOverview", sim.github("/rate_limit").json())


def test_answers_to_changes_are_valid(sim: Sim, busy: dict[str, Any]) -> None:
    dispatch = f"{REPO}/actions/workflows/deploy.yml/dispatches"
    started = sim.github(dispatch, "POST", ref="main", return_run_details=True)
    assert started.status_code == 200
    judge_github("WorkflowDispatchResponse", started.json())
    assert sim.github(dispatch, "POST", ref="main").status_code == 204
    newer = sim.http.post(
        f"/api/v3{dispatch}", json={"ref": "main"}, headers={"X-GitHub-Api-Version": "2026-03-10"}
    )
    assert newer.status_code == 200
    refused = sim.github(f"{REPO}/pulls/1/merge", "PUT")
    assert refused.status_code == 405
    judge_github("BasicError", refused.json())
    judge_github("BasicError", sim.github(f"{REPO}/pulls/99").json())


def test_the_judge_sees_a_removed_field(sim: Sim, busy: dict[str, Any]) -> None:
    pull = sim.github(f"{REPO}/pulls/1").json()

    assert faults("github-2026-03-10", "PullRequest", {**pull, "merge_commit_sha": "x"}) != []


def test_every_answer_of_cloud_run_is_valid(sim: Sim, busy: dict[str, Any]) -> None:
    judge_cloud_run("GoogleCloudRunV2Service", sim.cloud_run())
    judge_cloud_run("GoogleCloudRunV2ListServicesResponse", sim.cloud_run("/services"))
    listed = sim.cloud_run("/services/shop/revisions")
    judge_cloud_run("GoogleCloudRunV2ListRevisionsResponse", listed)
    assert len(listed["revisions"]) == 2
    for revision in listed["revisions"]:
        name = revision["name"].rsplit("/")[-1]
        judge_cloud_run("GoogleCloudRunV2Revision", sim.cloud_run(f"/services/shop/revisions/{name}"))


def test_a_failed_rollout_is_valid_too(sim: Sim) -> None:
    sim.shop()
    sim.behave(deploy={"ready": False})
    sim.merge(sim.pull())
    service = sim.until(
        lambda: (it := sim.cloud_run())["terminalCondition"]["state"] == "CONDITION_FAILED" and it
    )

    judge_cloud_run("GoogleCloudRunV2Service", service)
    for revision in sim.cloud_run("/services/shop/revisions")["revisions"]:
        judge_cloud_run("GoogleCloudRunV2Revision", revision)
