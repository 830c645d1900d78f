"""The verdict. Pure, and still an activity: a run keeps the verdict that the rules of its day gave."""

from temporalio import activity

from vtid.domain import rules
from vtid.domain.commands import Judge
from vtid.domain.verdict import Verdict


class Validation:
    @activity.defn
    async def judge(self, command: Judge) -> Verdict:
        """Ask every rule over the gathered facts. Pure, so a repeat gives the same."""
        return rules.judge(command.pinned, command.facts)
