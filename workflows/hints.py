"""Hints cut a poll short: the run looks at once, against the deadline that the poll had anyway."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception
from temporalio.workflow import ActivityHandle

from vtid.domain.limits import HINTS_A_WAIT

R = TypeVar("R")
_TOO_LATE = timedelta(seconds=1)  # before the deadline: another look would not fit any more


class LookAgain(Exception):
    """A hint cut this poll short; nothing else ended it."""


class Hints:
    """What a run has heard of the poll under way. A hint that meets no poll is nothing: each wait begins with a look."""

    def __init__(self) -> None:
        self._poll: ActivityHandle[Any] | None = None
        self._until: datetime | None = None
        self._left = 0
        self._cut = False

    def wait_begins(self) -> None:
        """A new wait may be cut short HINTS_A_WAIT times."""
        self._left = HINTS_A_WAIT

    def hear(self) -> None:
        """Cut the poll under way short, unless too many hints came or its deadline is here."""
        poll = self._poll
        in_time = self._until is None or workflow.now() + _TOO_LATE < self._until
        if poll is None or poll.done() or self._cut or not self._left or not in_time:
            return
        self._left -= 1
        self._cut = True
        poll.cancel()

    async def outcome_of(self, poll: ActivityHandle[R], until: datetime | None) -> R:
        """What the poll gives. Raises LookAgain when a hint cut it short."""
        self._poll, self._until, self._cut = poll, until, False
        try:
            return await poll
        except (ActivityError, asyncio.CancelledError) as error:  # the latter: cut before it was scheduled
            if self._cut and is_cancelled_exception(error) and not _is_cancelled():
                raise LookAgain from error
            raise
        finally:
            self._poll = None


def _is_cancelled() -> bool:
    """Whether the run itself was asked to end meanwhile, which a hint must not hide."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
