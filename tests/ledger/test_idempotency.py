import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from vtid.ledger import Ledger, Refusal
from vtid.ledger.database import Database
from vtid.ledger.models import IdempotencyKey
from vtid.ledger.records import StoredAnswer


async def begin(ledger: Ledger, body: str = "hash") -> StoredAnswer | None:
    return await ledger.idempotency.begin("key", "ann", body)


async def grow_old(database: Database, age: timedelta) -> None:
    async with database.write() as session:
        await session.execute(update(IdempotencyKey).values(begun_at=datetime.now(UTC) - age))


async def test_the_second_call_gets_the_first_answer(ledger: Ledger) -> None:
    assert await begin(ledger) is None
    await ledger.idempotency.finish("key", "ann", 202, '{"vtid":"VTID-01227"}', {"location": "/runs"})

    assert await begin(ledger) == StoredAnswer(202, '{"vtid":"VTID-01227"}', {"location": "/runs"})
    assert await ledger.idempotency.begin("key", "bob", "hash") is None


async def test_only_one_of_many_equal_calls_is_carried_out(ledger: Ledger) -> None:
    answers = await asyncio.gather(*(begin(ledger) for _ in range(6)), return_exceptions=True)

    assert answers.count(None) == 1
    refused = [each for each in answers if isinstance(each, Refusal)]
    assert len(refused) == 5
    assert "in progress" in refused[0].message


async def test_another_body_under_the_same_key_is_refused(ledger: Ledger) -> None:
    await begin(ledger)

    with pytest.raises(Refusal) as refusal:
        await begin(ledger, "other")

    assert refusal.value.code == "IDEMPOTENCY_REUSED"


async def test_a_call_that_failed_on_our_side_may_be_tried_again(ledger: Ledger) -> None:
    await begin(ledger)
    await ledger.idempotency.forget("key", "ann")

    assert await begin(ledger) is None


async def test_a_call_that_died_is_taken_over_after_a_minute(ledger: Ledger, database: Database) -> None:
    await begin(ledger)
    await grow_old(database, timedelta(seconds=61))

    assert await begin(ledger) is None


async def test_an_answer_is_forgotten_after_a_day(ledger: Ledger, database: Database) -> None:
    await begin(ledger)
    await ledger.idempotency.finish("key", "ann", 200, "", {})
    await grow_old(database, timedelta(hours=25))

    assert await begin(ledger, "other") is None
