"""Idempotency keys: the same call again gets the same answer and does nothing."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, update

from vtid.ledger.database import Database, insert_into
from vtid.ledger.errors import Refusal
from vtid.ledger.models import IdempotencyKey
from vtid.ledger.records import StoredAnswer

KEPT_FOR = timedelta(hours=24)
TAKEN_OVER_AFTER = timedelta(seconds=60)  # the first call died without an answer


class Idempotency:
    """The answers that were given, by key and principal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, key: str, principal: str, request_hash: str) -> StoredAnswer | None:
        """None: the call is ours to do, then `finish` or `forget` it. Otherwise the answer of the first time.

        Raises Refusal IDEMPOTENCY_REUSED for another body, and ILLEGAL_TRANSITION while the first call runs.
        """
        now = datetime.now(UTC)
        mine = {"key": key, "principal": principal, "request_hash": request_hash, "begun_at": now}
        async with self._database.write() as session:
            await session.execute(delete(IdempotencyKey).where(IdempotencyKey.begun_at < now - KEPT_FOR))
            insert = insert_into(session, IdempotencyKey.__table__).values(mine).on_conflict_do_nothing()
            if (await session.execute(insert.returning(IdempotencyKey.key))).first() is not None:
                return None
            row = await session.get_one(IdempotencyKey, (key, principal), with_for_update=True)
            if row.request_hash != request_hash:
                raise Refusal("IDEMPOTENCY_REUSED", "this Idempotency-Key was used with another body")
            if row.status is not None:
                return StoredAnswer(row.status, row.body or "", row.headers or {})
            if now - row.begun_at < TAKEN_OVER_AFTER:
                raise Refusal(
                    "ILLEGAL_TRANSITION",
                    "the first call with this Idempotency-Key is still in progress",
                    actual="in_progress",
                )
            row.begun_at = now
            return None

    async def finish(self, key: str, principal: str, status: int, body: str, headers: dict[str, str]) -> None:
        """Keep the answer for 24 hours."""
        change = update(IdempotencyKey).where(
            IdempotencyKey.key == key, IdempotencyKey.principal == principal
        )
        async with self._database.write() as session:
            await session.execute(change.values(status=status, body=body, headers=headers))

    async def forget(self, key: str, principal: str) -> None:
        """The call failed on our side: the same key may be tried again."""
        async with self._database.write() as session:
            await session.execute(
                delete(IdempotencyKey).where(IdempotencyKey.key == key, IdempotencyKey.principal == principal)
            )
