"""The story of a run: its events, told once, folded at once, written in batches.

What is told here is what everybody sees: the ledger stores the events, Temporal's UI shows their fold.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from pydantic_core import to_jsonable_python
from temporalio import workflow
from temporalio.common import SearchAttributeKey

from activities.bookkeeping import Bookkeeping
from vtid.domain.commands.ledger import RecordEvents
from vtid.domain.commands.run import RunRequest
from vtid.domain.events import SYSTEM, RunEvent, tell_the_same
from vtid.domain.failures import Failure, RunStopped, failure_of
from vtid.domain.fold import fold
from vtid.domain.moment import moment
from vtid.domain.stages import Stage
from vtid.domain.task import TaskStatus
from vtid.domain.view import RunView, sentence
from workflows.perform import perform

STAGE = SearchAttributeKey.for_keyword("VtidStage")
STATE = SearchAttributeKey.for_keyword("VtidState")
FAILURE_CODE = SearchAttributeKey.for_keyword("VtidFailureCode")
ENVIRONMENT = SearchAttributeKey.for_keyword("VtidEnvironment")
REPOSITORY = SearchAttributeKey.for_keyword("VtidRepository")
NO_FAILURE = "none"

C = TypeVar("C")


class ToldOver(Exception):
    """The ledger has the end of this run already, as `view` shows it: nothing more may be done."""

    def __init__(self, view: RunView) -> None:
        super().__init__(sentence(view))
        self.view = view


class Story:
    """The journal of one run, seen from inside the run."""

    def __init__(self, request: RunRequest) -> None:
        info = workflow.info()
        self.view = RunView(vtid=request.vtid, run_id=info.run_id)
        self._request = request
        self._written = self.view  # the view as of the last event that the ledger has
        self._unwritten: list[tuple[RunEvent, RunView]] = []  # each with the view after it
        self._writing = asyncio.Lock()
        # The API starts the run with these; each upsert is an event of the history.
        self._shown = {
            STAGE: Stage.PLANNER.value,
            STATE: TaskStatus.SCHEDULED.value,
            FAILURE_CODE: NO_FAILURE,
        }

    @property
    def stage(self) -> Stage:
        return self.view.stage

    def tell(self, event_type: str, *, stage: Stage | None = None, actor: str = SYSTEM, **data: Any) -> None:
        """Add an event. It is folded now and written with the next `write`."""
        self._add(self._event(event_type, stage, actor, data))

    def as_if(self, event_type: str, **data: Any) -> RunView:
        """The view as this event would leave it; nothing is told."""
        return fold(self.view, self._event(event_type, None, SYSTEM, data))

    def failure(self, stop: RunStopped) -> Failure:
        """What this stop means, where the run stands now."""
        view = self.view
        return failure_of(stop, view.stage, view.of(view.stage).step, view.attempt, workflow.now())

    def _event(self, event_type: str, stage: Stage | None, actor: str, data: dict[str, Any]) -> RunEvent:
        return RunEvent(
            run_id=workflow.info().run_id,
            seq=self.view.seq + 1,
            vtid=self._request.vtid,
            type=event_type,
            at=workflow.now(),
            stage=stage or self.view.stage,
            actor=actor,
            data=to_jsonable_python(data),
        )

    def _add(self, event: RunEvent) -> None:
        self.view = fold(self.view, event)
        self._unwritten.append((event, self.view))

    async def write(self) -> None:
        """Bring all told events into the ledger. Returns when they are there; the run waits, visibly.

        Raises ToldOver when a task of this run that was lost has told there how the run ended.
        """
        self._show()
        async with self._writing:
            while self._unwritten:
                told = self._told()
                self._wrote(told, await perform(Bookkeeping.record_events, told, self._request.limits))

    async def write_with(
        self, step: Callable[[Any, C], Awaitable[tuple[RunEvent, ...]]], command: Callable[[RecordEvents], C]
    ) -> None:
        """Do a step of bookkeeping that takes the told events along. Raises what it and `write` raise."""
        self._show()
        async with self._writing:
            told = self._told()
            self._wrote(told, await perform(step, command(told), self._request.limits))
        await self.write()

    def _told(self) -> RecordEvents:
        events = tuple(event for event, _ in self._unwritten)
        return RecordEvents(self._request.vtid, workflow.info().run_id, self._request.start_id, events)

    def _wrote(self, told: RecordEvents, strays: tuple[RunEvent, ...]) -> None:
        if strays:
            self._go_on_after(strays)
        elif told.events:
            # Only now: a cancelled or failed write leaves the events for the next one.
            self._written = self._unwritten[len(told.events) - 1][1]
            del self._unwritten[: len(told.events)]

    def _go_on_after(self, strays: tuple[RunEvent, ...]) -> None:
        """A task that was lost had told other events, which readers have seen: they stand, and ours come after them.

        `write` runs before its workflow task is complete. Lost and done again, the task may take another course,
        since a message came meanwhile.
        """
        ours, mine = [event for event, _ in self._unwritten], self.view
        self.view, self._unwritten = self._written, []
        for event in (*(each for each in ours if each.seq < strays[0].seq), *strays):
            self.view = fold(self.view, event)
        self._written = self.view
        if self.view.outcome is not None and self.view.outcome != mine.outcome:
            raise ToldOver(self.view)
        untold = list(strays)
        for event in (each for each in ours if each.seq >= strays[0].seq):
            told = next((stray for stray in untold if tell_the_same(event, stray)), None)
            if told is None:
                self._add(replace(event, seq=self.view.seq + 1))
            else:
                untold.remove(told)
        self.tell(
            "run.retold", stage=mine.stage, strays=[stray.seq for stray in untold], view=replace(mine, seq=0)
        )

    def _show(self) -> None:
        """The same state in Temporal's own UI: one sentence, and what ops filter by."""
        view = self.view
        links = "".join(f"\n- {name}: {url}" for name, url in view.links.items())
        workflow.set_current_details(f"**{view.vtid}** {sentence(view)}{links}")
        code = str(view.failure["code"]) if view.failure else NO_FAILURE
        shown = {STAGE: view.stage.value, STATE: view.status.value, FAILURE_CODE: code}
        # Each upsert is an event of the history: admission alone is shown with the stage that follows it.
        if shown == self._shown or (view.stage is Stage.PLANNER and view.status is TaskStatus.IN_PROGRESS):
            return
        changed = [key.value_set(value) for key, value in shown.items() if self._shown[key] != value]
        self._shown = shown
        workflow.upsert_search_attributes(changed)


def waiting(what: str, until: datetime | None, who: str) -> dict[str, Any]:
    """The sentence of a wait: what for, since when, until when, and who can move it."""
    now = workflow.now()
    return {"for": what, "since": moment(now), "until": moment(until) if until else None, "who": who}
