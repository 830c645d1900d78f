import asyncio

import pytest

from tests.ledger.builders import NOON, VTID, Course
from vtid.domain.events import OutsideEvent
from vtid.ledger import Ledger, feed
from vtid.ledger.database import Database
from vtid.ledger.event_log import append, outside_event_row


def event(name: str, **fields: object) -> OutsideEvent:
    return OutsideEvent(name, "engine.stuck", NOON, VTID, data=dict(fields))


async def test_an_event_from_outside_is_kept_once_by_its_id(ledger: Ledger) -> None:
    first = await ledger.events.append(event("a", message="stuck"))
    again = await ledger.events.append(event("a", message="other"))

    assert again is None
    (logged,) = await ledger.events.read()
    assert (logged.position, logged.id, logged.run_id, logged.seq) == (first, "a", None, None)
    assert (logged.at, logged.data) == (NOON, {"message": "stuck"})


async def test_reading_goes_on_after_a_position(ledger: Ledger) -> None:
    positions = [await ledger.events.append(event(name)) for name in "abcd"]

    page = await ledger.events.read(after=positions[0] or 0, limit=2)

    assert [each.id for each in page] == ["b", "c"]
    assert await ledger.events.last_position() == positions[-1]


async def test_reading_one_task_leaves_out_the_others(ledger: Ledger) -> None:
    await Course(ledger, vtid="VTID-00001", start_id="s-1", run_id="r-1").begins()
    await Course(ledger, vtid="VTID-00002", start_id="s-2", run_id="r-2").begins()

    events = await ledger.events.read(vtid="VTID-00002")

    assert {(each.vtid, each.run_id) for each in events} == {("VTID-00002", "r-2")}
    assert events[0].id == "r-2:1"


async def test_a_reader_never_passes_an_event_that_is_still_being_written(
    ledger: Ledger, database: Database
) -> None:
    """The sequence hazard: number 1 is drawn first, and must not become visible after number 2."""
    async with database.write() as slow:
        await append(slow, [outside_event_row(event("first"))])
        quick = asyncio.create_task(ledger.events.append(event("second")))
        finished, _ = await asyncio.wait({quick}, timeout=0.3)
        seen_meanwhile = await ledger.events.read()
    await quick

    assert not finished
    assert seen_meanwhile == []
    assert [each.id for each in await ledger.events.read()] == ["first", "second"]


async def test_many_writers_leave_no_position_out_and_none_twice(url: str, ledger: Ledger) -> None:
    other = await Ledger.open(url)
    read: list[str] = []

    async def follow() -> None:
        after = 0
        while len(read) < 60:
            await ledger.events.more(after, timeout=5)
            for each in await ledger.events.read(after=after):
                read.append(each.id)
                after = each.position

    writes = [(ledger, other)[n % 2].events.append(event(f"e{n}")) for n in range(60)]
    await asyncio.gather(follow(), *writes)
    await other.close()

    assert len(set(read)) == len(read) == 60


async def test_a_listener_hears_of_an_event_that_another_process_wrote(url: str, ledger: Ledger) -> None:
    other = await Ledger.open(url)
    listeners = [asyncio.create_task(ledger.events.more(0, timeout=5)) for _ in range(20)]
    await asyncio.wait(listeners, timeout=0.2)

    began = asyncio.get_running_loop().time()
    await other.events.append(event("a"))
    heard = await asyncio.gather(*listeners)
    await other.close()

    assert heard == [True] * 20
    assert asyncio.get_running_loop().time() - began < 1


async def test_listening_ends_without_news_in_time(ledger: Ledger) -> None:
    assert await ledger.events.more(0, timeout=0.05) is False


async def test_listening_to_what_is_there_already_does_not_wait(ledger: Ledger) -> None:
    position = await ledger.events.append(event("a"))

    assert await ledger.events.more((position or 0) - 1, timeout=5) is True


async def test_a_listener_may_come_back_after_the_watcher_has_gone(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LINGER_LOOKS", 0)
    assert await ledger.events.more(0, timeout=0.05) is False
    await ledger.events.append(event("a"))

    assert await ledger.events.more(0, timeout=5) is True


async def test_closing_the_ledger_ends_the_listening(url: str) -> None:
    ledger = await Ledger.open(url)
    listener = asyncio.create_task(ledger.events.more(0, timeout=30))
    await asyncio.wait({listener}, timeout=0.1)

    await ledger.close()

    assert await listener is False
