"""PLANNER: may this run begin, and is there anything left to build?"""

from datetime import datetime

from temporalio import workflow

from activities.bookkeeping import Bookkeeping
from activities.pull_requests import PullRequests
from vtid.domain.commands.ledger import Armed, ReadArmed
from vtid.domain.commands.pull_requests import FindMergedChange
from vtid.domain.evidence import Evidence, EvidenceSource
from vtid.domain.failures import RunStopped
from vtid.domain.stages import Stage
from vtid.domain.task import TaskStatus
from workflows.course import FRESH_FOR, Course
from workflows.story import waiting


class Switch:
    """The emergency stop as the run knows it: hinted by a signal, read from the ledger."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._hints = 0
        self._read_hints = 0
        self._read_at: datetime | None = None
        self._reading: Armed | None = None

    def hint(self) -> None:
        """Somebody switched it; whoever waits looks at once."""
        self._hints += 1

    @property
    def hints(self) -> int:
        return self._hints

    async def read(self) -> Armed:
        """The switch now. A reading of the last seconds serves, unless somebody hinted since."""
        fresh = self._read_at is not None and workflow.now() - self._read_at < FRESH_FOR
        if self._reading is None or not fresh or self._read_hints != self._hints:
            self._read_hints = self._hints
            self._reading = await self._course.quietly(Bookkeeping.read_armed, ReadArmed())
            self._read_at = workflow.now()
        return self._reading

    def was_read(self, reading: Armed | None, hints: int) -> None:
        """Another step has read the switch as well, when so many hints had come."""
        self._reading, self._read_at, self._read_hints = reading, workflow.now(), hints

    async def await_armed(self) -> None:
        """Return once the system is armed. Raises RunStopped when that takes longer than the limit."""
        limit = self._course.limits["await_armed"]
        since = workflow.now()
        until = since + limit.whole_budget()
        looks = 0
        while not (switch := await self.read()).armed:
            if workflow.now() >= until:
                raise RunStopped("DISPATCH_FAILED", f"the system stayed disarmed: {switch.reason}")
            looks += 1
            if looks == 1:
                what = f"the system to be armed again ({switch.reason or 'no reason given'})"
                self._course.story.tell("wait.started", **waiting(what, until, "approver"))
                await self._course.story.write()
            seen = self._hints
            # The hint is what ends this wait; the looks are there for one that was lost.
            window = min(limit.pause_before_look(looks), until - workflow.now())
            await self._course.until(lambda: self._hints != seen, window, "await_armed")  # noqa: B023 - awaited here

    async def until_disarmed(self) -> None:
        """Return once somebody has disarmed the system; at once when it is so already. Every open run is told of it."""
        while (await self.read()).armed:
            seen = self._hints
            await workflow.wait_condition(lambda: self._hints != seen)  # noqa: B023 - awaited here


class PlannerStage:
    def __init__(self, course: Course, switch: Switch) -> None:
        self._course = course
        self._switch = switch

    async def plan(self) -> Stage:
        """Gate, emergency stop, and a look for a change that is merged already. Gives the next stage."""
        course, request = self._course, self._course.request
        hints = self._switch.hints
        task = await course.load_task()
        if task.status == TaskStatus.COMPLETED:
            raise RunStopped("TASK_COMPLETED")
        self._switch.was_read(task.armed, hints)
        await self._switch.await_armed()
        course.story.tell("run.admitted")

        environment = request.environment
        look = FindMergedChange(
            request.vtid, request.repository, environment, course.since, request.spec_hash, task.approvals
        )
        before = await course.step(
            PullRequests.find_merged_change,
            look,
            f"GitHub to say whether {request.vtid} is merged already",
            "GitHub",
        )
        course.story.tell(
            "plan.made",
            repository=request.repository,
            base=request.base,
            branch=environment.branch_glob(request.vtid),
            services=request.services or [service.name for service in environment.services],
        )
        for passed in before.passed_over:
            course.story.tell("change.passed_over", url=passed.url, reason=passed.reason)
        merged = before.pull_request
        if merged is None:
            return Stage.WORKER
        course.evidence = Evidence(EvidenceSource.MERGED_BEFORE, merged)
        course.merged_sha = merged.merge_sha
        course.story.tell("change.found_merged", pull_request=merged)
        course.story.tell("evidence.observed", source=EvidenceSource.MERGED_BEFORE, pull_request=merged)
        return Stage.DEPLOY
