"""Sorting of foreign answers into the errors of vtid.domain.errors: by one question, can a later try help?"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from vtid.domain.errors import BadReply, Conflict, Denied, Missing, OutsideError, Refused, Unavailable
from vtid.domain.secret_shapes import masked

MAX_TEXT = 500  # characters of a foreign message that are kept
LONGEST_PAUSE = timedelta(hours=1)  # GitHub's own longest; a larger wish is a garbled one

_DENIED = {401, 403, 407}
_MISSING = {404, 410, 451}
_CONFLICT = {405, 409, 412, 422}
_PASSING = {408, 425, 429}


def error_of_status(
    system: str, status: int, message: str, *, retry_after: timedelta | None = None
) -> OutsideError:
    """The error that an HTTP status other than 2xx means, where nothing more is known."""
    text = f"{system} answered {status}: {shortened(message)}"
    if status >= 500 or status in _PASSING:
        return Unavailable(system, text, status=status, retry_after=retry_after)
    if status in _DENIED:
        return Denied(system, text, status=status)
    if status in _MISSING:
        return Missing(system, text, status=status)
    if status in _CONFLICT:
        return Conflict(system, text, status=status)
    return Refused(system, text, status=status)


def shortened(text: str) -> str:
    """One line of bounded length, without secret-looking values."""
    line = " ".join(masked(text).split())
    return line if len(line) <= MAX_TEXT else f"{line[:MAX_TEXT]}…"


def pause_asked_for(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """What `Retry-After` (seconds or a date) asks for, between zero and an hour; None when it does not."""
    wish = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", wish):
        return min(timedelta(seconds=int(wish)), LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(wish)
    except ValueError:
        return None
    return pause_until(moment if moment.tzinfo else moment.replace(tzinfo=UTC), now)


def pause_until(moment: datetime, now: datetime) -> timedelta:
    return min(max(moment - now, timedelta()), LONGEST_PAUSE)


@contextmanager
def reading(system: str, what: str) -> Iterator[None]:
    """Around the reading of an answer: well-formed, but not what was promised, is a BadReply."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as cause:
        text = f"{system}: {what} cannot be read: {type(cause).__name__} {shortened(str(cause))}"
        raise BadReply(system, text) from cause
