"""What counts as evidence, whose it is, and what happens while GitHub cannot be asked."""

from typing import Any

import pytest

from api.gateway.named import Named, is_evidence, named_in
from api.gateway.said import Said
from tests.api.gateway.clients import HEAD, Forge, Mcp, Runner
from tests.api.stage import Play
from vtid.domain.commands.messages import DeploymentClaimed

SHA = "0123456789abcdef0123456789abcdef01234567"


async def picked_up(play: Play, mcp: Mcp) -> str:
    vtid = await play.run()
    await play.offer(vtid)
    await mcp.route(vtid)
    return vtid


def handed(play: Play, vtid: str) -> tuple[str, str | None] | None:
    submitted = play.engine.run_of(vtid).evidence
    return (submitted.evidence.pr_url, submitted.evidence.head_sha) if submitted else None


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/shop/pull/7",
        "http://127.0.0.1:9911/acme/shop/pull/7/files",
        "HTTPS://GitHub.com/Acme/Shop/Pull/7#discussion",
        "https://api.github.com/repos/acme/shop/pulls/7",
        "see github.com/acme/shop/pull/7.",
    ],
)
async def test_a_pull_request_is_evidence_in_any_spelling_with_the_head_of_this_moment(
    play: Play, mcp: Mcp, forge: Forge, url: str
) -> None:
    vtid = await picked_up(play, mcp)
    pull = forge.open(vtid)

    told = await mcp.evidence(vtid, url)

    assert told["evidence"]["state"] == "handed_in"
    assert handed(play, vtid) == (pull.url, HEAD)


@pytest.mark.parametrize("named", [f"https://github.com/acme/shop/commit/{HEAD}", HEAD, HEAD[:10]])
async def test_a_commit_is_evidence_when_one_open_pull_request_has_it_as_head(
    play: Play, mcp: Mcp, forge: Forge, named: str
) -> None:
    vtid = await picked_up(play, mcp)
    pull = forge.open(vtid)

    await mcp.evidence(vtid, named, "commits_pushed")

    assert handed(play, vtid) == (pull.url, HEAD)


async def test_a_commit_without_a_pull_request_is_noted_and_the_lease_goes_on(play: Play, mcp: Mcp) -> None:
    vtid = await picked_up(play, mcp)

    told = await mcp.evidence(vtid, SHA, "commit_pushed")

    assert told["evidence"]["state"] == "noted"
    assert handed(play, vtid) is None


async def test_evidence_in_another_repository_is_refused_and_the_lease_goes_on(play: Play, mcp: Mcp) -> None:
    vtid = await picked_up(play, mcp)

    told = await mcp.evidence(vtid, "https://github.com/acme/other/pull/7", status=409)

    assert told["error_code"] == "EVIDENCE_REFUSED"
    assert handed(play, vtid) is None
    assert (await mcp.route(vtid))["attempt"] == 1


async def test_evidence_is_kept_while_github_is_out_of_reach_and_looked_up_later(
    play: Play, mcp: Mcp, forge: Forge
) -> None:
    vtid = await picked_up(play, mcp)
    pull = forge.open(vtid)
    forge.down = True

    told = [await mcp.evidence(vtid, pull.url) for _ in range(2)]
    await play.services.results.look_again()

    assert [each["evidence"]["state"] for each in told] == ["kept", "kept"]
    assert handed(play, vtid) is None
    forge.down = False
    await play.services.results.look_again()
    assert handed(play, vtid) == (pull.url, HEAD)
    assert await play.ledger.orders.unread_evidence() == []


async def test_work_that_is_done_before_github_came_back_is_handed_to_the_run_unread(
    play: Play, mcp: Mcp, forge: Forge
) -> None:
    vtid = await picked_up(play, mcp)
    forge.down = True
    await mcp.evidence(vtid, "https://github.com/acme/shop/pull/7")

    await mcp.complete(vtid)

    assert handed(play, vtid) == ("https://github.com/acme/shop/pull/7", None)


async def test_evidence_without_a_live_lease_is_refused_and_kept(play: Play, mcp: Mcp, forge: Forge) -> None:
    vtid = await picked_up(play, mcp)
    pull = forge.open(vtid)
    (order,) = await play.ledger.orders.held_by("claude-code")
    await play.ledger.orders.ended(order.order_id, "WORKER_LOST")

    told = await mcp.evidence(vtid, pull.url, status=409)

    assert told["error_code"] == "LEASE_LOST"
    assert await play.ledger.orders.late_claims(order.run_id) == [pull.url]


async def test_nobody_hands_in_for_somebody_else(play: Play, mcp: Mcp, forge: Forge) -> None:
    vtid = await picked_up(play, mcp)
    pull = forge.open(vtid)
    other = Runner(play, worker_id="somebody-else")
    body = {"vtid": vtid, "type": "vtid.evidence.pr_opened", "payload": {"pr_url": pull.url}}

    refused = await other.post("/api/v1/oasis/events", body, status=409)

    assert refused["claimed_by"] == "claude-code"
    assert handed(play, vtid) is None


async def test_an_answer_for_another_run_or_attempt_is_refused(play: Play, runner: Runner) -> None:
    vtid = await play.run()
    await play.offer(vtid)
    run_id = (await runner.claim(vtid))["run_id"]

    await runner.complete(vtid, "run_of_yesterday", status=409)
    await runner.complete(vtid, run_id, attempt=2, status=409)

    assert handed(play, vtid) is None
    await runner.complete(vtid, run_id, attempt=1)
    assert handed(play, vtid) == ("", None)


async def test_the_same_evidence_again_gets_a_true_answer(play: Play, mcp: Mcp, forge: Forge) -> None:
    vtid = await picked_up(play, mcp)
    pull = forge.open(vtid)

    told = [await mcp.evidence(vtid, pull.url) for _ in range(3)]

    assert [each["evidence"]["state"] for each in told] == ["handed_in", "noted", "noted"]


async def test_a_deploy_that_a_worker_tells_of_is_kept_and_proves_nothing(play: Play, mcp: Mcp) -> None:
    vtid = await picked_up(play, mcp)

    await mcp.evidence(vtid, "https://github.com/acme/shop/pull/7", "deploy_completed")

    assert handed(play, vtid) is None
    (last,) = await play.ledger.events.latest(vtid, 1)
    assert (last.type, last.data["topic"]) == ("worker.said", "vtid.evidence.deploy_completed")
    told = [each.by for each in play.engine.run_of(vtid).told if isinstance(each, DeploymentClaimed)]
    assert told == ["claude-code"]


@pytest.mark.parametrize(
    ("said", "named"),
    [
        (
            {"metadata": {"evidence_url": "https://x.io/acme/shop/pull/12"}},
            Named("acme/shop", 12, origin="https://x.io"),
        ),
        ({"payload": {"prNumber": 12}}, Named("acme/shop", 12)),
        ({"details": {"commitSha": SHA.upper()}}, Named("acme/shop", sha=SHA)),
        ({"details": {"commits": [{"id": SHA}]}}, Named("acme/shop", sha=SHA)),
        ({"message": "nothing here: 12 files, 3 tests"}, None),
        ({"message": "x" * 100_000 + "/pull/" * 1_000}, None),
    ],
)
def test_what_is_named_is_found_wherever_it_stands(said: dict[str, Any], named: Named | None) -> None:
    assert named_in(Said(said), "acme/shop") == named


@pytest.mark.parametrize(
    ("topic", "counts"),
    [
        ("vtid.evidence.pr_submitted", True),
        ("VTID.Evidence.PR_Opened", True),
        ("vtid.evidence.commits-pushed", True),
        ("vtid.evidence.deploy_completed", False),
        ("vtid.progress.pr_submitted_soon", False),
    ],
)
def test_a_topic_counts_as_evidence_in_any_casing(topic: str, counts: bool) -> None:
    assert is_evidence(topic) is counts
