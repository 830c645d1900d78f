"""A VtidRun with a programming error: its workflow task fails again and again, and the run never ends."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from vtid.domain.commands.run import RunRequest


@workflow.defn(name="VtidRun")
class BrokenRun:
    @workflow.run
    async def run(self, request: RunRequest) -> None:
        raise KeyError("a bug that a new build mends")
