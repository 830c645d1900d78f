import asyncio
from datetime import timedelta

import pytest

from tests.ledger.builders import DEV, VTID, approved, offer, request, started, task
from vtid.domain.commands.run import RunRequest
from vtid.domain.task import TaskStatus
from vtid.ledger import Ledger, Refusal, Unknown
from vtid.ledger.codec import request_from_json
from vtid.ledger.dead_letters import Wanted


async def refusal_of(ledger: Ledger, asked: RunRequest) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        await ledger.runs.request(asked, by="ann")
    return refusal.value


async def test_a_requested_run_can_be_seen_at_once(ledger: Ledger) -> None:
    await approved(ledger)

    run, new = await ledger.runs.request(request(), by="ann")

    assert new
    assert run == await ledger.runs.current(VTID)
    assert (run.state, run.run_id, run.view.title, run.view.status) == (
        "requested",
        None,
        "A shop",
        "scheduled",
    )
    assert request_from_json(run.request) == request()


async def test_starting_twice_joins_the_run_under_way(ledger: Ledger) -> None:
    await approved(ledger)

    answers = await asyncio.gather(
        *(ledger.runs.request(request(start_id=f"start-{n}"), by="ann") for n in range(5))
    )

    assert sorted(new for _, new in answers) == [False, False, False, False, True]
    assert len({run.start_id for run, _ in answers}) == 1


async def test_another_target_does_not_join(ledger: Ledger) -> None:
    await started(ledger)

    refusal = await refusal_of(ledger, request(start_id="start-2", repository="acme/other"))

    assert (refusal.code, refusal.run_id) == ("ILLEGAL_TRANSITION", "run-1")
    assert refusal.expected["repository"] == "acme/shop"


async def test_an_unapproved_spec_keeps_a_run_from_starting(ledger: Ledger) -> None:
    await task(ledger)
    assert (await refusal_of(ledger, request())).code == "SPEC_NOT_APPROVED"

    await task(ledger, "VTID-00002", markdown=None)
    assert (await refusal_of(ledger, request("VTID-00002"))).code == "SPEC_MISSING"

    await approved(ledger, "VTID-00003")
    assert (await refusal_of(ledger, request("VTID-00003", spec="# Other"))).code == "SPEC_HASH_MISMATCH"

    with pytest.raises(Unknown):
        await ledger.runs.request(request("VTID-00404"), by="ann")


async def test_a_completed_task_is_never_run_again(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.completes()

    assert (await refusal_of(ledger, request(start_id="start-2"))).code == "TASK_COMPLETED"


async def test_a_failed_task_is_run_again_and_shows_the_new_run(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.fails()
    assert (await ledger.tasks.get(VTID)).status is TaskStatus.REJECTED

    await ledger.runs.request(request(start_id="start-2"), by="ann")

    made = await ledger.tasks.get(VTID)
    assert made.status is TaskStatus.SCHEDULED
    assert made.run is not None
    assert made.run.start_id == "start-2"
    assert made.run.view.failure is None


async def test_confirming_a_start_twice_is_confirming_it_once(ledger: Ledger) -> None:
    await started(ledger)
    before = await ledger.runs.current(VTID)

    await ledger.runs.opened("start-1", "run-1")

    assert await ledger.runs.current(VTID) == before
    assert (before.state, before.run_id, before.view.run_id) == ("open", "run-1", "run-1")


async def test_an_earlier_run_is_found_by_its_id_and_only_with_its_task(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.fails()
    await ledger.runs.request(request(start_id="start-2"), by="ann")
    await ledger.runs.opened("start-2", "run-2")

    assert (await ledger.runs.one(VTID, "run-1")).start_id == "start-1"
    assert await ledger.runs.one(VTID, "run-2") == await ledger.runs.current(VTID)
    for vtid, run_id in ((VTID, "run-3"), ("VTID-99999", "run-1")):
        with pytest.raises(Unknown):
            await ledger.runs.one(vtid, run_id)


async def test_a_start_that_never_happened_leaves_the_task_as_it_was(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.fails()
    await ledger.runs.request(request(start_id="start-2"), by="ann")

    await ledger.runs.not_opened("start-2", "the namespace does not exist")

    made = await ledger.tasks.get(VTID)
    assert made.status is TaskStatus.REJECTED
    assert made.run is not None
    assert made.run.start_id == "start-1"
    assert (await ledger.runs.current(VTID)).start_id == "start-1"
    assert await ledger.runs.count_unfinished() == 0


async def test_a_run_ended_in_temporal_is_told_once_and_leaves_nothing_open(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.is_claimed()
    await ledger.orders.offer(offer("order-2"))

    await ledger.runs.terminated("start-1", status="TERMINATED", message="ended by hand")
    await ledger.runs.terminated("start-1", status="TERMINATED", message="ended by hand")

    run = await ledger.runs.current(VTID)
    assert (run.state, run.engine, run.code) == ("closed", "terminated", "ENGINE_TERMINATED")
    assert run.view.failure is not None
    assert run.view.failure["message"] == "ended by hand"
    assert run.view.of(run.view.stage).status == "error"
    assert (await ledger.tasks.get(VTID)).status is TaskStatus.REJECTED
    assert [order.state for order in await ledger.orders.list()] == ["withdrawn", "ended"]
    assert [each.type for each in await ledger.events.read()].count("engine.terminated") == 1
    assert run.position == await ledger.events.last_position()


async def test_a_run_cancelled_in_temporal_is_cancelled(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.blocks()

    await ledger.runs.terminated("start-1", status="CANCELED", message="cancelled by hand")

    run = await ledger.runs.current(VTID)
    assert (run.view.status, run.view.outcome, run.code) == ("cancelled", "cancellation", "CANCELLED")
    assert (await ledger.dead_letters.list(Wanted())).items == []


async def test_a_stuck_engine_is_told_when_it_changes(ledger: Ledger) -> None:
    await started(ledger)

    for engine in ("ok", "stuck", "stuck", "unreachable", "stuck", "ok", "ok"):
        await ledger.runs.set_engine("start-1", engine, "the workflow task fails")

    told = [each.type for each in await ledger.events.read() if each.type.startswith("engine.")]
    assert told == ["engine.stuck", "engine.stuck", "engine.recovered"]
    run = await ledger.runs.current(VTID)
    assert (run.engine, run.view.engine) == ("ok", "ok")


async def test_the_unfinished_runs_are_known_for_the_reconciler(ledger: Ledger) -> None:
    course = await started(ledger, "VTID-00001", "start-1", "run-1")
    await started(ledger, "VTID-00002", "start-2", "run-2")
    await approved(ledger, "VTID-00003")
    await ledger.runs.request(request("VTID-00003", "start-3"), by="ann")

    await course.completes()

    assert [(run.start_id, run.state) for run in await ledger.runs.unfinished()] == [
        ("start-2", "open"),
        ("start-3", "requested"),
    ]
    assert await ledger.runs.count_unfinished() == 2


async def test_runs_are_listed_by_status_and_stage_newest_first(ledger: Ledger) -> None:
    first = await started(ledger, "VTID-00001", "start-1", "run-1")
    second = await started(ledger, "VTID-00002", "start-2", "run-2")
    await first.blocks()
    await second.works()

    page = await ledger.runs.list(limit=1)
    rest = await ledger.runs.list(limit=1, cursor=page.next_cursor)

    assert [run.run_id for run in page.items + rest.items] == ["run-2", "run-1"]
    assert [run.run_id for run in (await ledger.runs.list(status="blocked")).items] == ["run-1"]
    assert [run.run_id for run in (await ledger.runs.list(stage="WORKER")).items] == ["run-2"]
    assert [run.run_id for run in (await ledger.runs.list(code="CHECKS_FAILED")).items] == ["run-1"]


async def test_a_request_survives_storing_with_every_limit(ledger: Ledger) -> None:
    await approved(ledger)
    asked = request()
    asked.limits["pickup"] = asked.limits["pickup"].__class__(
        lane=asked.limits["pickup"].lane,
        one_try=timedelta(milliseconds=1500),
        back_off=(timedelta(seconds=1),),
    )

    run, _ = await ledger.runs.request(asked, by="ann")

    assert request_from_json(run.request) == asked
    assert request_from_json(run.request).environment == DEV
