import pytest

from tests.ledger.builders import VTID, approved, started, task
from vtid.domain.task import TaskStatus
from vtid.ledger import Ledger, Refusal
from vtid.ledger.board import COLUMN_OF, Column
from vtid.ledger.task_lists import SORTS, TaskFilter


async def test_every_task_stands_in_the_column_of_its_status(ledger: Ledger) -> None:
    await task(ledger, "VTID-00001")
    await approved(ledger, "VTID-00002")
    await (await started(ledger, "VTID-00003", "start-3", "run-3")).works()
    await (await started(ledger, "VTID-00004", "start-4", "run-4")).blocks()
    await (await started(ledger, "VTID-00005", "start-5", "run-5")).completes()

    board = await ledger.board.read(TaskFilter())

    seen = {column: [card.vtid for card in page.items] for column, page in board.columns.items()}
    assert seen == {
        Column.SCHEDULED: ["VTID-00002", "VTID-00001"],
        Column.IN_PROGRESS: ["VTID-00003"],
        Column.NEEDS_YOU: ["VTID-00004"],
        Column.DONE: ["VTID-00005"],
    }
    assert {status: count for status, count in board.counts.items() if count} == {
        TaskStatus.ALLOCATED: 1, TaskStatus.SCHEDULED: 1, TaskStatus.IN_PROGRESS: 1,
        TaskStatus.BLOCKED: 1, TaskStatus.COMPLETED: 1,
    }  # fmt: skip


def test_every_status_has_a_column() -> None:
    assert set(COLUMN_OF) == set(TaskStatus)


async def test_a_filter_narrows_columns_and_counts_alike(ledger: Ledger) -> None:
    await task(ledger, "VTID-00001", title="Round prices", priority=1)
    await task(ledger, "VTID-00002", title="Round corners", environment="staging")
    await (await started(ledger)).blocks()

    rounded = await ledger.board.read(TaskFilter(q="round"))
    staged = await ledger.board.read(TaskFilter(environment="staging"))
    urgent = await ledger.board.read(TaskFilter(priority=1))
    red = await ledger.board.read(TaskFilter(code="CHECKS_FAILED"))

    assert (sum(rounded.counts.values()), len(rounded.columns[Column.SCHEDULED].items)) == (2, 2)
    assert [card.vtid for card in staged.columns[Column.SCHEDULED].items] == ["VTID-00002"]
    assert sum(urgent.counts.values()) == 1
    assert sum(red.counts.values()) == 1
    assert [card.vtid for card in red.columns[Column.NEEDS_YOU].items] == [VTID]


@pytest.mark.parametrize("few", [0, 2, 300])
async def test_a_word_with_other_filters_finds_the_same_whether_few_have_it_or_many(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("vtid.ledger.board.FEW", few)
    for number in range(1, 6):
        await task(ledger, f"VTID-{number:05d}", title=f"Round {number}", priority=1 + number % 2)
    await task(ledger, "VTID-00006", title="Sort names", priority=1)
    await (await started(ledger)).blocks()

    urgent = await ledger.board.read(TaskFilter(q="ROUND", priority=1), limit=1)
    blocked = await ledger.board.read(TaskFilter(q="1227", code="CHECKS_FAILED"))
    other = await ledger.board.read(TaskFilter(q="round", statuses=(TaskStatus.BLOCKED,)))

    scheduled = urgent.columns[Column.SCHEDULED]
    following, _ = await ledger.board.cards(
        TaskFilter(q="ROUND", priority=1), limit=5, cursor=scheduled.next_cursor
    )
    assert urgent.counts[TaskStatus.ALLOCATED] == sum(urgent.counts.values()) == 2
    assert [card.vtid for card in (*scheduled.items, *following.items)] == ["VTID-00004", "VTID-00002"]
    assert [card.vtid for card in blocked.columns[Column.NEEDS_YOU].items] == [VTID]
    assert sum(other.counts.values()) == 0


@pytest.mark.parametrize("sort", SORTS)
async def test_pages_of_every_order_follow_each_other_without_gaps(ledger: Ledger, sort: str) -> None:
    for number in (2, 1, 3, 5, 4):
        await task(ledger, f"VTID-{number:05d}", priority=1 + number % 2)

    seen, cursor = [], None
    while True:
        page, _ = await ledger.board.cards(TaskFilter(), sort=sort, limit=2, cursor=cursor)
        seen += [card.vtid for card in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert sorted(seen) == [f"VTID-{number:05d}" for number in range(1, 6)]
    assert sort != "vtid" or seen == sorted(seen)
    assert sort != "priority" or seen == [
        "VTID-00002",
        "VTID-00004",
        "VTID-00001",
        "VTID-00003",
        "VTID-00005",
    ]


async def test_a_cursor_of_another_order_is_refused(ledger: Ledger) -> None:
    for number in (1, 2):
        await task(ledger, f"VTID-{number:05d}")
    page, _ = await ledger.board.cards(TaskFilter(), sort="vtid", limit=1)

    with pytest.raises(Refusal, match="in the order created"):
        await ledger.board.cards(TaskFilter(), sort="created", limit=1, cursor=page.next_cursor)


async def test_a_tasks_position_is_that_of_its_newest_event(ledger: Ledger) -> None:
    before = await approved(ledger)
    await task(ledger, "VTID-00002")
    course = await started(ledger, "VTID-00003", "start-3", "run-3")
    await course.works()

    events = await ledger.events.read()
    newest = {event.vtid: event.position for event in events}
    page, position = await ledger.board.cards(TaskFilter())

    assert {card.vtid: card.position for card in page.items} == newest
    assert (await ledger.tasks.get(VTID)).position == before.position == newest[VTID]
    assert position == events[-1].position
