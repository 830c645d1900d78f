"""A hint makes a waiting run look at once, against the deadline that it had anyway; it proves nothing."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.workflows.conftest import Story, shortened
from tests.workflows.world import HEAD, REPOSITORY
from vtid.domain.change import CheckState
from vtid.domain.environment import Policy
from vtid.domain.hints import Hint
from vtid.domain.limits import HINTS_A_WAIT, LIMITS
from vtid.domain.task import TaskStatus
from workflows.vtid_run import VtidRun

HOUR = timedelta(hours=1)
GREEN_HEAD = Hint(REPOSITORY, "check_run", sha=HEAD)


async def hint(story: Story, told: Hint = GREEN_HEAD) -> None:
    await story.run.signal(VtidRun.look_now, told)


async def waiting(story: Story) -> None:
    """A run whose first look has seen its checks pending."""
    await story.start()
    await story.work_honestly()
    await story.until(lambda: story.github.looks == 2)  # one of gather_facts, one of the poll


async def scheduled_looks(story: Story) -> list[tuple[Any, Any]]:
    """Each event of the history that schedules a look at the checks, and what it says."""
    history = await story.run.fetch_history()
    told = [(event, event.activity_task_scheduled_event_attributes) for event in history.events]
    return [(event, look) for event, look in told if look.activity_type.name == "await_checks"]


@pytest.fixture
def patient(story: Story) -> Story:
    """Its poll looks once an hour: what comes sooner came by a hint."""
    checks = replace(LIMITS["await_checks"], budget=10 * HOUR, back_off=(HOUR,))
    story.limits, story.policy = shortened(await_checks=checks), Policy(repair_rounds=0)
    story.github.check_states = [CheckState.PENDING, CheckState.PENDING]
    return story


async def test_a_hint_makes_the_run_look_at_once(patient: Story) -> None:
    await waiting(patient)
    patient.github.check_states = [CheckState.GREEN]

    await hint(patient)

    await patient.until_told("verdict.reached")
    assert (await patient.ends()).status is TaskStatus.COMPLETED


async def test_a_hint_is_not_believed(patient: Story) -> None:
    await waiting(patient)
    looks = patient.github.looks
    await hint(patient)
    await patient.until(lambda: patient.github.looks > looks)

    assert "verdict.reached" not in patient.ledger.told()
    patient.github.check_states = [CheckState.RED]
    await hint(patient)
    await patient.until_told("run.blocked")
    assert (patient.ledger.view().failure or {})["code"] == "CHECKS_FAILED"


async def test_a_hint_about_something_else_changes_nothing(patient: Story) -> None:
    await waiting(patient)
    looks = patient.github.looks

    for other in (Hint(REPOSITORY, "check_run", sha="9" * 40), Hint("acme/other", "check_run", sha=HEAD)):
        await hint(patient, other)
    await patient.run.query(VtidRun.view)  # answered after both were heard

    assert patient.github.looks == looks


async def test_one_wait_takes_a_bounded_number_of_hints(patient: Story) -> None:
    await waiting(patient)
    for _ in range(HINTS_A_WAIT + 5):
        looks = patient.github.looks
        await hint(patient)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await patient.until(lambda looks=looks: patient.github.looks > looks)  # type: ignore[misc]

    assert len(await scheduled_looks(patient)) == 1 + HINTS_A_WAIT


async def test_hints_do_not_move_the_deadline(patient: Story) -> None:
    await waiting(patient)
    for _ in range(2):
        looks = patient.github.looks
        await hint(patient)
        await patient.until(lambda looks=looks: patient.github.looks > looks)  # type: ignore[misc]

    deadlines = [
        event.event_time.ToDatetime() + told.schedule_to_close_timeout.ToTimedelta()
        for event, told in await scheduled_looks(patient)
    ]
    assert len(deadlines) == 3
    assert max(deadlines) - min(deadlines) < timedelta(seconds=2)  # of ten hours


async def test_a_cancel_that_comes_with_a_hint_is_still_a_cancel(patient: Story) -> None:
    await waiting(patient)

    await asyncio.gather(hint(patient), patient.run.cancel())

    assert (await patient.ends()).status is TaskStatus.CANCELLED
