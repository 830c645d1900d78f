"""The story of a run: its events, told once, folded at once, written in batches.

What is told here is what everybody sees: the ledger stores the events, Temporal's UI shows their fold.
"""

import asyncio
from datetime import datetime
from typing import Any

from pydantic_core import to_jsonable_python
from temporalio import workflow
from temporalio.common import SearchAttributeKey

from activities.bookkeeping import Bookkeeping
from vtid.domain.commands import RecordEvents, RunRequest
from vtid.domain.events import SYSTEM, RunEvent
from vtid.domain.stages import Stage
from vtid.domain.task import TaskStatus
from vtid.domain.view import RunView, fold, sentence
from workflows.perform import perform

STAGE = SearchAttributeKey.for_keyword("VtidStage")
STATE = SearchAttributeKey.for_keyword("VtidState")
FAILURE_CODE = SearchAttributeKey.for_keyword("VtidFailureCode")
ENVIRONMENT = SearchAttributeKey.for_keyword("VtidEnvironment")
REPOSITORY = SearchAttributeKey.for_keyword("VtidRepository")
NO_FAILURE = "none"


class Story:
    """The journal of one run, seen from inside the run."""

    def __init__(self, request: RunRequest) -> None:
        info = workflow.info()
        self.view = RunView(vtid=request.vtid, run_id=info.run_id)
        self._request = request
        self._unwritten: list[RunEvent] = []
        self._writing = asyncio.Lock()
        # The API starts the run with these; each upsert is an event of the history.
        self._shown = (Stage.PLANNER.value, TaskStatus.SCHEDULED.value, NO_FAILURE)

    @property
    def stage(self) -> Stage:
        return self.view.stage

    def tell(self, event_type: str, *, stage: Stage | None = None, actor: str = SYSTEM, **data: Any) -> None:
        """Add an event. It is folded now and written with the next `write`."""
        event = self._event(event_type, stage, actor, data)
        self.view = fold(self.view, event)
        self._unwritten.append(event)

    def as_if(self, event_type: str, **data: Any) -> RunView:
        """The view as this event would leave it; nothing is told."""
        return fold(self.view, self._event(event_type, None, SYSTEM, data))

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

    async def write(self) -> None:
        """Bring all told events into the ledger. Returns when they are there; the run waits, visibly."""
        self._show()
        async with self._writing:
            while self._unwritten:
                batch = tuple(self._unwritten)
                command = RecordEvents(
                    self._request.vtid, workflow.info().run_id, self._request.start_id, batch
                )
                await perform(Bookkeeping.record_events, command, self._request.limits)
                # Only now: a cancelled or failed write leaves the events for the next one.
                del self._unwritten[: len(batch)]

    def _show(self) -> None:
        """The same state in Temporal's own UI: one sentence, and what ops filter by."""
        view = self.view
        links = "".join(f"\n- {name}: {url}" for name, url in view.links.items())
        workflow.set_current_details(f"**{view.vtid}** {sentence(view)}{links}")
        code = str(view.failure["code"]) if view.failure else NO_FAILURE
        shown = (view.stage.value, view.status.value, code)
        # Each upsert is an event of the history: admission alone is shown with the stage that follows it.
        if shown == self._shown or (view.stage is Stage.PLANNER and view.status is TaskStatus.IN_PROGRESS):
            return
        self._shown = shown
        workflow.upsert_search_attributes(
            [STAGE.value_set(shown[0]), STATE.value_set(shown[1]), FAILURE_CODE.value_set(shown[2])]
        )


def waiting(what: str, until: datetime | None, who: str) -> dict[str, Any]:
    """The sentence of a wait: what for, since when, until when, and who can move it."""
    now = workflow.now()
    return {"for": what, "since": now.isoformat(), "until": until.isoformat() if until else None, "who": who}
