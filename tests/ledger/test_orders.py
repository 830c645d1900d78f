import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.ledger.builders import NOON, VTID, WORKER, offer, started
from vtid.domain.commands.work_orders import Workers
from vtid.ledger import Ledger, Refusal, Unknown


async def claimed(ledger: Ledger, order_id: str, worker: str) -> None:
    await ledger.orders.claimed(order_id, worker=worker, attempt=1, mode="attended", opened_at=NOON)


async def state_of(ledger: Ledger, order_id: str = "order-1") -> str:
    return (await ledger.orders.get(order_id)).state


async def test_an_order_is_offered_once_however_often_it_is_tried(ledger: Ledger) -> None:
    for _ in range(3):
        await ledger.orders.offer(offer())

    (order,) = await ledger.orders.claimable()
    assert order.command == offer()


async def test_a_withdrawn_order_is_not_opened_again(ledger: Ledger) -> None:
    await ledger.orders.offer(offer())
    await ledger.orders.withdraw("order-1", "nobody came")

    await ledger.orders.offer(offer())

    assert await ledger.orders.claimable() == []
    assert (await ledger.orders.get("order-1")).ended_reason == "nobody came"


async def test_exactly_one_of_many_workers_wins_the_mark(url: str, ledger: Ledger) -> None:
    await ledger.orders.offer(offer())
    other = await Ledger.open(url)

    doors = [ledger, other] * 10
    wins = await asyncio.gather(*(door.orders.mark("order-1", f"w{n}", 30) for n, door in enumerate(doors)))
    await other.close()

    assert wins.count(True) == 1


async def test_the_winner_may_mark_again_and_a_mark_runs_out(ledger: Ledger) -> None:
    await ledger.orders.offer(offer())

    assert await ledger.orders.mark("order-1", "w1", 30)
    assert await ledger.orders.mark("order-1", "w1", -1)
    assert await ledger.orders.mark("order-1", "w2", 30)
    assert not await ledger.orders.mark("order-1", "w1", 30)


async def test_a_marked_order_is_not_shown_until_the_mark_is_given_back(ledger: Ledger) -> None:
    await ledger.orders.offer(offer())
    await ledger.orders.mark("order-1", "w1", 30)
    assert await ledger.orders.claimable() == []

    await ledger.orders.unmark("order-1", "w2")
    assert await ledger.orders.claimable() == []

    await ledger.orders.unmark("order-1", "w1")
    assert len(await ledger.orders.claimable()) == 1


async def test_urgent_orders_come_first_then_old_ones(ledger: Ledger) -> None:
    for name, priority in (("a", 3), ("b", 1), ("c", 3)):
        await ledger.orders.offer(offer(name, priority=priority))

    assert [order.order_id for order in await ledger.orders.claimable()] == ["b", "a", "c"]
    assert [order.order_id for order in await ledger.orders.claimable(limit=1)] == ["b"]
    assert await ledger.orders.claimable(vtid="VTID-00404") == []


async def test_a_claimed_order_belongs_to_its_worker(ledger: Ledger) -> None:
    await ledger.orders.offer(offer())
    await claimed(ledger, "order-1", "w1")
    await claimed(ledger, "order-1", "w1")

    with pytest.raises(Refusal) as refusal:
        await claimed(ledger, "order-1", "w2")

    assert refusal.value.code == "ALREADY_CLAIMED"
    holder = await ledger.orders.holder(VTID)
    assert holder is not None
    assert (holder.worker, holder.lease_opened_at) == ("w1", NOON)
    assert [order.order_id for order in await ledger.orders.held_by("w1", vtid=VTID)] == ["order-1"]
    assert not await ledger.orders.mark("order-1", "w2", 30)


async def test_the_claim_is_known_from_the_event_alone(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.is_claimed()

    order = await ledger.orders.get("order-1")
    assert (order.state, order.worker, order.lease_opened_at) == ("claimed", "w1", None)

    await claimed(ledger, "order-1", "w1")
    assert (await ledger.orders.get("order-1")).lease_opened_at == NOON


async def test_a_lost_attempt_ends_its_order(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.is_claimed()

    await course.tell(("attempt.ended", WORKER, {"attempt": 1, "worker": "w1", "code": "WORKER_LOST"}))

    assert (await ledger.orders.get("order-1")).ended_reason == "WORKER_LOST"
    assert await ledger.orders.holder(VTID) is None


async def test_evidence_ends_the_order(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.is_claimed()

    await course.tell(("evidence.observed", WORKER, {"source": "handed_in", "pull_request": {"url": "u"}}))

    assert await state_of(ledger) == "ended"


async def test_a_claim_that_arrives_after_the_end_does_not_open_the_order_again(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.is_claimed()
    await course.tell(("attempt.ended", WORKER, {"attempt": 1, "worker": "w1", "code": "WORKER_LOST"}))

    await claimed(ledger, "order-1", "w1")

    assert await state_of(ledger) == "ended"


async def test_life_and_progress_are_two_clocks(ledger: Ledger) -> None:
    await ledger.orders.offer(offer())
    await claimed(ledger, "order-1", "w1")

    await ledger.orders.beat("order-1", progressed=False)
    quiet = await ledger.orders.progress("order-1")
    await ledger.orders.beat("order-1", progressed=True, progress={"files": 3})
    moving = await ledger.orders.progress("order-1")

    assert quiet.last_progress_at == NOON
    assert quiet.last_beat_at is not None
    assert moving.last_progress_at is not None
    assert moving.last_progress_at >= quiet.last_beat_at != NOON
    assert (await ledger.orders.get("order-1")).progress == {"files": 3}


async def test_an_unknown_order_has_no_clocks(ledger: Ledger) -> None:
    with pytest.raises(Unknown, match="work order nothing"):
        await ledger.orders.progress("nothing")
    with pytest.raises(Unknown):
        await ledger.orders.beat("nothing", progressed=True)


async def test_workers_are_free_or_busy(ledger: Ledger) -> None:
    for worker in ("w1", "w2", "w1"):
        await ledger.workers.seen(worker)
    await ledger.orders.offer(offer())
    await claimed(ledger, "order-1", "w1")

    assert await ledger.orders.workers(60) == Workers(free=1, busy=1)
    assert await ledger.orders.workers(-1) == Workers(free=0, busy=1)
    there = {each.worker_id: each.holding for each in await ledger.workers.list(seen_within_seconds=60)}
    assert there == {"w1": "order-1", "w2": None}
    told = [each.data["worker"] for each in await ledger.events.read() if each.type == "worker.seen"]
    assert told == ["w1", "w2"]


async def test_what_workers_say_is_kept_once_and_late_evidence_is_told(ledger: Ledger) -> None:
    async def say(url: str, *, accepted: bool) -> bool:
        return await ledger.orders.keep_claim(
            order_id="order-1", vtid=VTID, run_id="run-1", attempt=1, worker="w1", kind="evidence",
            payload={"pr_url": url}, accepted=accepted, reason=None if accepted else "LEASE_LOST",
        )  # fmt: skip

    await say("https://github.com/acme/shop/pull/1", accepted=False)
    await say("https://github.com/acme/shop/pull/2", accepted=False)
    await say("https://github.com/acme/shop/pull/1", accepted=False)
    await say("https://github.com/acme/shop/pull/3", accepted=True)
    repeated = [
        await say(f"https://github.com/acme/shop/pull/{number}", accepted=again)
        for number, again in ((1, True), (3, False))
    ]

    assert repeated == [False, True]
    late = [each.data["pr_url"][-1] for each in await ledger.events.read() if each.type == "claim.late"]
    assert late == ["1", "2"]
    assert [url[-1] for url in await ledger.orders.late_claims("run-1")] == ["2", "1"]


async def test_ending_an_order_by_hand_is_harmless_to_repeat(ledger: Ledger) -> None:
    await ledger.orders.offer(offer())

    await ledger.orders.ended("order-1", "released")
    await ledger.orders.ended("order-1", "again")

    order = await ledger.orders.get("order-1")
    assert (order.state, order.ended_reason) == ("ended", "released")
    assert order.created_at - datetime.now(UTC) < timedelta(seconds=5)
