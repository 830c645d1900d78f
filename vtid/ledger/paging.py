"""Keyset pages: a cursor names the last row seen, so rows that come or go never shift a page."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, TypeVarTuple

from sqlalchemy import ColumnElement, Select, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from vtid.ledger.errors import Refusal
from vtid.ledger.models import UtcTime
from vtid.ledger.records import Page

LONGEST_PAGE = 200
Row = TypeVar("Row")
Item = TypeVar("Item")
Columns = TypeVarTuple("Columns")


def page_query(
    query: Select[*Columns],
    moment: InstrumentedAttribute[datetime],
    key: InstrumentedAttribute[str],
    limit: int,
    cursor: str | None,
) -> Select[*Columns]:
    """The query for one page, newest first, with one row more to see whether another page follows."""
    if cursor is not None:
        query = query.where(_older_than(cursor, moment, key))
    return query.order_by(moment.desc(), key.desc()).limit(bounded(limit) + 1)


def page_of(
    rows: Sequence[Row], limit: int, place: Callable[[Row], tuple[datetime, str]], make: Callable[[Row], Item]
) -> Page[Item]:
    """The page of these rows; `place` gives the moment and key that the query is ordered by."""
    kept = rows[: bounded(limit)]
    cursor = _write(*place(kept[-1])) if len(rows) > len(kept) else None
    return Page([make(row) for row in kept], cursor)


def bounded(limit: int) -> int:
    return max(1, min(limit, LONGEST_PAGE))


def _older_than(
    cursor: str, moment: InstrumentedAttribute[datetime], key: InstrumentedAttribute[str]
) -> ColumnElement[bool]:
    try:
        at, last = json.loads(base64.urlsafe_b64decode(cursor))
        moment_seen = datetime.fromisoformat(at)
        if moment_seen.tzinfo is None:
            raise ValueError("a time without a zone")
        place = (literal(moment_seen, UtcTime()), literal(str(last)))
    except (ValueError, TypeError) as error:
        raise Refusal("VALIDATION", "the cursor is not one that a page gave", actual=cursor[:200]) from error
    return tuple_(moment, key) < tuple_(*place)


def _write(moment: datetime, key: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([moment.isoformat(), key]).encode()).decode()


@dataclass(frozen=True)
class Ordering:
    """An order by name. The last column is unique; all of them go the same way, so that one comparison pages."""

    name: str
    columns: tuple[InstrumentedAttribute[Any], ...]
    descending: bool = False

    def page(self, query: Select[*Columns], limit: int, cursor: str | None) -> Select[*Columns]:
        """The query for one page, with one row more to see whether another page follows."""
        if cursor is not None:
            place = tuple_(*(literal(value, column.type) for value, column in self._read(cursor)))
            here = tuple_(*self.columns)
            query = query.where(here < place if self.descending else here > place)
        return self.ordered(query).limit(bounded(limit) + 1)

    def ordered(self, query: Select[*Columns]) -> Select[*Columns]:
        """The query in this order."""
        return query.order_by(
            *(column.desc() if self.descending else column.asc() for column in self.columns)
        )

    def cursor(self, row: Any) -> str:
        """The cursor that names this row."""
        values = [getattr(row, column.key) for column in self.columns]
        texts = [each.isoformat() if isinstance(each, datetime) else each for each in values]
        return base64.urlsafe_b64encode(json.dumps([self.name, *texts]).encode()).decode()

    def _read(self, cursor: str) -> list[tuple[Any, InstrumentedAttribute[Any]]]:
        try:
            name, *values = json.loads(base64.urlsafe_b64decode(cursor))
            if name != self.name:
                raise ValueError(f"a cursor of the order {name!r}")
            pairs = zip(values, self.columns, strict=True)
            return [(_value(value, column), column) for value, column in pairs]
        except (ValueError, TypeError) as error:
            raise Refusal(
                "VALIDATION", f"the cursor is not one that a page in the order {self.name} gave",
                actual=cursor[:200],
            ) from error  # fmt: skip


def _value(value: Any, column: InstrumentedAttribute[Any]) -> Any:
    """The value of a cursor in the column's terms. Raises ValueError, TypeError."""
    if isinstance(column.type, UtcTime):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a time without a zone")
        return moment
    wanted = column.type.python_type
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no {wanted.__name__}")
    return value
