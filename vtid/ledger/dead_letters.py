"""Dead letters: the blocked runs that wait for a person. Runs' events write them (consequences.py)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from vtid.domain.events import RunEvent
from vtid.domain.fold import fold_all
from vtid.domain.side_effects import EFFECTS, side_effects
from vtid.domain.view import RunView
from vtid.ledger.codec import view_from_json
from vtid.ledger.database import Database
from vtid.ledger.errors import Unknown
from vtid.ledger.event_log import run_event
from vtid.ledger.models import DeadLetter, Event, Run
from vtid.ledger.paging import page_of, page_query
from vtid.ledger.records import DeadLetterRecord, Page
from vtid.ledger.rows import dead_letter_record

_Row = tuple[DeadLetter, Run]


@dataclass(frozen=True)
class Wanted:
    """Which dead letters are meant; None means any. `ids` are the letters' own."""

    state: str | None = "open"
    code: str | None = None
    stage: str | None = None
    environment: str | None = None
    ids: tuple[str, ...] | None = None

    def query(self) -> Select[DeadLetter, Run]:
        query = select(DeadLetter, Run).join(Run, Run.start_id == DeadLetter.start_id)
        for column, value in (
            (DeadLetter.state, self.state),
            (DeadLetter.code, self.code),
            (DeadLetter.stage, self.stage),
            (Run.environment, self.environment),
        ):
            if value is not None:
                query = query.where(column == value)
        return query if self.ids is None else query.where(DeadLetter.id.in_(self.ids))


class DeadLetters:
    """Reading the dead letters."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self, wanted: Wanted, *, limit: int = 50, cursor: str | None = None
    ) -> Page[DeadLetterRecord]:
        """A page, newest first."""
        query = page_query(wanted.query(), DeadLetter.since, DeadLetter.id, limit, cursor)
        async with self._database.read() as session:
            rows = [(letter, run) for letter, run in await session.execute(query)]
            records = await _records(session, rows[:limit])
        page = page_of(rows, limit, lambda row: (row[0].since, row[0].id), lambda row: row)
        return Page(records, page.next_cursor)

    async def oldest(self, wanted: Wanted, limit: int) -> tuple[Sequence[DeadLetterRecord], int]:
        """The longest waiting ones, at most `limit`, and how many there are in all."""
        query = wanted.query()
        async with self._database.read() as session:
            number = await session.scalar(select(func.count()).select_from(query.subquery()))
            rows = await session.execute(query.order_by(DeadLetter.since, DeadLetter.id).limit(limit))
            return await _records(session, [(letter, run) for letter, run in rows]), number or 0

    async def get(self, id_or_vtid: str) -> DeadLetterRecord:
        """The dead letter of this id, or the newest of this task. Raises Unknown."""
        query = (
            Wanted(state=None)
            .query()
            .where(or_(DeadLetter.id == id_or_vtid, DeadLetter.vtid == id_or_vtid))
            .order_by(DeadLetter.since.desc(), DeadLetter.id.desc())
            .limit(1)
        )
        async with self._database.read() as session:
            row = (await session.execute(query)).first()
            if row is None:
                raise Unknown(f"dead letter {id_or_vtid}")
            return (await _records(session, [(row[0], row[1])]))[0]


async def _records(session: AsyncSession, rows: Sequence[_Row]) -> list[DeadLetterRecord]:
    events = await _events(session, rows)
    return [_record(letter, run, events.get(letter.run_id, ())) for letter, run in rows]


async def _events(session: AsyncSession, rows: Sequence[_Row]) -> dict[str, list[RunEvent]]:
    """What is needed of the runs' events: all of a run that went on, else only its side effects."""
    gone_on = [letter.run_id for letter, _ in rows if letter.state != "open"]
    query = (
        select(Event)
        .where(Event.run_id.in_({letter.run_id for letter, _ in rows}))
        .where(or_(Event.type.in_(EFFECTS), Event.run_id.in_(gone_on)))
        .order_by(Event.run_id, Event.seq)
    )
    events: dict[str, list[RunEvent]] = {}
    for row in (await session.scalars(query)).all() if rows else ():
        events.setdefault(row.run_id or "", []).append(run_event(row))
    return events


def _record(letter: DeadLetter, run: Run, events: Iterable[RunEvent]) -> DeadLetterRecord:
    seq = int(letter.id.rpartition(":")[2])
    until_then = [event for event in events if event.seq <= seq]
    if letter.state == "open":
        view = view_from_json(run.view)
    else:
        view = fold_all(RunView(letter.vtid, letter.run_id), until_then)
    return dead_letter_record(letter, run, view, side_effects(until_then))
