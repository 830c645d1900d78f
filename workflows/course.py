"""What the stages of one run share: its request, its story, and what it has come to know."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar, overload

from temporalio import workflow

from activities.bookkeeping import Bookkeeping
from activities.pull_requests import PullRequests
from vtid.domain.change import DeployRun, PullRequest
from vtid.domain.commands.ledger import LoadedTask, LoadTask
from vtid.domain.commands.pull_requests import GatherFacts
from vtid.domain.commands.run import RunRequest
from vtid.domain.evidence import Evidence, EvidenceSource
from vtid.domain.failures import RunStopped
from vtid.domain.limits import LATE_AFTER, LONGEST_GRACE, MORE_WINDOWS, POLLS, Limit
from vtid.domain.repair import Repair
from vtid.domain.rules import CHECKS_RULE
from vtid.domain.stages import Stage, StageStatus
from vtid.domain.task import CLOSED
from vtid.domain.verdict import Facts, RuleAnswer, Skip
from workflows.hints import Hints
from workflows.perform import perform
from workflows.story import Story, waiting

FRESH_FOR = timedelta(seconds=1)  # a reading of our own ledger serves this long

C = TypeVar("C")
R = TypeVar("R")


class Course:
    """The facts of a run under way. Stages read and add; nothing else changes them."""

    def __init__(self, request: RunRequest) -> None:
        self.request = request
        self.story = Story(request)
        self.limits: dict[str, Limit] = request.limits
        self.task: LoadedTask | None = None
        self.judged_at: datetime | None = None
        self.evidence: Evidence | None = None
        self.worker_succeeded = False
        # Of attempts that ended; what appears there later is a late answer.
        self.lost_branches: list[str] = []
        self.facts: Facts | None = None  # of the evidence, as GitHub showed them last
        self.paths: tuple[str, ...] | None = None  # that the change touches; None: not read yet
        self.merged_sha: str | None = None
        self.queued: PullRequest | None = None  # what we may have in a merge queue
        self.judged_head: str | None = None  # the head that the last passed verdict is about
        self.nothing_to_deploy = False
        # The last one seen; a retry does not start another beside it.
        self.deploy_run: DeployRun | None = None
        self.head_rounds = 0
        self.hints = Hints()  # of the poll under way
        self.repair: Repair | None = None  # what a worker is asked to mend now
        self.repair_rounds = 0
        self.skips: list[Skip] = []  # of rules, by persons, each for one head
        self.skipped: tuple[RuleAnswer, ...] = ()  # in the verdict that passed
        self.notes: list[str] = []  # what a cancelled run has to tell besides
        # Nonce and time of the deploy's last start: a retry of it is found by both.
        self.dispatch: tuple[str, datetime] | None = None
        self.dispatches = 0

    @overload
    async def step(
        self, step: Callable[[Any, C], Awaitable[R]], command: C, waits_for: str, who: str = "system"
    ) -> R: ...
    @overload
    async def step(
        self, step: Callable[[Any, C], R], command: C, waits_for: str, who: str = "system"
    ) -> R: ...
    async def step(self, step: Any, command: Any, waits_for: str, who: str = "system") -> Any:
        """Tell that the step begins and what it waits for, then do it."""
        await self.announce(step, waits_for, who)
        return await self.perform(step, command, waits_for)

    async def announce(self, step: Callable[..., Any], waits_for: str, who: str) -> None:
        """Tell and write that a step begins; nothing is sent yet."""
        budget = self.limits[step.__name__].budget
        until = workflow.now() + budget if budget else None
        self.story.tell("step.started", step=step.__name__, waiting=waiting(waits_for, until, who))
        await self.story.write()

    @overload
    async def perform(self, step: Callable[[Any, C], Awaitable[R]], command: C, waits_for: str) -> R: ...
    @overload
    async def perform(self, step: Callable[[Any, C], R], command: C, waits_for: str) -> R: ...
    async def perform(self, step: Any, command: Any, waits_for: str) -> Any:
        """Do an announced step."""
        hints = self.hints if step.__name__ in POLLS else None
        return await perform(step, command, self.limits, summary=waits_for, hints=hints)

    async def send(
        self,
        step: Callable[[Any, C], R],
        command: C,
        waits_for: str,
        who: str,
        *,
        keep: Callable[[R], None],
        what: str,
    ) -> R:
        """Do a step whose effect stays. `keep` takes what it gave, also when the run is cancelled meanwhile.

        Until it is sent a cancel stops it; from then on it comes to its end, whatever happens. What that end is
        not known of is noted, in the words of `what`.
        """
        await self.announce(step, waits_for, who)
        effect = asyncio.ensure_future(self.perform(step, command, waits_for))
        try:
            given = await asyncio.shield(effect)
        except asyncio.CancelledError:
            try:
                keep(await effect)
            except RunStopped as stop:
                self.notes.append(f"whether {what} is not known: {stop.message}")
            raise
        keep(given)
        return given

    async def quietly(self, step: Callable[[Any, C], Awaitable[R]], command: C) -> R:
        """A read of our own ledger: done without a line in the story."""
        return await perform(step, command, self.limits)

    async def until(self, ready: Callable[[], bool], window: timedelta, summary: str) -> bool:
        """Wait until `ready` or the window ends; tells which.

        A window that ended late was not a fair one (nobody was there to be heard), so another is granted,
        of a minute at most: whoever was kept out by our absence is back by then.
        """
        for _ in range(1 + MORE_WINDOWS):
            opened = workflow.now()
            try:
                await workflow.wait_condition(ready, timeout=window, timeout_summary=summary[:200])
            except TimeoutError:
                if workflow.now() - opened <= window + LATE_AFTER:
                    return False
                window = min(window, LONGEST_GRACE)
            else:
                return True
        return False

    async def gather_facts(self, repository: str, number: int, sha: str, *, looks: int = 1) -> Facts:
        """Everything that GitHub shows of a pull request, kept for the stages that come."""
        request = self.request
        lost = tuple(self.lost_branches)
        command = GatherFacts(request.vtid, repository, number, sha, request.environment, looks, lost)
        what = f"GitHub to show all of pull request {number}"
        self.facts = await self.step(PullRequests.gather_facts, command, what, "GitHub")
        files = self.facts.files
        self.paths = files.paths if files and files.complete else None
        return self.facts

    async def load_task(self) -> LoadedTask:
        """The task as it is now, held against what was pinned at the start. Raises RunStopped."""
        request = self.request
        task = await self.quietly(Bookkeeping.load_task, LoadTask(request.vtid, request.spec_hash))
        if task is None or task.spec_hash is None:
            raise RunStopped("SPEC_MISSING")
        hashes = {task.spec_hash, task.spec_bytes_hash, request.spec_hash}
        if len(hashes) > 1:
            text = (
                f"pinned at the start: {request.spec_hash[:12]}, now: {(task.spec_bytes_hash or 'none')[:12]}"
            )
            raise RunStopped("SPEC_HASH_MISMATCH", f"the spec changed: {text}")
        if task.approved_hash is None:
            raise RunStopped("SPEC_NOT_APPROVED")
        self.task = task
        return task

    async def may_still_merge(self) -> None:
        """Raise RunStopped unless the spec is the pinned one, and the run the task's. A verdict just now has said so.

        The ledger may have given this run up, when Temporal did not know it for a while: nobody sees it act any more.
        """
        if self.judged_at is not None and workflow.now() - self.judged_at <= FRESH_FOR:
            return
        task, me = await self.load_task(), workflow.info().run_id
        if task.status in CLOSED or task.current_run_id not in (None, me):
            text = f"the ledger has this run as over: {task.vtid} is {task.status}"
            raise RunStopped("ENGINE_TERMINATED", text)

    @property
    def since(self) -> datetime:
        """Since when this VTID's pull requests can exist; a day of slack for clocks that differ."""
        created = self.task.created_at if self.task else workflow.info().start_time
        return created - timedelta(days=1)

    def take(self, evidence: Evidence) -> Stage:
        """Evidence in hand: on to validation, or to deployment when it is merged already."""
        pull = evidence.pull_request
        self.evidence, self.merged_sha, self.judged_head = evidence, pull.merge_sha, None
        self.skipped, self.repair = (), None
        self.lost_branches = [branch for branch in self.lost_branches if branch != pull.branch]
        self.deploy_run, self.dispatch = None, None  # of a change that was merged before this one
        if evidence.source is not EvidenceSource.HANDED_IN:
            self.facts, self.paths = None, None  # they were of another pull request, or of none
        self.story.tell("evidence.observed", source=evidence.source, pull_request=pull)
        return Stage.DEPLOY if pull.merged else Stage.VALIDATOR

    def skip_to_deploy(self) -> None:
        """A merged change is not built or judged again: the stages between say so."""
        why = "the change is merged already"
        for between in (Stage.WORKER, Stage.VALIDATOR):
            if self.story.view.of(between).status is StageStatus.PENDING:
                self.story.tell("stage.finished", stage=between, status=StageStatus.SKIPPED, why=why)

    def skip(self, rule: str, by: str, reason: str) -> None:
        """A person lets this rule be, for the head that they saw."""
        self.skips.append(Skip(rule, by, reason, self.the_evidence().head_sha))

    @property
    def checks_skipped(self) -> bool:
        """Whether the verdict passed because a person let the checks be."""
        return any(answer.rule == CHECKS_RULE for answer in self.skipped)

    def the_evidence(self) -> Evidence:
        """The evidence of a stage that cannot begin without it."""
        if self.evidence is None:
            raise RunStopped("EVIDENCE_REFUSED", "there is no evidence to work with")
        return self.evidence


def one_try(limit: Limit) -> timedelta:
    """The window of a timer, or the longest single try of a step; such a row must have one."""
    if limit.one_try is None:
        raise ValueError("this limit has no 'one try'")
    return limit.one_try
