"""The way of the validated head onto its base: merged by us, by the branch's merge queue, or by a person."""

import asyncio

from temporalio import workflow

from activities.pull_requests import PullRequests
from vtid.domain.change import MergeAnswer, MergeKind, PullRequest
from vtid.domain.commands.pull_requests import AwaitMerge, AwaitQueue, LeaveQueue, MergePullRequest
from vtid.domain.failures import RunStopped
from vtid.domain.notice import notice_of
from workflows.course import Course
from workflows.planner_stage import Switch
from workflows.reporter import Reporter

_OUT = (MergeKind.DROPPED, MergeKind.CONFLICT, MergeKind.CLOSED)  # of a change that is in no queue any more


class Merging:
    def __init__(self, course: Course, reporter: Reporter, switch: Switch) -> None:
        self._course = course
        self._reporter = reporter
        self._switch = switch

    async def merge(self, pull: PullRequest) -> MergeAnswer:
        """Merged, or why not. In a queue it is waited for; the emergency stop takes it out until the system is armed.

        Raises RunStopped when the run may not merge any more, which is asked right before each time that it would.
        """
        if not self._course.request.environment.automerge:
            await self._course.may_still_merge()
            return await self._see_merged(pull)
        while True:
            await self._course.may_still_merge()
            answer = await self._send(pull)
            if answer.kind is not MergeKind.QUEUED:
                return answer
            ended = await self._await_queue(pull, answer)
            if ended is not None:
                return ended
            await self._switch.await_armed()

    async def _send(self, pull: PullRequest) -> MergeAnswer:
        command = MergePullRequest(
            vtid=self._course.request.vtid,
            repository=pull.repository,
            number=pull.number,
            head_sha=pull.head_sha,
            title=pull.title,
            environment=self._course.request.environment,
            notice=notice_of(self._course.story.view),
            checks_skipped=self._course.checks_skipped,
        )
        what = f"GitHub to merge {pull.url}"
        try:
            return await self._course.send(
                PullRequests.merge_pull_request,
                command,
                what,
                "GitHub",
                keep=lambda answer: self._keep(pull, answer),
                what="GitHub merged",
            )
        except RunStopped as stop:
            if stop.kind.code == "GITHUB_UNAVAILABLE":
                self._course.queued = pull  # nobody knows: the last word may have reached GitHub
            raise

    async def _see_merged(self, pull: PullRequest) -> MergeAnswer:
        """Policy leaves the merge to a person: show them the verdict, wait for it, and take what they merged."""
        await self._reporter.report()
        command = AwaitMerge(pull.repository, pull.number, pull.head_sha, self._course.request.base)
        answer = await self._course.step(
            PullRequests.await_merge, command, f"a person to merge {pull.url} (automerge is off)", "approver"
        )
        self._keep(pull, answer)
        return answer

    def _keep(self, pull: PullRequest, answer: MergeAnswer) -> None:
        """Keep what the merge gave. Told at once, so that a cancel which comes now cannot hide it."""
        course = self._course
        if answer.untold:
            course.story.tell("report.failed", what="check", message=answer.untold)
        if answer.kind is MergeKind.MERGED and answer.sha is not None:
            course.merged_sha = answer.sha
            before = answer.merged_before and course.queued is None  # else it is what our own entry became
            course.story.tell("change.merged", sha=answer.sha, pull_request=pull.url, merged_before=before)
            course.queued = None
        elif answer.kind is MergeKind.QUEUED and answer.entry is not None:
            course.queued = pull
            course.story.tell(
                "change.queued",
                pull_request=pull.url,
                head_sha=pull.head_sha,
                position=answer.entry.position,
                queued_before=answer.queued_before,
            )
        elif answer.kind in _OUT:
            course.queued = None
            if course.story.view.queued is not None:
                course.story.tell("change.dequeued", pull_request=pull.url, reason=answer.reason)

    # ---------------------------------------------------------------- the merge queue

    async def _await_queue(self, pull: PullRequest, queued: MergeAnswer) -> MergeAnswer | None:
        """What became of the entry; None when the emergency stop took it out."""
        course, entry = self._course, queued.entry
        if entry is None:
            raise ValueError("a queued change has a place")
        what = f"the merge queue to merge {pull.head_sha[:12]} (entered at position {entry.position})"
        base = course.request.base
        command = AwaitQueue(pull.repository, pull.number, pull.head_sha, base, entry.entered_at)
        await course.announce(PullRequests.await_queue, what, "GitHub's merge queue")
        look = asyncio.ensure_future(course.perform(PullRequests.await_queue, command, what))
        stop = asyncio.ensure_future(self._switch.until_disarmed())
        try:
            await workflow.wait([look, stop], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (look, stop):
                each.cancel()  # which changes nothing of one that is done
        if not look.cancelling():
            answer = look.result()
            self._keep(pull, answer)
            return answer
        await workflow.wait([look])
        stop.result()  # raises when the switch could not be read
        left = await self._leave(pull)
        return left if left.kind is MergeKind.MERGED else None

    async def make_room(self, other: PullRequest) -> None:
        """Another change is to take the place of the one that is in the queue. Raises RunStopped when it cannot."""
        pull = self._course.queued
        if pull is None or pull.number == other.number:
            return
        answer = await self._leave(pull)
        if answer.kind is MergeKind.MERGED:
            text = f"{pull.url} was merged before it could be taken out of the merge queue: a retry goes on with it"
            raise RunStopped("MERGE_REFUSED", text)

    async def leave_queue(self) -> str:
        """Take the change out of the queue that it may still be in, for a run that ends.

        Gives what became of it, for people; empty when it is in no queue of ours.
        """
        pull, was_queued = self._course.queued, self._course.story.view.queued is not None
        if pull is None:
            return ""
        try:
            answer = await self._leave(pull)
        except RunStopped as stop:
            return (
                f"whether {pull.url} left the merge queue is not known, it may be merged yet: {stop.message}"
            )
        if answer.kind is MergeKind.MERGED:
            return f"merged as {answer.sha} before it could be taken out of the merge queue"
        return answer.reason if was_queued else ""

    async def _leave(self, pull: PullRequest) -> MergeAnswer:
        command = LeaveQueue(pull.repository, pull.number)
        what = f"GitHub to take {pull.url} out of the merge queue, if it is in it"
        return await self._course.send(
            PullRequests.leave_queue,
            command,
            what,
            "GitHub",
            keep=lambda answer: self._keep(pull, answer),
            what=f"{pull.url} left the merge queue",
        )
