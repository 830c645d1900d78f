"""What ends or hangs inside Temporal is seen."""

from datetime import UTC, datetime, timedelta

import pytest

from api.reconciler import Reconciler

from .stage import Play


def reconciler(play: Play) -> Reconciler:
    """One that gives no grace, so that a test need not wait."""
    given = play.services
    return Reconciler(
        play.ledger, play.engine, given.starts, given.presenter, given.metrics,
        grace=timedelta(0), start_grace=timedelta(0),
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
