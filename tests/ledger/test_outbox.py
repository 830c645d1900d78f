"""The outbox: each event once to each subscription, and every try kept."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from tests.ledger.builders import DEPLOY, VALIDATOR, VTID, failure, started
from vtid.domain.notifications import PAUSES, SUBSCRIBABLE, Answer
from vtid.ledger import Ledger, Refusal, Unknown
from vtid.ledger.database import Database
from vtid.ledger.models import Outgoing
from vtid.ledger.records import OutboxBacklog, OutgoingRecord, SubscriptionRecord

HOLD = timedelta(seconds=60)
GOOD, BAD = Answer(200, excerpt="ok", seconds=0.25), Answer(500, "answered 500")


async def subscribed(ledger: Ledger, name: str = "on-call", **fields: Any) -> SubscriptionRecord:
    defaults: dict[str, Any] = {
        "name": name, "url": "https://example.com/hook", "format": "standard", "kinds": SUBSCRIBABLE,
        "environments": (), "fingerprint": "f", "by": "ann",
    }  # fmt: skip
    return await ledger.subscriptions.create(f"sub_{name}", **(defaults | fields))


async def log(ledger: Ledger, **wanted: Any) -> list[OutgoingRecord]:
    return (await ledger.outbox.list(**wanted)).items


async def blocked(ledger: Ledger) -> OutgoingRecord:
    """A subscription, a blocked run, and the delivery that tells of it."""
    await subscribed(ledger)
    await (await started(ledger)).blocks()
    await ledger.outbox.collect("https://vtid.example")
    (made,) = await log(ledger)
    return made


async def due_again(database: Database) -> None:
    """Time passes until every pending try is due."""
    async with database.write() as session:
        late = datetime.now(UTC) - timedelta(seconds=1)
        await session.execute(update(Outgoing).where(Outgoing.state == "pending").values(next_at=late))


async def test_a_blocked_run_is_told_once_however_often_and_by_how_many_it_is_collected(
    ledger: Ledger,
) -> None:
    await subscribed(ledger)
    await subscribed(ledger, "boss", kinds=("run.completed",))
    await (await started(ledger)).blocks()

    await asyncio.gather(*(ledger.outbox.collect() for _ in range(4)))
    await ledger.outbox.collect()

    (made,) = await log(ledger)
    assert (made.subscription, made.kind, made.vtid, made.state) == (
        "on-call",
        "run.blocked",
        VTID,
        "pending",
    )


async def test_a_message_carries_the_run_and_the_way_to_it(ledger: Ledger) -> None:
    made = await blocked(ledger)

    body = json.loads(made.body)
    assert body["type"] == "run.blocked"
    assert (body["data"]["title"], body["data"]["code"]) == ("A shop", "CHECKS_FAILED")
    assert body["data"]["links"]["page"] == f"https://vtid.example/#{VTID}"


async def test_only_what_happens_after_the_subscription_is_told(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.blocks()

    await subscribed(ledger)
    await ledger.outbox.collect()
    nothing = await log(ledger)
    await course.tell(("run.finished", DEPLOY, {"outcome": "failure", "status": "rejected"}))
    await ledger.outbox.collect()

    assert nothing == []
    assert [made.kind for made in await log(ledger)] == ["run.failed"]


async def test_a_run_of_another_environment_is_not_told(ledger: Ledger) -> None:
    await subscribed(ledger, environments=("staging",))
    await subscribed(ledger, "dev-team", environments=("dev",))
    await (await started(ledger)).blocks()

    await ledger.outbox.collect()

    assert [made.subscription for made in await log(ledger)] == ["dev-team"]


async def test_a_run_that_somebody_ends_in_temporal_is_told_as_failed(ledger: Ledger) -> None:
    await subscribed(ledger)
    await started(ledger)
    await ledger.runs.terminated("start-1", status="terminated", message="by hand")

    await ledger.outbox.collect()

    (made,) = await log(ledger)
    assert (made.kind, json.loads(made.body)["data"]["code"]) == ("run.failed", "ENGINE_TERMINATED")


async def test_a_due_delivery_is_given_to_one_sender_until_its_hold_ends(
    ledger: Ledger, database: Database
) -> None:
    made = await blocked(ledger)

    taken = await asyncio.gather(*(ledger.outbox.take(4, HOLD) for _ in range(4)))
    await due_again(database)  # the sender died
    (again,) = await ledger.outbox.take(4, HOLD)

    assert [each.delivery.id for group in taken for each in group] == [made.id]
    assert (again.delivery.id, again.subscription.url) == (made.id, "https://example.com/hook")


async def test_an_accepted_message_is_delivered_and_its_try_is_in_the_log(ledger: Ledger) -> None:
    made = await blocked(ledger)

    await ledger.outbox.tried(made.id, GOOD)

    record, tries = await ledger.outbox.get(made.id)
    assert (record.state, record.last_status, record.next_at) == ("delivered", 200, None)
    assert [(each.status, each.milliseconds, each.answer) for each in tries] == [(200, 250, "ok")]


async def test_a_failed_try_comes_back_after_its_pause(ledger: Ledger) -> None:
    made = await blocked(ledger)
    before = datetime.now(UTC)

    record = await ledger.outbox.tried(made.id, Answer(None, "no answer within 15 s"))

    assert record is not None
    assert (record.state, record.tries, record.last_error) == ("pending", 1, "no answer within 15 s")
    assert record.next_at is not None
    assert PAUSES[0] <= record.next_at - before < PAUSES[1]
    assert await ledger.outbox.take(4, HOLD) == []


async def test_when_every_try_failed_it_is_given_up_and_so_is_who_never_answered(ledger: Ledger) -> None:
    made = await blocked(ledger)

    for _ in range(len(PAUSES) + 1):
        await ledger.outbox.tried(made.id, BAD)

    record, tries = await ledger.outbox.get(made.id)
    assert (record.state, len(tries)) == ("failed", len(PAUSES) + 1)
    subscription = await ledger.subscriptions.get("on-call")
    assert (subscription.state, "every try failed" in subscription.reason) == ("disabled", True)
    told = [event.type for event in await ledger.events.read() if event.type.startswith("notification")]
    assert told == ["notification.given_up", "notification.disabled"]


async def test_one_message_that_is_refused_does_not_cost_a_subscription_that_takes_others(
    ledger: Ledger,
) -> None:
    made = await blocked(ledger)
    other = await ledger.outbox.test("sub_on-call", by="ann")
    await ledger.outbox.tried(other.id, GOOD)

    for _ in range(len(PAUSES) + 1):
        await ledger.outbox.tried(made.id, BAD)

    assert (await ledger.subscriptions.get("on-call")).state == "active"


async def test_who_is_gone_is_told_nothing_any_more(ledger: Ledger) -> None:
    made = await blocked(ledger)

    await ledger.outbox.tried(made.id, Answer(410, "answered 410"))

    assert (await ledger.outbox.get(made.id))[0].state == "failed"
    assert "410 Gone" in (await ledger.subscriptions.get("on-call")).reason


async def test_a_resend_is_the_same_message_with_a_fresh_schedule(ledger: Ledger) -> None:
    made = await blocked(ledger)
    await ledger.outbox.tried(made.id, GOOD)

    await ledger.outbox.resend(made.id)
    (due,) = await ledger.outbox.take(4, HOLD)

    assert (due.delivery.id, due.delivery.body, due.delivery.tries) == (made.id, made.body, 0)
    with pytest.raises(Unknown, match="delivery msg_404"):
        await ledger.outbox.resend("msg_404")


async def test_a_paused_subscription_hears_nothing_of_the_time_until_it_is_enabled(ledger: Ledger) -> None:
    await subscribed(ledger)
    await ledger.subscriptions.pause("on-call", "holidays")
    course = await started(ledger)
    await course.blocks()
    await ledger.outbox.collect()
    with pytest.raises(Refusal, match="paused; enable it first"):
        await ledger.outbox.test("sub_on-call", by="ann")

    await ledger.subscriptions.enable("on-call")
    await ledger.outbox.collect()
    nothing = await log(ledger)
    await course.tell(
        ("run.resumed", VALIDATOR, {"move": "retry", "by": "carl"}),
        ("run.blocked", VALIDATOR, {"failure": failure()}),
    )
    await ledger.outbox.collect()

    assert nothing == []
    assert len(await log(ledger)) == 1


async def test_what_was_pending_for_a_removed_subscription_is_cancelled_and_stays_in_the_log(
    ledger: Ledger,
) -> None:
    made = await blocked(ledger)

    await ledger.subscriptions.remove("on-call")
    await ledger.outbox.tried(made.id, BAD)

    record, tries = await ledger.outbox.get(made.id)
    assert (record.state, len(tries)) == ("cancelled", 1)
    assert await ledger.outbox.take(4, HOLD) == []
    with pytest.raises(Unknown):
        await ledger.outbox.resend(made.id)


async def test_two_subscriptions_of_one_name_are_refused(ledger: Ledger) -> None:
    await subscribed(ledger)
    await subscribed(ledger, "boss")

    with pytest.raises(Refusal, match="exists already"):
        await subscribed(ledger)
    with pytest.raises(Refusal, match="exists already"):
        await ledger.subscriptions.change("boss", name="on-call")


async def test_deliveries_are_found_by_what_they_are_about(ledger: Ledger) -> None:
    made = await blocked(ledger)

    for wanted, number in (
        ({"vtid": VTID}, 1), ({"vtid": "VTID-0002"}, 0), ({"state": "pending"}, 1), ({"state": "failed"}, 0),
        ({"kind": "run.blocked"}, 1), ({"subscription": made.subscription_id}, 1),
    ):  # fmt: skip
        assert len(await log(ledger, **wanted)) == number, wanted


async def test_what_ended_long_ago_is_forgotten(ledger: Ledger, database: Database) -> None:
    made = await blocked(ledger)
    await ledger.outbox.tried(made.id, GOOD)
    async with database.write() as session:
        await session.execute(update(Outgoing).values(ended_at=datetime.now(UTC) - timedelta(days=31)))

    await ledger.outbox.prune()

    assert await log(ledger) == []


async def test_a_backlog_counts_what_waits_and_since_when_nobody_has_it_on_the_way(
    ledger: Ledger, database: Database
) -> None:
    assert (await ledger.outbox.backlog()) == OutboxBacklog(0, None)
    await subscribed(ledger)
    run = await started(ledger)
    await run.blocks()

    unmade = await ledger.outbox.backlog()
    await ledger.outbox.collect()
    due = await ledger.outbox.backlog()
    await ledger.outbox.take(10, HOLD)
    under_way = await ledger.outbox.backlog()
    (made,) = await log(ledger)
    await due_again(database)
    dropped = await ledger.outbox.backlog()
    await ledger.outbox.tried(made.id, GOOD)

    assert unmade == OutboxBacklog(0, run.told[-1].at)
    assert due == OutboxBacklog(1, made.created_at)
    assert under_way == OutboxBacklog(1, None)
    assert dropped.due_since is not None
    assert (await ledger.outbox.backlog()) == OutboxBacklog(0, None)


async def test_a_subscription_that_is_disabled_waits_for_nothing(ledger: Ledger) -> None:
    made = await blocked(ledger)

    await ledger.subscriptions.disable(made.subscription_id, "it is gone")

    assert (await ledger.outbox.backlog()) == OutboxBacklog(0, None)
