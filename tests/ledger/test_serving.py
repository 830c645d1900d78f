"""What became of a deployment stands beside its run, which stays as it ended."""

from dataclasses import replace
from datetime import timedelta

from tests.ledger.builders import NOON, VTID, started
from vtid.domain.serving import Serving, TellServing
from vtid.domain.task import TaskStatus
from vtid.ledger import Ledger

BEFORE = NOON - timedelta(days=1)
REVERTED = TellServing(VTID, "run-1", 2, Serving.REVERTED, "shop serves 000000000000")


async def completed(ledger: Ledger) -> None:
    await (await started(ledger)).completes()


async def serving_events(ledger: Ledger) -> list[str]:
    return [
        event.type for event in await ledger.events.read(vtid=VTID) if event.type.startswith("deployment.")
    ]


async def test_a_completed_run_is_to_be_watched_until_somebody_has_told_of_it(ledger: Ledger) -> None:
    await completed(ledger)
    before = [record.vtid for record in await ledger.serving.unwatched(BEFORE)]

    await ledger.serving.tell(replace(REVERTED, number=1, kind=Serving.WATCHED))

    assert before == [VTID]
    assert await ledger.serving.unwatched(BEFORE) == []


async def test_a_run_that_ended_long_ago_or_not_at_all_or_deployed_nothing_is_not_watched(
    ledger: Ledger,
) -> None:
    await completed(ledger)
    assert await ledger.serving.unwatched(NOON + timedelta(days=1)) == []

    await ledger.serving.leave("start-1")

    assert await ledger.serving.unwatched(BEFORE) == []
    assert await serving_events(ledger) == []


async def test_what_is_told_twice_is_one_event_and_the_run_stays_completed(ledger: Ledger) -> None:
    await completed(ledger)
    ended = (await ledger.runs.current(VTID)).view

    for _ in range(2):
        await ledger.serving.tell(REVERTED)

    record = await ledger.runs.current(VTID)
    assert await serving_events(ledger) == ["deployment.reverted"]
    assert record.serving is not None
    assert (record.serving.state, record.serving.says) == ("reverted", "shop serves 000000000000")
    assert (record.view, record.view.status) == (ended, TaskStatus.COMPLETED)


async def test_what_is_not_as_it_was_proven_needs_a_person_until_it_is_again(ledger: Ledger) -> None:
    await completed(ledger)
    await ledger.serving.tell(REVERTED)
    asked = (await ledger.needs.read()).serving

    await ledger.serving.tell(replace(REVERTED, number=3, kind=Serving.RESTORED))

    assert [record.vtid for record in asked.items] == [VTID]
    assert (await ledger.needs.read()).serving.count == 0


async def test_a_run_that_nobody_knows_is_nobody_to_tell(ledger: Ledger) -> None:
    await ledger.serving.tell(REVERTED)

    assert await serving_events(ledger) == []
