"""What ends or hangs inside Temporal is seen."""

import asyncio
import sqlite3
import zlib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import ActivityType
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from api.reconciler import Reconciler
from api.runs import _refused_write
from vtid.ledger import Ledger, LedgerUnavailable
from vtid.ledger.codec import view_to_json

from .stage import Play


def reconciler(play: Play, ledger: Ledger | None = None) -> Reconciler:
    """One that gives no grace and hardly rests, so that a test need not wait."""
    given = play.services
    return Reconciler(
        ledger or play.ledger, play.engine, given.starts, given.presenter, given.metrics,
        period_seconds=0.01, grace=timedelta(0), start_grace=timedelta(0),
    )  # fmt: skip


async def engine_of(play: Play, vtid: str) -> str:
    engine: str = (await play.get(f"/runs/{vtid}")).json()["engine"]
    return engine


@pytest.mark.parametrize(
    ("status", "code", "task"),
    [("terminated", "ENGINE_TERMINATED", "rejected"), ("canceled", "CANCELLED", "cancelled")],
)
async def test_a_run_that_was_ended_in_temporal_is_over_here_too(
    play: Play, status: str, code: str, task: str
) -> None:
    vtid = await play.run()
    order = await play.offer(vtid)
    run = play.engine.run_of(vtid)
    run.status, run.closed_at = status, datetime.now(UTC) - timedelta(seconds=1)

    await reconciler(play).reconcile()

    view = (await play.get(f"/runs/{vtid}")).json()
    assert (view["failure"]["code"], view["status"], view["engine"]) == (code, task, "terminated")
    assert (await play.ledger.orders.get(order)).state != "offered"


async def test_a_run_that_temporal_forgot_is_over(play: Play) -> None:
    vtid = await play.run()
    del play.engine.runs[vtid]

    await reconciler(play).reconcile()

    assert (await play.get(f"/runs/{vtid}")).json()["status"] == "rejected"


async def test_a_run_that_just_closed_gets_time_for_its_last_events(play: Play) -> None:
    vtid = await play.run()
    run = play.engine.run_of(vtid)
    run.status, run.closed_at = "completed", datetime.now(UTC)

    await play.services.reconciler.reconcile()

    assert (await play.get(f"/runs/{vtid}")).json()["outcome"] is None


async def test_a_requested_run_that_never_reached_temporal_is_started(play: Play) -> None:
    vtid = await play.task()
    play.engine.down = True
    assert (await play.post("/runs", {"vtid": vtid})).status_code == 503
    play.engine.down = False

    await reconciler(play).reconcile()

    assert (await play.get(f"/runs/{vtid}")).json()["run_id"] == play.engine.run_of(vtid).run_id


async def test_a_failing_workflow_task_makes_the_run_stuck_until_it_works_again(play: Play) -> None:
    vtid = await play.run()

    play.engine.run_of(vtid).failing_tries = 3
    await reconciler(play).reconcile()
    stuck = await engine_of(play, vtid)
    play.engine.run_of(vtid).failing_tries = 1
    await reconciler(play).reconcile()

    assert (stuck, await engine_of(play, vtid)) == ("stuck", "ok")
    types = [event.type for event in await play.ledger.events.read(vtid=vtid)]
    assert types.count("engine.stuck") == types.count("engine.recovered") == 1


async def test_a_run_whose_events_the_ledger_keeps_refusing_is_stuck(play: Play) -> None:
    """It would wait without end, and nothing else tells of it: the ledger itself is well."""
    vtid = await play.run()
    play.engine.run_of(vtid).refused_write = "IllegalTransition: a task cannot go from rejected to validating"

    await reconciler(play).reconcile()

    assert await engine_of(play, vtid) == "stuck"
    (told,) = [each for each in await play.ledger.events.read(vtid=vtid) if each.type == "engine.stuck"]
    assert "from rejected to validating" in told.data["message"]


def pending(name: str, attempt: int, kind: str) -> DescribeWorkflowExecutionResponse:
    failure = Failure(message="no", application_failure_info=ApplicationFailureInfo(type=kind))
    step = PendingActivityInfo(activity_type=ActivityType(name=name), attempt=attempt, last_failure=failure)
    return DescribeWorkflowExecutionResponse(pending_activities=[step])


@pytest.mark.parametrize(
    ("name", "attempt", "kind", "says"),
    [
        ("record_events", 4, "IllegalTransition", "IllegalTransition: no"),
        ("record_events", 3, "IllegalTransition", ""),  # perhaps it was a moment's trouble
        ("record_events", 90, "LedgerUnavailable", ""),  # it is away, and comes back
        ("await_checks", 90, "NOT_READY", ""),  # how polls look
    ],
)
def test_which_pending_steps_are_writes_that_are_refused(
    name: str, attempt: int, kind: str, says: str
) -> None:
    assert _refused_write(pending(name, attempt, kind)) == says


async def test_an_unreachable_engine_is_told_in_the_view_and_not_as_an_event(play: Play) -> None:
    vtid = await play.run()
    before = await play.ledger.events.last_position()
    play.engine.down = True

    await play.services.reconciler.reconcile()
    during = await engine_of(play, vtid)
    play.engine.down = False
    await play.services.reconciler.reconcile()

    assert (during, await engine_of(play, vtid)) == ("unreachable", "ok")
    assert await play.ledger.events.last_position() == before


async def test_runs_are_told_when_the_emergency_stop_was_switched(play: Play) -> None:
    vtid = await play.run()
    loop = reconciler(play)
    await loop.reconcile()

    await play.post("/system/disarm", {"reason": "fire"})
    await loop.reconcile()
    await loop.reconcile()
    await play.post("/system/arm")
    await loop.reconcile()

    assert play.engine.run_of(vtid).told == ["disarmed", "armed"]


async def test_a_run_that_was_reset_in_temporal_is_over_and_names_the_execution_that_ends_itself(
    play: Play,
) -> None:
    vtid = await play.run()
    followed, run = (await play.ledger.runs.current(vtid)).run_id, play.engine.run_of(vtid)
    run.run_id = "run-after-reset"

    await reconciler(play).reconcile()

    view = (await play.get(f"/runs/{vtid}")).json()
    assert (view["run_id"], view["engine"], view["status"]) == (followed, "terminated", "rejected")
    assert view["failure"]["code"] == "ENGINE_TERMINATED"
    assert view["failure"]["message"] == (
        "the run was reset in Temporal; the new execution run-after-reset does nothing and ends itself: "
        "start the task again"
    )
    assert (run.status, run.told) == ("running", [])  # it ends itself, once a worker has it


async def test_a_task_whose_run_was_reset_starts_again_once_the_new_execution_has_ended(
    play: Play,
) -> None:
    vtid = await play.run()
    run = play.engine.run_of(vtid)
    run.run_id = "run-after-reset"
    await reconciler(play).reconcile()

    early = await play.post("/runs", {"vtid": vtid})
    run.status = "failed"
    late = await play.post("/runs", {"vtid": vtid})

    assert (early.status_code, late.status_code) == (409, 202)


def write_past_the_ledger(file: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(statement, values)


def errors_counted(play: Play) -> float:
    lines = play.services.metrics.text().decode().splitlines()
    (line,) = [line for line in lines if line.startswith("vtid_reconciler_errors_total ")]
    return float(line.split()[1])


async def test_a_run_whose_build_nobody_works_any_more_is_stuck_until_somebody_does(play: Play) -> None:
    vtid = await play.run()
    play.engine.run_of(vtid).build = "a" * 40

    play.engine.builds, play.engine.polled_at = {"b" * 40: datetime.now(UTC)}, None
    await reconciler(play).reconcile()
    alone = await engine_of(play, vtid)
    play.engine.builds["a" * 40] = datetime.now(UTC)
    await reconciler(play).reconcile()

    assert (alone, await engine_of(play, vtid)) == ("stuck", "ok")
    (told,) = [event for event in await play.ledger.events.read(vtid=vtid) if event.type == "engine.stuck"]
    assert "no worker of that build polls" in str(told.data)
    assert "a" * 40 in str(told.data)


async def test_a_run_that_cannot_be_dealt_with_is_counted_and_hides_no_other(
    play: Play, tmp_path: Path
) -> None:
    unreadable = await play.task()
    play.engine.down = True
    await play.post("/runs", {"vtid": unreadable})
    play.engine.down = False
    file, spoilt = tmp_path / "ledger.db", zlib.compress(b"{")
    write_past_the_ledger(file, "UPDATE runs SET request = ? WHERE vtid = ?", spoilt, unreadable)
    vtid = await play.run()
    play.engine.run_of(vtid).status = "terminated"

    await reconciler(play).reconcile()

    assert await engine_of(play, vtid) == "terminated"
    assert errors_counted(play) == 1


async def test_silence_about_one_run_hides_no_other_and_is_no_outage(play: Play) -> None:
    silent, stuck, over = [await play.run() for _ in range(3)]
    play.engine.mute = {silent}
    play.engine.run_of(stuck).failing_tries = 3
    play.engine.run_of(over).status = "terminated"

    await reconciler(play).reconcile()

    assert [await engine_of(play, vtid) for vtid in (silent, stuck, over)] == ["ok", "stuck", "terminated"]
    assert errors_counted(play) == 0


async def test_a_run_that_missed_the_switch_is_told_later_and_the_others_only_once(play: Play) -> None:
    silent, heard = await play.run(), await play.run()
    loop = reconciler(play)
    await loop.reconcile()
    await play.post("/system/disarm", {"reason": "fire"})

    play.engine.mute = {silent}
    await loop.reconcile()
    play.engine.mute = set()
    await loop.reconcile()

    assert [play.engine.run_of(vtid).told for vtid in (silent, heard)] == [["disarmed"], ["disarmed"]]


async def test_whoever_begins_tells_the_runs_that_wait_to_be_armed(play: Play) -> None:
    """The API that lifted the emergency stop may have been killed before it told anybody."""
    waits, works = await play.run(), await play.run()
    wait: dict[str, Any] = {"for": "the system to be armed again", "who": "approver"}
    await play.tell(waits, "wait.started", **wait)

    await reconciler(play).reconcile()

    assert [play.engine.run_of(vtid).told for vtid in (waits, works)] == [["armed"], []]


async def test_whoever_begins_while_the_emergency_stop_is_on_tells_every_run(play: Play) -> None:
    """One may wait in a merge queue, out of which nothing but this takes it."""
    vtid = await play.run()
    await play.post("/system/disarm", {"reason": "fire"})

    await reconciler(play).reconcile()

    assert play.engine.run_of(vtid).told == ["disarmed"]


async def test_a_pass_that_fails_as_a_whole_is_counted_and_the_next_one_comes(
    play: Play, tmp_path: Path
) -> None:
    vtid = await play.run()
    play.engine.run_of(vtid).status = "terminated"
    file = tmp_path / "ledger.db"
    view = view_to_json((await play.ledger.runs.current(vtid)).view)
    write_past_the_ledger(file, "UPDATE runs SET view = ?", zlib.compress(b"{"))
    looping = asyncio.create_task(reconciler(play).run())
    try:
        async with asyncio.timeout(10):
            while errors_counted(play) < 2:
                await asyncio.sleep(0.01)
            write_past_the_ledger(file, "UPDATE runs SET view = ?", zlib.compress(view.encode()))
            while await engine_of(play, vtid) != "terminated":
                await asyncio.sleep(0.01)
    finally:
        looping.cancel()


async def test_a_ledger_that_fails_while_runs_are_compared_is_waited_for(play: Play, tmp_path: Path) -> None:
    for _ in range(2):
        play.engine.run_of(await play.run()).status = "terminated"
    file = tmp_path / "ledger.db"
    impatient = await Ledger.open(f"sqlite+aiosqlite:///{file}", busy_seconds=0.05)
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(LedgerUnavailable):
            await reconciler(play, impatient).reconcile()
    finally:
        writer.close()
        await impatient.close()

    assert errors_counted(play) == 0
