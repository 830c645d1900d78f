"""Starting a run: first the ledger's row, then Temporal, then the row again. A crash in between is mended."""

from dataclasses import replace
from uuid import uuid4

from api.engine import Engine, IdTaken
from api.problems import Problem
from vtid.domain.commands.run import RunRequest
from vtid.domain.environment import Environment
from vtid.domain.limits import carried
from vtid.ledger import Ledger, Refusal
from vtid.ledger.codec import request_from_json
from vtid.ledger.records import RunRecord, TaskRecord


class Starts:
    """The one way in which runs begin."""

    def __init__(
        self,
        ledger: Ledger,
        engine: Engine,
        environments: dict[str, Environment],
        *,
        page_url: str = "",
        max_unfinished: int = 2_000,
    ) -> None:
        self._ledger = ledger
        self._engine = engine
        self._environments = environments
        self._page_url = page_url.rstrip("/")
        self._max_unfinished = max_unfinished

    async def start(self, vtid: str, *, by: str) -> RunRecord:
        """Start a run of this task, or join the one under way when it is the same.

        Raises Refusal when a gate refuses, Problem RATE_LIMITED on a backlog, EngineUnavailable when the
        run is on record but not yet in Temporal: asking again, or the reconciler, brings it there.
        """
        task = await self._ledger.tasks.get(vtid)
        await self._check_backlog(task)
        record, _ = await self._ledger.runs.request(self._request_of(task, by), by=by)
        return record if record.run_id else await self.bring_to_engine(record)

    async def bring_to_engine(self, record: RunRecord) -> RunRecord:
        """Start a requested run in Temporal; harmless when it is there already."""
        request = request_from_json(record.request)
        try:
            run_id = await self._engine.start(request)
        except IdTaken as error:
            await self._ledger.runs.not_opened(record.start_id, str(error))
            raise Refusal("ILLEGAL_TRANSITION", str(error)) from error
        await self._ledger.runs.opened(record.start_id, run_id)
        return replace(record, run_id=run_id, state="open", view=replace(record.view, run_id=run_id))

    async def _check_backlog(self, task: TaskRecord) -> None:
        if task.run is not None and task.run.state != "closed":
            return  # joining costs nothing
        unfinished = await self._ledger.runs.count_unfinished()
        if unfinished >= self._max_unfinished:
            raise Problem(
                "RATE_LIMITED",
                f"{unfinished} runs are unfinished; new ones are taken below {self._max_unfinished}",
                headers={"Retry-After": "10"},
            )

    def _request_of(self, task: TaskRecord, by: str) -> RunRequest:
        environment = self._environments.get(task.environment)
        if environment is None:
            raise Problem(
                "VALIDATION",
                f"the task's environment {task.environment!r} is not declared any more",
                expected=sorted(self._environments),
                actual=task.environment,
            )
        spec = task.spec
        return RunRequest(
            vtid=task.vtid,
            start_id=uuid4().hex,
            title=task.title,
            spec_hash=spec.hash if spec else "",
            spec_version=spec.version if spec else 0,
            repository=task.repository,
            environment=environment,
            limits=carried(environment.limits),
            services=task.services,
            priority=task.priority,
            requested_by=by,
            page_url=f"{self._page_url}/runs/{task.vtid}" if self._page_url else "",
        )
