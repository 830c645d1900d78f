from datetime import UTC, datetime

from tests.ledger.builders import DEPLOY, VTID, approved, started, task
from vtid.ledger import Ledger


async def test_nothing_waits_for_anybody_in_an_empty_ledger(ledger: Ledger) -> None:
    needs = await ledger.needs.read()

    assert [needs.approvals.count, needs.blocked.count, needs.merges.count, needs.stuck.count] == [0, 0, 0, 0]


async def test_a_spec_waits_for_approval_until_it_has_it(ledger: Ledger) -> None:
    await task(ledger, "VTID-00001", markdown=None)
    await task(ledger, "VTID-00002")
    await approved(ledger, "VTID-00003")

    (waiting,) = (await ledger.needs.read()).approvals.items

    assert (waiting.vtid, waiting.spec.state, waiting.spec.version) == ("VTID-00002", "draft", 1)


async def test_a_failed_task_whose_spec_was_edited_waits_for_approval_again(ledger: Ledger) -> None:
    await (await started(ledger)).fails()
    assert (await ledger.needs.read()).approvals.count == 0

    await ledger.tasks.put_spec(VTID, "# Better", by="ann")

    assert [each.vtid for each in (await ledger.needs.read()).approvals.items] == [VTID]


async def test_blocked_runs_are_told_with_the_title_of_their_task(ledger: Ledger) -> None:
    await (await started(ledger)).blocks()

    needs = await ledger.needs.read()

    (blocked,) = needs.blocked.items
    assert (blocked.title, blocked.vtid, blocked.code) == ("A shop", VTID, "CHECKS_FAILED")
    assert blocked.moves == ("retry", "adopt", "abandon")


async def test_the_oldest_come_first_and_all_are_counted(ledger: Ledger) -> None:
    for number in range(1, 5):
        await task(ledger, f"VTID-{number:05d}")

    approvals = (await ledger.needs.read(limit=2)).approvals

    assert (approvals.count, [each.vtid for each in approvals.items]) == (4, ["VTID-00001", "VTID-00002"])


async def test_a_merge_that_policy_leaves_to_a_person_waits_for_one(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.validates()
    waiting = {
        "for": "a person to merge",
        "who": "approver",
        "since": datetime.now(UTC).isoformat(),
        "until": None,
    }
    await course.tell(
        ("stage.started", DEPLOY, {}),
        ("step.started", DEPLOY, {"step": "await_merge", "waiting": waiting}),
    )

    (merge,) = (await ledger.needs.read()).merges.items

    assert merge.vtid == VTID
    await course.tell(("change.merged", DEPLOY, {"sha": "b" * 40}), ("stage.finished", DEPLOY, {}))
    assert (await ledger.needs.read()).merges.count == 0


async def test_a_run_that_temporal_fails_on_is_told(ledger: Ledger) -> None:
    await (await started(ledger)).works()
    await ledger.runs.set_engine("start-1", "stuck", "no such activity")

    assert [each.vtid for each in (await ledger.needs.read()).stuck.items] == [VTID]
