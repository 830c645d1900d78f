"""Why a task's change may not be merged now: facts gathered for this one question, judged by the run's own rules."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from activities.pull_requests import facts_of
from api.outside import LOOK_SECONDS
from api.problems import Problem
from vtid.domain.change import PullRequest
from vtid.domain.commands.pull_requests import GatherFacts
from vtid.domain.environment import Environment
from vtid.domain.errors import OutsideError
from vtid.domain.explanation import Circumstances, Explanation, explain, pinned_by
from vtid.domain.ports import CodeHost
from vtid.domain.verdict import Facts
from vtid.domain.view import RunView
from vtid.ledger import Ledger, Unknown
from vtid.ledger.records import TaskRecord

_SLACK = timedelta(days=1)  # for clocks that differ
_NOTHING = Facts(None, None, None, None)


class Explainer:
    """Asks and judges; changes nothing. code_host None: its rules stay unasked."""

    def __init__(
        self,
        ledger: Ledger,
        environments: dict[str, Environment],
        code_host: CodeHost | None,
        *,
        seconds: float = LOOK_SECONDS,
    ) -> None:
        self._ledger = ledger
        self._environments = environments
        self._code_host = code_host
        self._seconds = seconds

    async def explain(self, vtid: str) -> Explanation:
        """Raises Unknown for a task that is not there, and Problem when its environment is declared no more."""
        task = await self._ledger.tasks.get(vtid)
        environment = self._environments.get(task.environment)
        if environment is None:
            raise Problem(
                "ILLEGAL_TRANSITION", f"the environment {task.environment} is not declared any more"
            )
        view = task.run.view if task.run is not None and task.run.run_id is not None else None
        facts, unasked = await self._look(task, environment, view)
        of_task = await self._ledger.journal.task_facts(vtid)
        if of_task is None:
            raise Unknown(f"task {vtid}")
        armed = (await self._ledger.switch.read()).armed
        head = facts.pull_request.head_sha if facts.pull_request else ""
        pinned = pinned_by(view, of_task, task.repository, environment, head)
        around = Circumstances(armed, environment.automerge, unasked)
        return explain(view, pinned, replace(facts, task=of_task), around)

    async def _look(
        self, task: TaskRecord, environment: Environment, view: RunView | None
    ) -> tuple[Facts, str | None]:
        """(what the code host shows, why it could not be asked)"""
        if self._code_host is None:
            return _NOTHING, "this API has no code host"
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.to_thread(self._facts, self._code_host, task, environment, view), None
        except TimeoutError:
            return _NOTHING, f"no answer within {self._seconds:g} s"
        except OutsideError as error:
            return _NOTHING, str(error)

    def _facts(
        self, code_host: CodeHost, task: TaskRecord, environment: Environment, view: RunView | None
    ) -> Facts:
        observed = (view.evidence.get("observed") or {}) if view else {}
        number = observed.get("number")
        if number is None:
            found = self._by_convention(code_host, task, environment)
            if found is None:
                return _NOTHING
            number = found.number
        sha = observed.get("head_sha") or ""
        return facts_of(code_host, GatherFacts(task.vtid, task.repository, number, sha, environment))

    def _by_convention(
        self, code_host: CodeHost, task: TaskRecord, environment: Environment
    ) -> PullRequest | None:
        """The open pull request of the task's branch, else any open one that names it, else a merged one."""
        pulls = code_host.find_pull_requests(
            task.repository, task.vtid, environment, task.created_at - _SLACK
        )

        def rank(pull: PullRequest) -> tuple[bool, bool]:
            return not pull.is_open, not environment.is_branch_of(task.vtid, pull.branch)

        likely = [pull for pull in pulls if pull.is_open or pull.merged]
        return min(likely, key=rank, default=None)
