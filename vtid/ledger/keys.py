"""API keys: only a hash of each secret is kept."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, or_, select, update

from vtid.ledger.database import Database, insert_into
from vtid.ledger.errors import Refusal, Unknown
from vtid.ledger.models import ApiKey
from vtid.ledger.records import KeyRecord
from vtid.ledger.rows import key_record

_SECRET_BYTES = 32
_USE_WRITTEN_EVERY = timedelta(minutes=1)


class Keys:
    """Making, finding and revoking API keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, *, name: str, role: str, expires_at: datetime | None = None, secret: str | None = None
    ) -> str:
        """Make a key and return its secret, which cannot be read again. Raises Refusal when the name is taken."""
        secret = secret or secrets.token_urlsafe(_SECRET_BYTES)
        row = {
            "name": name,
            "role": role,
            "secret_hash": _hash(secret),
            "created_at": datetime.now(UTC),
            "expires_at": expires_at,
        }
        async with self._database.write() as session:
            insert = insert_into(session, ApiKey.__table__).values(row).on_conflict_do_nothing()
            if (await session.execute(insert.returning(ApiKey.name))).first() is None:
                raise Refusal(
                    "ILLEGAL_TRANSITION", f"a key of the name {name} (or this secret) exists already"
                )
        return secret

    async def find(self, secret: str) -> KeyRecord | None:
        """The key of this secret, or None when there is none or it has expired."""
        now = datetime.now(UTC)
        query = select(ApiKey).where(ApiKey.secret_hash == _hash(secret))
        query = query.where(or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now))
        async with self._database.read() as session:
            row = await session.scalar(query)
        if row is None:
            return None
        if row.last_used_at is None or now - row.last_used_at > _USE_WRITTEN_EVERY:
            async with self._database.write() as session:
                await session.execute(update(ApiKey).where(ApiKey.name == row.name).values(last_used_at=now))
        return key_record(row)

    async def list(self) -> list[KeyRecord]:
        """Every key by name."""
        async with self._database.read() as session:
            return [
                key_record(row) for row in (await session.scalars(select(ApiKey).order_by(ApiKey.name))).all()
            ]

    async def revoke(self, name: str) -> None:
        """Forget the key: it opens nothing from now on. Raises Unknown."""
        async with self._database.write() as session:
            gone = await session.execute(delete(ApiKey).where(ApiKey.name == name).returning(ApiKey.name))
            if gone.first() is None:
                raise Unknown(f"key {name}")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
