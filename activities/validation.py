"""The verdict. The rules are pure; the step reads the task first, and keeps what the rules of its day said."""

from dataclasses import replace

from temporalio import activity

from vtid.domain import rules
from vtid.domain.commands.pull_requests import Judge
from vtid.domain.ports import Journal
from vtid.domain.verdict import Verdict


class Validation:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    @activity.defn
    async def judge(self, command: Judge) -> Verdict:
        """Ask every rule over the gathered facts and the task as it is now. A read."""
        task = await self._journal.task_facts(command.pinned.vtid)
        return rules.judge(command.pinned, replace(command.facts, task=task))
