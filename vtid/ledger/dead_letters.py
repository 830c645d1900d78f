"""Dead letters: the blocked runs that wait for a person. Runs' events write them (consequences.py)."""

from sqlalchemy import or_, select

from vtid.ledger.database import Database
from vtid.ledger.errors import Unknown
from vtid.ledger.models import DeadLetter
from vtid.ledger.paging import page_of, page_query
from vtid.ledger.records import DeadLetterRecord, Page
from vtid.ledger.rows import dead_letter_record


class DeadLetters:
    """Reading the dead letters."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self,
        *,
        state: str | None = "open",
        code: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[DeadLetterRecord]:
        """A page, newest first; `state` None gives the resolved ones too."""
        query = select(DeadLetter)
        if state is not None:
            query = query.where(DeadLetter.state == state)
        if code is not None:
            query = query.where(DeadLetter.code == code)
        query = page_query(query, DeadLetter.since, DeadLetter.id, limit, cursor)
        async with self._database.read() as session:
            rows = (await session.scalars(query)).all()
        return page_of(rows, limit, lambda row: (row.since, row.id), dead_letter_record)

    async def get(self, id_or_vtid: str) -> DeadLetterRecord:
        """The dead letter of this id, or the newest of this task. Raises Unknown."""
        query = (
            select(DeadLetter)
            .where(or_(DeadLetter.id == id_or_vtid, DeadLetter.vtid == id_or_vtid))
            .order_by(DeadLetter.since.desc(), DeadLetter.id.desc())
            .limit(1)
        )
        async with self._database.read() as session:
            row = await session.scalar(query)
        if row is None:
            raise Unknown(f"dead letter {id_or_vtid}")
        return dead_letter_record(row)
