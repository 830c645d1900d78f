"""Waits of days: what they cost the history of a run, which Temporal ends at 51,200 events, and what they say."""

from dataclasses import replace
from datetime import timedelta

from tests.workflows.conftest import Story, shortened
from vtid.domain.commands.messages import SwitchChanged
from vtid.domain.limits import LIMITS
from workflows.vtid_run import VtidRun

MOST_EVENTS = 2_000


async def events_of(story: Story) -> int:
    return len((await story.run.fetch_history()).events)


async def test_a_week_behind_the_emergency_stop_costs_a_bounded_history(story: Story) -> None:
    story.ledger.armed = False
    await story.start()

    view = await story.ends()
    assert (view.failure or {})["code"] == "DISPATCH_FAILED"
    assert await events_of(story) < MOST_EVENTS


async def test_a_day_behind_busy_workers_is_told_once_and_costs_a_bounded_history(story: Story) -> None:
    story.ledger.busy = 3
    story.limits = shortened(pickup=replace(LIMITS["pickup"], tries=1))
    await story.start()

    view = await story.ends()
    assert (view.failure or {})["code"] == "PICKUP_TIMEOUT"
    assert story.ledger.told().count("wait.started") == 1
    assert await events_of(story) < MOST_EVENTS / 3  # an offer


async def test_hints_do_not_make_an_offer_last_longer(story: Story) -> None:
    minute = timedelta(minutes=1)
    story.limits = shortened(pickup=LIMITS["pickup"])
    await story.start()
    await story.until_told("step.started pickup")
    for _ in range(3):
        await story.env.sleep(minute / 2)
        await story.run.signal(VtidRun.switch_changed, SwitchChanged(armed=True))
    await story.until_told("work_order.unclaimed")

    at = {event.type: event.at for event in story.ledger.events}
    assert at["work_order.unclaimed"] - at["work_order.offered"] < 1.5 * minute
