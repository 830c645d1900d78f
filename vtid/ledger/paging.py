"""Keyset pages: a cursor names the last row seen, so rows that come or go never shift a page."""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar, TypeVarTuple

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
