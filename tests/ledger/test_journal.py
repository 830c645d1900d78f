import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic_core import to_jsonable_python

from tests.ledger.builders import (
    PLANNER,
    VALIDATOR,
    VTID,
    WORKER,
    Course,
    approved,
    offer,
    request,
    started,
    task,
)
from vtid.domain.commands.ledger import RecordEvents
from vtid.domain.events import RunEvent
from vtid.domain.fold import fold
from vtid.domain.stages import Stage
from vtid.domain.task import IllegalTransition, TaskStatus
from vtid.domain.view import RunView
from vtid.ledger import Ledger
from vtid.ledger.records import LoggedEvent


def folded(events: list[LoggedEvent], vtid: str = VTID) -> RunView:
    view = RunView(vtid=vtid, run_id=None)
    for each in events:
        stage = Stage(each.stage) if each.stage else None
        told = RunEvent(
            each.run_id or "", each.seq or 0, vtid, each.type, each.at, stage, each.actor, each.data
        )
        view = fold(view, told)
    return view


async def test_a_run_goes_through_its_statuses_to_completed(ledger: Ledger) -> None:
    course = await started(ledger)
    seen = [(await ledger.tasks.get(VTID)).status]

    await course.begins()
    seen.append((await ledger.tasks.get(VTID)).status)
    await Course.completes(course)
    seen.append((await ledger.tasks.get(VTID)).status)

    assert seen == [TaskStatus.SCHEDULED, TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED]
    run = await ledger.runs.current(VTID)
    assert (run.state, run.view.outcome, run.view.merged) == ("closed", "success", "b" * 40)


async def test_the_stored_view_is_the_fold_of_the_stored_events(ledger: Ledger) -> None:
    course = await started(ledger)

    await course.blocks()

    run = await ledger.runs.current(VTID)
    events = await ledger.events.of_run("run-1")
    assert run.view == folded(events)
    assert run.position == events[-1].position
    assert run.code == "CHECKS_FAILED"


async def test_a_view_can_be_folded_as_of_an_earlier_position(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.works()
    earlier = (await ledger.runs.current(VTID)).position
    await course.tell(("stage.finished", WORKER, {}), ("stage.started", VALIDATOR, {}))

    as_of = folded(await ledger.events.of_run("run-1", upto=earlier))

    assert as_of.stage is WORKER
    assert (await ledger.runs.current(VTID)).view.stage is VALIDATOR


async def test_repeating_a_call_changes_nothing(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.blocks()
    everything = RecordEvents(VTID, "run-1", "start-1", tuple(course.told))
    before = await ledger.runs.current(VTID), await ledger.events.read(), await ledger.tasks.get(VTID)

    await ledger.journal.record_events(everything)

    after = await ledger.runs.current(VTID), await ledger.events.read(), await ledger.tasks.get(VTID)
    assert after == before


async def test_a_half_known_batch_adds_only_its_new_events(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.begins()
    course.batch(("stage.finished", PLANNER, {}))

    await ledger.journal.record_events(RecordEvents(VTID, "run-1", "start-1", tuple(course.told)))

    assert [each.seq for each in await ledger.events.of_run("run-1")] == [1, 2, 3, 4]
    assert (await ledger.runs.current(VTID)).view.seq == 4


async def test_the_same_events_told_again_at_another_moment_change_nothing(ledger: Ledger) -> None:
    course = await started(ledger)
    wait = {
        "step": "lease",
        "waiting": {"for": "evidence", "who": "worker", "since": "2026-11-23T12:00:00+00:00"},
    }
    await course.begins()
    first = await course.tell(("step.started", PLANNER, wait))
    (told,) = first.events
    later = {
        "step": "lease",
        "waiting": {"for": "evidence", "who": "worker", "since": "2026-11-23T12:07:00+00:00"},
    }
    again = replace(told, at=told.at + timedelta(minutes=7), data=later)

    strays = await ledger.journal.record_events(replace(first, events=(again,)))

    assert strays == ()
    assert (await ledger.events.of_run("run-1"))[-1].at == told.at


async def test_another_event_under_a_number_that_is_taken_is_refused_and_shown_what_stands_there(
    ledger: Ledger,
) -> None:
    course = await started(ledger)
    await course.begins()
    lost = await course.tell(("stage.finished", PLANNER, {}), ("stage.started", WORKER, {}))
    before = await ledger.runs.current(VTID), await ledger.events.read()
    del course.told[3:]
    again = course.batch(("stage.finished", PLANNER, {}), ("message.refused", PLANNER, {"name": "x"}))

    strays = await ledger.journal.record_events(again)

    assert strays == lost.events[1:]
    assert (await ledger.runs.current(VTID), await ledger.events.read()) == before


async def test_what_a_lost_task_told_is_taken_back_by_the_run_itself(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.is_claimed("w1")
    honest = (await ledger.runs.current(VTID)).view
    await course.blocks()  # as told by a task that was lost
    shown = to_jsonable_python(replace(honest, worker="w2", attempt=2))

    await course.tell(("run.retold", WORKER, {"strays": [7, 8], "view": shown}))

    run = await ledger.runs.current(VTID)
    assert run.view == replace(honest, worker="w2", attempt=2, seq=len(course.told))
    assert (await ledger.tasks.get(VTID)).status is TaskStatus.IN_PROGRESS
    assert (await ledger.dead_letters.get(VTID)).state == "resolved"


async def test_the_same_batch_from_many_sides_is_stored_once(url: str, ledger: Ledger) -> None:
    course = await started(ledger)
    command = course.batch(("run.started", PLANNER, {}), ("stage.started", PLANNER, {}))
    other = await Ledger.open(url)

    doors = [ledger.journal, other.journal] * 4
    await asyncio.gather(*(door.record_events(command) for door in doors))
    await other.close()

    assert [each.seq for each in await ledger.events.of_run("run-1")] == [1, 2]


async def test_an_illegal_step_stores_nothing(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.tell(("run.started", PLANNER, {}), ("stage.started", PLANNER, {}))
    finish = {"outcome": "success", "status": "completed", "failure": None}

    with pytest.raises(IllegalTransition, match="scheduled to completed"):
        await course.tell(("run.finished", PLANNER, finish))

    assert len(await ledger.events.of_run("run-1")) == 2
    assert (await ledger.tasks.get(VTID)).status is TaskStatus.SCHEDULED
    assert (await ledger.runs.current(VTID)).state == "open"


async def test_several_steps_in_one_batch_are_each_checked(ledger: Ledger) -> None:
    course = await started(ledger)

    await course.tell(
        ("stage.started", PLANNER, {}),
        ("run.admitted", PLANNER, {}),
        ("stage.started", WORKER, {}),
        ("stage.started", VALIDATOR, {}),
    )

    assert (await ledger.tasks.get(VTID)).status is TaskStatus.VALIDATING


async def test_a_run_that_the_api_never_wrote_down_is_written_down(ledger: Ledger) -> None:
    await approved(ledger)
    course = Course(ledger)

    await course.begins()

    run = await ledger.runs.current(VTID)
    assert (run.state, run.run_id, run.request) == ("open", "run-1", "")
    assert (await ledger.tasks.get(VTID)).status is TaskStatus.IN_PROGRESS


async def test_a_run_of_a_task_that_nobody_created_is_kept_too(ledger: Ledger) -> None:
    course = Course(ledger, vtid="VTID-09999")

    await course.begins()

    assert (await ledger.runs.current("VTID-09999")).view.status is TaskStatus.IN_PROGRESS
    assert await ledger.journal.load_task("VTID-09999") is None


async def test_the_first_events_open_a_run_whose_start_was_never_confirmed(ledger: Ledger) -> None:
    await approved(ledger)
    course = Course(ledger)
    await ledger.runs.request(request(), by="ann")

    await course.begins()
    await ledger.runs.opened("start-1", "run-1")

    run = await ledger.runs.current(VTID)
    assert (run.state, run.run_id) == ("open", "run-1")


async def test_an_older_run_does_not_move_the_task_of_a_newer_one(ledger: Ledger) -> None:
    first = await started(ledger)
    await first.works()
    await ledger.runs.terminated("start-1", status="TERMINATED", message="by hand")
    await ledger.runs.request(request(start_id="start-2"), by="ann")

    await first.tell(("stage.started", VALIDATOR, {}))

    assert (await ledger.tasks.get(VTID)).status is TaskStatus.SCHEDULED
    assert len(await ledger.events.of_run("run-1")) == 6


async def test_another_execution_under_the_same_start_is_kept_but_not_believed(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.works()

    await Course(ledger, run_id="run-1-reset").begins()

    assert len(await ledger.events.of_run("run-1-reset")) == 3
    assert (await ledger.runs.current(VTID)).view.stage is WORKER


async def test_the_journal_shows_the_hash_of_what_is_stored_and_of_what_is_approved(ledger: Ledger) -> None:
    await task(ledger)
    loaded = await ledger.journal.load_task(VTID)
    assert loaded is not None
    assert loaded.approved_hash is None

    await ledger.tasks.approve_spec(VTID, loaded.spec_hash or "", by="bob")
    await ledger.runs.request(request(), by="ann")
    await ledger.runs.opened("start-1", "run-1")
    facts = await ledger.journal.task_facts(VTID)

    assert facts is not None
    assert facts.approved_hash == facts.spec_hash == facts.spec_bytes_hash == loaded.spec_hash
    assert (facts.status, facts.current_run_id) == ("scheduled", "run-1")


async def test_the_end_of_a_run_leaves_no_order_open(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.is_claimed()
    await ledger.orders.offer(offer("order-2"))

    await course.tell(
        ("run.finished", WORKER, {"outcome": "cancellation", "status": "cancelled", "failure": None})
    )
    await ledger.orders.offer(offer("order-3"))

    states = {order.order_id: order.state for order in await ledger.orders.list()}
    assert states == {"order-1": "ended", "order-2": "withdrawn", "order-3": "withdrawn"}


async def test_the_journal_shows_every_approval_of_the_task_with_its_moment(ledger: Ledger) -> None:
    first = (await approved(ledger)).spec
    once = await ledger.journal.load_task(VTID)
    changed = (await ledger.tasks.put_spec(VTID, "# Another\n", by="ann")).spec
    drafted = await ledger.journal.load_task(VTID)
    assert first is not None
    assert changed is not None
    await ledger.tasks.approve_spec(VTID, changed.hash, by="bob")
    again = await ledger.journal.load_task(VTID)

    assert once is not None
    assert drafted is not None
    assert again is not None
    assert [each.spec_hash for each in once.approvals] == [first.hash]
    assert drafted.approvals == once.approvals
    assert [each.spec_hash for each in again.approvals] == [changed.hash, first.hash]
    assert again.approvals[1:] == once.approvals
    assert again.approvals[0].at > again.approvals[1].at
