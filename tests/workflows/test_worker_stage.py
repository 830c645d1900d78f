"""Workers that die, hang, lie, repeat themselves or do not come."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from tests.workflows.conftest import Story
from tests.workflows.world import NEXT_HEAD
from vtid.domain.commands.messages import Acknowledge, DeploymentClaimed, SubmitEvidence
from vtid.domain.evidence import ClaimedEvidence
from vtid.domain.stages import Move
from vtid.domain.task import TaskStatus
from workflows.vtid_run import VtidRun


def code_of(refusal: pytest.ExceptionInfo[WorkflowUpdateFailedError]) -> str:
    return str(getattr(refusal.value.cause, "type", None))


async def test_nobody_picks_up(story: Story) -> None:
    await story.start()
    view = await story.ends()  # nobody decides for three days either

    assert view.failure is not None
    assert view.failure["code"] == "PICKUP_TIMEOUT"
    assert story.ledger.told().count("work_order.offered") == 3
    assert story.ledger.told().count("work_order.unclaimed") == 3
    assert len(story.ledger.withdrawn) == 3
    assert "run.blocked" in story.ledger.told()
    assert story.github.merges == 0


async def test_waiting_behind_busy_workers_is_not_nobody(story: Story) -> None:
    story.ledger.busy = 3
    await story.start()
    await story.until(lambda: story.ledger.offers)
    await story.env.sleep(timedelta(seconds=10))
    await story.until(lambda: "free worker" in (story.ledger.view().waiting or {}).get("for", ""))

    assert story.ledger.told().count("work_order.offered") == 1
    assert story.ledger.told().count("work_order.unclaimed") == 1  # the alarm comes in every case
    assert (story.ledger.view().waiting or {})["for"] == "a free worker (3 busy)"
    await story.work_honestly()
    assert (await story.ends()).status is TaskStatus.COMPLETED


async def test_one_of_two_workers_wins_and_may_ask_again(story: Story) -> None:
    await story.start()
    terms = await story.claim("w1")
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await story.claim("w2")

    assert code_of(refusal) == "ALREADY_CLAIMED"
    assert (await story.claim("w1")).attempt == terms.attempt


async def test_a_silent_worker_loses_its_lease_and_another_one_finishes(story: Story) -> None:
    await story.start()
    zombie = await story.claim("w1")
    await story.until_told("attempt.ended")
    finisher = await story.claim("w2", nth=1)
    with pytest.raises(WorkflowUpdateFailedError) as late:
        await story.hand_in(zombie, "w1")
    story.github.open_pull()
    await story.hand_in(finisher, "w2")

    view = await story.ends()
    assert code_of(late) == "LEASE_LOST"
    assert view.status is TaskStatus.COMPLETED
    assert [e.data["code"] for e in story.ledger.events if e.type == "attempt.ended"] == ["WORKER_LOST"]
    assert story.github.merges == 1


async def test_work_of_a_lost_worker_is_found_before_it_is_built_again(story: Story) -> None:
    story.github.open_pull()
    await story.start()
    await story.claim()

    view = await story.ends()
    assert view.status is TaskStatus.COMPLETED
    assert view.evidence["observed"]["source"] == "found"
    assert story.ledger.told().count("work_order.offered") == 1


async def test_a_pull_request_named_in_a_late_answer_is_looked_up(story: Story) -> None:
    pull = story.github.open_pull(branch="another/branch")
    story.ledger.late = [pull.url]
    await story.start()
    await story.claim()

    assert (await story.ends()).evidence["observed"]["number"] == 7


async def test_a_worker_whose_beats_reach_us_is_not_lost_while_the_engine_was_away(story: Story) -> None:
    story.ledger.beating = story.ledger.progressed = True
    await story.start()
    terms = await story.claim()
    await story.until(lambda: story.ledger.told().count("step.started lease") > 1)
    story.github.open_pull()
    await story.hand_in(terms)

    assert (await story.ends()).status is TaskStatus.COMPLETED
    assert "attempt.ended" not in story.ledger.told()


async def test_a_worker_that_lies_is_refused_and_the_run_blocks(story: Story) -> None:
    await story.start()
    for nth in range(3):
        await story.hand_in(await story.claim(nth=nth))
    await story.until_told("run.blocked")

    failure = story.ledger.view().failure
    assert failure is not None
    assert failure["code"] == "EVIDENCE_REFUSED"
    assert "has no pull request" in failure["message"]
    assert story.github.merges == 0


async def test_success_that_names_no_pull_request_is_as_good_as_what_github_shows(story: Story) -> None:
    await story.start()
    await story.hand_in(await story.claim(), pr_url="", head_sha=None)
    await story.until_told("attempt.ended")
    terms = await story.claim(nth=1)
    story.github.open_pull()
    await story.hand_in(terms, pr_url="", head_sha=None)

    assert (await story.ends()).status is TaskStatus.COMPLETED
    ended = next(event for event in story.ledger.events if event.type == "attempt.ended")
    assert ended.data["code"] == "EVIDENCE_REFUSED"


async def test_a_claimed_head_that_github_does_not_show_is_refused(story: Story) -> None:
    story.github.open_pull(branch="another/branch")
    await story.start()
    await story.hand_in(await story.claim(), head_sha=NEXT_HEAD)
    await story.until_told("evidence.refused")

    refused = next(event for event in story.ledger.events if event.type == "evidence.refused")
    assert "claimed was cccccccccccc" in refused.data["reason"]


async def test_the_same_evidence_twice_is_accepted_once(story: Story) -> None:
    await story.start()
    terms = await story.claim()
    story.github.open_pull()
    await story.hand_in(terms)
    await story.hand_in(terms)

    assert (await story.ends()).status is TaskStatus.COMPLETED
    assert story.ledger.told().count("evidence.claimed") == 1


async def test_malformed_evidence_names_the_field(story: Story) -> None:
    await story.start()
    terms = await story.claim()
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await story.hand_in(terms, pr_url="not a url")

    assert code_of(refusal) == "VALIDATION"


async def test_a_reported_failure_is_tried_again_by_the_next_worker(story: Story) -> None:
    await story.start()
    await story.fail(await story.claim(), "tests do not compile")
    await story.work_honestly(nth=1)

    assert (await story.ends()).status is TaskStatus.COMPLETED
    assert "tests do not compile" in story.ledger.offers[1].note


async def test_a_failure_that_no_retry_helps_blocks_at_once(story: Story) -> None:
    await story.start()
    await story.fail(await story.claim(), "the spec contradicts itself", retryable=False)
    await story.until_told("run.blocked")

    assert len(story.ledger.offers) == 1
    assert (story.ledger.view().failure or {})["code"] == "WORKER_FAILED"


async def test_a_worker_that_beats_without_progress_is_looked_up_on_github(story: Story) -> None:
    story.ledger.beating = True
    await story.start()
    await story.claim()
    await story.until_told("step.started lease")
    story.github.open_pull()

    view = await story.ends()
    assert view.status is TaskStatus.COMPLETED
    assert view.evidence["observed"]["source"] == "found"


async def test_a_worker_without_progress_and_without_work_times_out(story: Story) -> None:
    story.ledger.beating = True
    await story.start()
    await story.claim()
    await story.until_told("attempt.ended")

    ended = next(event for event in story.ledger.events if event.type == "attempt.ended")
    assert ended.data["code"] == "EVIDENCE_TIMEOUT"


async def test_signals_of_bare_clients_feed_the_same_code(story: Story) -> None:
    await story.start()
    await story.until(lambda: story.ledger.offers)
    story.github.open_pull()
    await story.run.signal(VtidRun.work_acknowledged, Acknowledge(story.ledger.offers[0].order_id, "bare"))
    await story.until_told("work_order.claimed")
    claim = ClaimedEvidence("https://github.test/acme/shop/pull/7")
    await story.run.signal(VtidRun.evidence_submitted, SubmitEvidence(9, "someone else", claim))
    await story.run.signal(VtidRun.evidence_submitted, SubmitEvidence(1, "bare", claim))

    assert (await story.ends()).status is TaskStatus.COMPLETED
    refused = next(event for event in story.ledger.events if event.type == "message.refused")
    assert refused.data["code"] == "LEASE_LOST"


async def test_a_ledger_that_is_away_makes_the_run_wait_and_lose_nothing(story: Story) -> None:
    story.ledger.outages = 6
    await story.start()
    await story.work_honestly()
    await story.ends()

    assert [event.seq for event in story.ledger.events] == list(range(1, len(story.ledger.events) + 1))
    assert story.ledger.view().status is TaskStatus.COMPLETED


async def test_a_retry_offers_again_with_a_fresh_budget(story: Story) -> None:
    await story.start()
    await story.fail(await story.claim(), "no", retryable=False)
    await story.decide(Move.RETRY)
    await story.work_honestly(nth=1)

    assert (await story.ends()).status is TaskStatus.COMPLETED


def contradicted(story: Story) -> list[tuple[str, str]]:
    found = story.ledger.view().evidence["contradictions"]
    return [(each["field"], each["by"]) for each in found]


async def test_a_lie_stands_beside_the_fact_and_honest_work_does_not_unsay_it(story: Story) -> None:
    await story.start()
    await story.hand_in(await story.claim())
    await story.until_told("attempt.ended")
    terms = await story.claim("w2", nth=1)
    story.github.open_pull()
    await story.hand_in(terms, "w2")

    assert (await story.ends()).status is TaskStatus.COMPLETED
    assert contradicted(story) == [("pull_request", "w1")]


async def test_claimed_files_that_are_not_in_the_diff_are_a_contradiction(story: Story) -> None:
    story.github.open_pull()
    await story.start()
    await story.hand_in(await story.claim(), files=("services/shop/app.py", "services/shop/never.py"))
    await story.until_told("verdict.reached")

    (found,) = story.ledger.view().evidence["contradictions"]
    assert (found["field"], found["claimed"]) == ("files", "services/shop/never.py")


async def test_success_without_a_pull_request_is_a_contradiction(story: Story) -> None:
    await story.start()
    await story.hand_in(await story.claim(), pr_url="", head_sha=None)
    await story.until_told("attempt.ended")

    (found,) = story.ledger.view().evidence["contradictions"]
    assert found["claimed"].startswith("success")


async def test_another_head_than_claimed_is_refused_and_a_contradiction(story: Story) -> None:
    story.github.open_pull(branch="another/branch")
    await story.start()
    await story.hand_in(await story.claim(), head_sha=NEXT_HEAD)
    await story.until_told("evidence.refused")

    assert ("head_sha", "w1") in contradicted(story)


async def test_a_late_pull_request_of_a_lost_attempt_does_not_hold_the_run_up(story: Story) -> None:
    """A zombie opens its pull request after the next offer: a late answer, refused like any other."""
    await story.start()
    await story.claim("zombie")
    await story.until_told("attempt.ended")
    terms = await story.claim("w2", nth=1)
    late = story.github.open_pull(8, branch=story.ledger.offers[0].branch)
    story.github.open_pull(branch=story.ledger.offers[1].branch)
    await story.hand_in(terms, "w2")

    view = await story.ends()
    (rule,) = (rule for rule in (view.verdict or {})["rules"] if rule["rule"] == "VAL-RULE-011")
    assert view.status is TaskStatus.COMPLETED
    assert rule["inputs"]["superseded"] == [late.url]


async def test_of_two_open_pull_requests_a_person_adopts_the_one_that_counts(story: Story) -> None:
    await story.start()
    terms = await story.claim()
    late = story.github.open_pull(8, branch="claude/vtid-01227-by-hand")
    ours = story.github.open_pull()
    await story.hand_in(terms)
    await story.until_told("run.blocked")
    message = str((story.ledger.view().failure or {})["message"])
    await story.decide(Move.ADOPT, pr_url=ours.url)

    assert (await story.ends()).status is TaskStatus.COMPLETED
    assert ours.url in message
    assert late.url in message


async def test_an_order_carries_what_its_worker_must_be_capable_of(story: Story) -> None:
    story.requires = ("gpu",)
    await story.start()
    view = await story.ends()

    assert story.ledger.offers[0].requires == ("gpu",)
    assert "no worker that is capable of gpu took one" in (view.failure or {})["message"]


async def test_a_worker_that_says_deployed_is_contradicted_once_until_it_is_proven(story: Story) -> None:
    await story.start()
    terms = await story.claim()
    for _ in range(2):
        await story.run.signal(VtidRun.deployment_claimed, DeploymentClaimed("w1", "it is live"))
    await story.until_told("evidence.contradicted")
    story.github.open_pull()
    await story.hand_in(terms)

    view = await story.ends()
    assert view.status is TaskStatus.COMPLETED
    (found,) = view.evidence["contradictions"]
    assert (found["field"], found["claimed"], found["by"]) == ("deployment", "it is live", "w1")
    assert found["observed"].startswith("not even merged")
