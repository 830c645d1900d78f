"""What people do to a run: rescue it, cancel it, stop everything."""

import asyncio
from dataclasses import replace

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateFailedError

from tests.workflows.conftest import Story, shortened
from tests.workflows.world import MERGED, NEXT_HEAD
from vtid.domain.change import CheckState
from vtid.domain.commands.messages import CancelRun, Rescue, SwitchChanged
from vtid.domain.environment import Policy
from vtid.domain.limits import LIMITS
from vtid.domain.stages import Move
from vtid.domain.task import TaskStatus
from workflows.vtid_run import VtidRun


async def test_an_abandoned_run_fails_in_temporal_with_our_code(story: Story) -> None:
    await story.start()
    await story.fail(await story.claim(), "no", retryable=False)
    await story.decide(Move.ABANDON, reason="not worth it")

    view = await story.ends()
    assert view.status is TaskStatus.REJECTED
    assert (view.failure or {})["code"] == "ABANDONED"
    assert (await story.run.describe()).status is WorkflowExecutionStatus.FAILED


async def test_an_adopted_pull_request_passes_the_same_gates(story: Story) -> None:
    await story.start()
    await story.fail(await story.claim(), "no", retryable=False)
    story.github.open_pull(branch="ann/fix")
    await story.decide(Move.ADOPT, pr_url="https://github.test/acme/shop/pull/7")

    view = await story.ends()
    assert view.status is TaskStatus.COMPLETED
    assert story.ledger.told().count("verdict.reached") == 1
    assert view.evidence["observed"]["source"] == "adopted"


async def test_an_adopted_pull_request_that_does_not_exist_blocks_again(story: Story) -> None:
    await story.start()
    await story.fail(await story.claim(), "no", retryable=False)
    await story.decide(Move.ADOPT, pr_url="https://github.test/acme/shop/pull/99")
    await story.until(lambda: story.ledger.told().count("run.blocked") == 2)

    assert (story.ledger.view().failure or {})["code"] == "EVIDENCE_REFUSED"


async def test_a_merged_pull_request_can_be_adopted_and_is_only_deployed(story: Story) -> None:
    await story.start()
    await story.fail(await story.claim(), "no", retryable=False)
    story.github.open_pull(branch="ann/fix", merged=True, is_open=False, merge_sha=MERGED)
    await story.decide(Move.ADOPT, pr_url="https://github.test/acme/shop/pull/7")

    view = await story.ends()
    assert view.status is TaskStatus.COMPLETED
    assert "verdict.reached" not in story.ledger.told()


async def test_a_merged_pull_request_is_not_adopted_past_the_gate_of_the_spec(story: Story) -> None:
    """It is neither validated nor merged any more, so this gate is the only one on its way."""
    story.ledger.spec_hash = "5" * 64  # edited between the start and the first look
    story.github.open_pull(branch="ann/fix", merged=True, is_open=False, merge_sha=MERGED)
    await story.start()
    await story.decide(Move.ADOPT, pr_url="https://github.test/acme/shop/pull/7")
    await story.until(lambda: story.ledger.told().count("run.blocked") == 2)

    assert (story.ledger.view().failure or {})["code"] == "SPEC_HASH_MISMATCH"


async def test_a_move_that_is_not_offered_is_refused(story: Story) -> None:
    await story.start()
    await story.claim()
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await story.run.execute_update(VtidRun.rescue, Rescue(Move.RETRY, by="ann"))

    assert getattr(refusal.value.cause, "type", None) == "MOVE_NOT_OFFERED"


async def test_cancel_waits_for_the_workers_confirmation(story: Story) -> None:
    await story.start()
    terms = await story.claim()
    await story.until_told("step.started lease")
    await story.run.execute_update(VtidRun.request_cancel, CancelRun("ann", "changed my mind"))
    await story.run.cancel()
    await story.until_told("run.cancelling")
    await story.release(terms)

    view = await story.ends()
    assert view.status is TaskStatus.CANCELLED
    assert view.note == "changed my mind; worker w1 confirmed the stop"
    assert (await story.run.describe()).status is WorkflowExecutionStatus.CANCELED


async def test_evidence_that_comes_after_a_cancel_is_refused(story: Story) -> None:
    """Accepted, it would be lost in silence: the run that took it ends as cancelled."""
    await story.start()
    terms = await story.claim()
    await story.until_told("step.started lease")
    await story.run.cancel()
    await story.until_told("run.cancelling")
    story.github.open_pull()
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await story.hand_in(terms)

    assert getattr(refusal.value.cause, "type", None) == "LEASE_LOST"
    assert (await story.ends()).status is TaskStatus.CANCELLED


async def test_a_worker_that_says_it_failed_after_a_cancel_has_stopped(story: Story) -> None:
    story.limits = shortened(stop_confirmed=LIMITS["stop_confirmed"])
    await story.start()
    terms = await story.claim()
    await story.until_told("step.started lease")
    await story.run.cancel()
    await story.until_told("run.cancelling")
    await story.fail(terms, "told to stop")

    assert (await story.ends()).note == "cancelled in Temporal; worker w1 confirmed the stop"


async def test_a_cancel_that_the_run_can_no_longer_heed_is_refused(story: Story) -> None:
    story.ledger.away_for = lambda event: event.type == "run.finished"
    await story.start()
    await story.work_honestly()
    await story.until_retried("record_events")
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await story.run.execute_update(VtidRun.request_cancel, CancelRun("ann", "wait"))
    story.ledger.away_for = None

    assert getattr(refusal.value.cause, "type", None) == "ILLEGAL_TRANSITION"
    assert (await story.ends()).status is TaskStatus.COMPLETED


async def test_cancel_tells_that_nobody_confirmed(story: Story) -> None:
    await story.start()
    await story.claim()
    await story.until_told("step.started lease")
    await story.run.cancel()

    view = await story.ends()
    assert view.status is TaskStatus.CANCELLED
    assert "did not confirm" in (view.note or "")


async def test_cancel_of_an_offered_order_takes_it_back(story: Story) -> None:
    await story.start()
    await story.until_told("step.started pickup")
    await story.run.cancel()

    assert (await story.ends()).status is TaskStatus.CANCELLED
    assert story.ledger.withdrawn == [story.ledger.offers[0].order_id]


async def test_a_disarmed_start_waits_and_goes_on_when_armed(story: Story) -> None:
    story.ledger.armed = False
    await story.start()
    await story.until(lambda: (story.ledger.view().waiting or {}).get("who") == "approver")
    assert story.ledger.view().status is TaskStatus.SCHEDULED
    story.ledger.armed = True
    await story.run.signal(VtidRun.switch_changed, SwitchChanged(armed=True))
    await story.work_honestly()

    assert (await story.ends()).status is TaskStatus.COMPLETED


async def test_disarming_withdraws_the_open_offer_and_arming_offers_again(story: Story) -> None:
    await story.start()
    await story.until_told("step.started pickup")
    story.ledger.armed = False
    await story.run.signal(VtidRun.switch_changed, SwitchChanged(armed=False))
    await story.until_told("work_order.withdrawn")
    story.ledger.armed = True
    await story.run.signal(VtidRun.switch_changed, SwitchChanged(armed=True))
    await story.work_honestly(nth=1)

    assert (await story.ends()).status is TaskStatus.COMPLETED


async def test_the_query_and_the_ledger_tell_the_same(story: Story) -> None:
    await story.start()
    await story.fail(await story.claim(), "no", retryable=False)
    await story.until_told("run.blocked")
    await asyncio.sleep(0.1)

    assert await story.run.query(VtidRun.view) == story.ledger.view()


async def blocked_by_scope(story: Story) -> None:
    story.policy = Policy(deny_paths=("secrets/**",))
    story.github.files = ("services/shop/app.py", "secrets/prod.env")
    await story.start()
    await story.work_honestly()
    await story.until_told("run.blocked")


async def test_a_rule_that_an_approver_lets_be_stands_as_skipped_in_verdict_and_proof(story: Story) -> None:
    await blocked_by_scope(story)
    await story.decide(Move.SKIP, rule="VAL-RULE-009", reason="reviewed by hand")

    view = await story.ends()
    assert view.status is TaskStatus.COMPLETED
    (rule,) = (rule for rule in (view.verdict or {})["rules"] if rule["answer"] == "skipped")
    assert (rule["rule"], rule["by"], rule["reason"]) == ("VAL-RULE-009", "ann", "reviewed by hand")
    assert (view.proof or {})["skipped"] == [
        {"rule": "VAL-RULE-009", "by": "ann", "reason": "reviewed by hand"}
    ]


async def test_red_checks_that_an_approver_lets_be_are_merged(story: Story) -> None:
    story.policy = Policy(repair_rounds=0)
    story.github.check_states = [CheckState.RED]
    await story.start()
    await story.work_honestly()
    await story.decide(Move.SKIP, rule="VAL-RULE-010", reason="CI is broken, not the change")

    assert (await story.ends()).status is TaskStatus.COMPLETED
    assert story.github.merged_with_checks_skipped == [True]


async def test_a_skip_is_void_for_a_new_head(story: Story) -> None:
    await blocked_by_scope(story)
    pull = story.github.pulls[7]
    story.github.pulls[7] = replace(pull, head_sha=NEXT_HEAD)
    await story.decide(Move.SKIP, rule="VAL-RULE-009", reason="reviewed by hand")
    await story.until(lambda: story.ledger.told().count("run.blocked") == 2)

    assert (story.ledger.view().failure or {})["code"] == "SCOPE_VIOLATION"
    assert story.github.merges == 0


@pytest.mark.parametrize(
    ("rule", "code"),
    [("VAL-RULE-004", "MOVE_NOT_OFFERED"), ("VAL-RULE-099", "VALIDATION"), (None, "VALIDATION")],
)
async def test_the_run_itself_refuses_a_skip_that_may_not_be(
    story: Story, rule: str | None, code: str
) -> None:
    await blocked_by_scope(story)
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await story.decide(Move.SKIP, rule=rule, reason="because")

    assert getattr(refusal.value.cause, "type", None) == code
