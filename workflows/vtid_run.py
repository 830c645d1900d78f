"""VtidRun: one VTID, from approved spec to proven deployment. Read `_pipeline` first."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.pull_requests import PullRequests
    from vtid.domain.commands.messages import (
        Acknowledge,
        CancelRun,
        DeploymentClaimed,
        LeaseTerms,
        ReleaseLease,
        ReportFailure,
        Rescue,
        SubmitEvidence,
        SwitchChanged,
    )
    from vtid.domain.commands.pull_requests import FindEvidence
    from vtid.domain.commands.run import RunReport, RunRequest
    from vtid.domain.evidence import ClaimedEvidence, Evidence, EvidenceSource
    from vtid.domain.failures import Failure, RunStopped, failure_of
    from vtid.domain.hints import Hint, concerns
    from vtid.domain.moves import refuse_offer, refuse_parameters
    from vtid.domain.stages import Move, Outcome, Stage, StageStatus
    from vtid.domain.task import TaskStatus
    from vtid.domain.view import RunView, deployment_contradiction
    from workflows.course import Course
    from workflows.deploy_stage import DeployStage
    from workflows.merging import Merging
    from workflows.planner_stage import PlannerStage, Switch
    from workflows.reporter import Reporter
    from workflows.story import ToldOver
    from workflows.validator_stage import ValidatorStage
    from workflows.worker_stage import WorkerStage

T = TypeVar("T")


@workflow.defn
class VtidRun:
    @workflow.init
    def __init__(self, request: RunRequest) -> None:
        self._request = request
        self._course = course = Course(request)
        self._story = course.story
        self._switch = Switch(course)
        self._planner = PlannerStage(course, self._switch)
        self._worker = WorkerStage(course, self._switch)
        self._validator = ValidatorStage(course)
        self._reporter = Reporter(course)
        self._merging = Merging(course, self._reporter, self._switch)
        self._deploy = DeployStage(course, self._reporter, self._merging)
        self._cancel: CancelRun | None = None
        self._decision: Rescue | None = None
        self._process: asyncio.Task[Any] | None = None
        self._ending = False
        self._was_reset = False
        # A reset gives the new execution a new seed, right where it leaves the history that it was given.
        workflow.register_random_seed_callback(lambda _: self._end_as_reset())

    # ---------------------------------------------------------------- the process

    async def _pipeline(self) -> None:
        """The whole process: four stages, each naming the next one, until none is left."""
        stage: Stage | None = Stage.PLANNER
        while stage is not None:
            match stage:
                case Stage.PLANNER:
                    stage = await self._in(Stage.PLANNER, self._planner.plan)
                case Stage.WORKER:
                    stage = await self._in(Stage.WORKER, self._get_the_work_done)
                case Stage.VALIDATOR:
                    stage = await self._in(Stage.VALIDATOR, self._validator.validate)
                case Stage.DEPLOY:
                    stage = await self._in(Stage.DEPLOY, self._deploy.deploy)

    async def _get_the_work_done(self) -> Stage:
        evidence = await self._worker.get_evidence()
        self._course.worker_succeeded = True
        return self._take(evidence)

    async def _in(self, stage: Stage, work: Callable[[], Any]) -> Stage | None:
        """One pass through a stage. A repairable failure parks the run here until a person decides."""
        self._story.tell("stage.started", stage=stage)
        try:
            following: Stage | None = await work()
        except RunStopped as stop:
            return await self._blocked(stage, stop)
        self._tell_finished(stage, following)
        return following

    def _tell_finished(self, stage: Stage, following: Stage | None) -> None:
        if (stage, following) in ((Stage.DEPLOY, Stage.VALIDATOR), (Stage.VALIDATOR, Stage.WORKER)):
            return  # not over: it comes back once the new head is judged, or the change is mended
        if stage is Stage.DEPLOY and self._course.nothing_to_deploy:
            why = "the change touches no path of a service, so there is nothing to deploy"
            self._story.tell("stage.finished", stage=stage, status=StageStatus.SKIPPED, why=why)
            return
        self._story.tell("stage.finished", stage=stage, status=StageStatus.SUCCESS)
        if following is Stage.DEPLOY and stage is not Stage.VALIDATOR:
            self._skip_to_deploy()

    def _skip_to_deploy(self) -> None:
        """A merged change is not built or judged again: the stages between say so."""
        why = "the change is merged already"
        for between in (Stage.WORKER, Stage.VALIDATOR):
            if self._story.view.of(between).status is StageStatus.PENDING:
                self._story.tell("stage.finished", stage=between, status=StageStatus.SKIPPED, why=why)

    def _take(self, evidence: Evidence) -> Stage:
        """Evidence in hand: on to validation, or to deployment when it is merged already."""
        pull = evidence.pull_request
        course = self._course
        course.evidence, course.merged_sha, course.judged_head = evidence, pull.merge_sha, None
        course.skipped, course.repair = (), None
        course.lost_branches = [branch for branch in course.lost_branches if branch != pull.branch]
        course.deploy_run, course.dispatch = None, None  # of a change that was merged before this one
        if evidence.source is not EvidenceSource.HANDED_IN:
            course.facts, course.paths = None, None  # they were of another pull request, or of none
        self._story.tell("evidence.observed", source=evidence.source, pull_request=pull)
        return Stage.DEPLOY if pull.merged else Stage.VALIDATOR

    # ---------------------------------------------------------------- blocked, and its moves

    async def _blocked(self, stage: Stage, stop: RunStopped) -> Stage:
        """Park until a person decides; gives the stage to go on with. Raises RunStopped when it is over."""
        if not stop.kind.repairable or self._request.environment.policy.on_failure == "fail":
            raise stop
        limit = self._course.limits["blocked"]
        until = workflow.now() + limit.whole_budget()
        self._decision = None
        self._story.tell("run.blocked", stage=stage, failure=self._failure(stop), until=until)
        await self._story.write()
        await self._reporter.leave_off()
        self._reporter.begin()
        await self._course.until(
            lambda: self._decision is not None, limit.whole_budget(), f"a decision about {stop.kind.code}"
        )
        decision = self._decision
        if decision is None:
            raise stop  # one that came in the last moment was accepted, so it counts
        await self._reporter.leave_off()
        self._story.tell(
            "run.resumed",
            stage=stage,
            actor=f"user:{decision.by}",
            move=decision.move,
            by=decision.by,
            reason=decision.reason,
            pr_url=decision.pr_url,
            rule=decision.rule,
        )
        if decision.move is Move.ABANDON:
            raise RunStopped("ABANDONED", f"{decision.by} gave it up: {decision.reason or 'no reason'}")
        self._course.head_rounds = self._course.repair_rounds = 0
        self._course.facts = None
        if decision.move is Move.ADOPT:
            return await self._adopt(stage, decision)
        if decision.move is Move.SKIP and decision.rule is not None:
            self._course.skip(decision.rule, decision.by, decision.reason)
        return stage

    async def _adopt(self, stage: Stage, decision: Rescue) -> Stage:
        """Take the named pull request as evidence. It passes the same gates; refused, the run blocks again."""
        try:
            evidence = await self._read_adopted(decision)
            if evidence.pull_request.merged and self._course.merged_sha is None:
                await self._course.load_task()  # no later gate asks for the spec
            await self._merging.make_room(evidence.pull_request)
        except RunStopped as stop:
            return await self._blocked(stage, stop)
        self._story.tell(
            "stage.finished", stage=stage, status=StageStatus.SKIPPED, why=f"adopted by {decision.by}"
        )
        following = self._take(evidence)
        if following is Stage.DEPLOY:
            self._skip_to_deploy()
        return following

    async def _read_adopted(self, decision: Rescue) -> Evidence:
        request = self._request
        claim = ClaimedEvidence(pr_url=decision.pr_url or "", by=decision.by)
        self._story.tell("evidence.claimed", source=EvidenceSource.ADOPTED, pr_url=claim.pr_url, by=claim.by)
        look = FindEvidence(
            request.vtid, request.repository, request.environment, claimed=claim, adopted=True
        )
        search = await self._course.step(
            PullRequests.find_evidence, look, f"GitHub to show {claim.pr_url}", "GitHub"
        )
        pull = search.pull_request
        refused = search.refused
        if pull is not None and pull.merged and request.vtid not in pull.vtids:
            refused = f"the merged pull request does not name {request.vtid}"
        if pull is not None and pull.merged and pull.base != request.base:
            refused = f"the pull request was merged into {pull.base}, not {request.base}"
        if pull is None or refused:
            reason = refused or "GitHub does not show it"
            self._story.tell("evidence.refused", pr_url=claim.pr_url, reason=reason)
            raise RunStopped("EVIDENCE_REFUSED", reason)
        return Evidence(EvidenceSource.ADOPTED, pull, claim, adopted_by=decision.by)

    # ---------------------------------------------------------------- how a run ends

    @workflow.run
    async def run(self, request: RunRequest) -> RunReport:
        """Run to the end. Fails in Temporal with our failure code; a cancelled run is cancelled."""
        self._process = asyncio.current_task()
        try:
            return await self._run()
        except ToldOver as told:
            return self._report(told.view)

    async def _run(self) -> RunReport:
        self._tell_started()
        try:
            self._refuse_reset()
            await self._pipeline()
        except RunStopped as stop:
            failure = self._failure(stop)
            left = await self._leave_queue()
            await self._end_whatever_comes(TaskStatus.REJECTED, stop.kind.outcome, failure, left or None)
            raise ApplicationError(
                stop.message, {"code": stop.kind.code}, type=stop.kind.code, non_retryable=True
            ) from None
        except BaseException as error:
            if not (isinstance(error, asyncio.CancelledError) or is_cancelled_exception(error)):
                raise
            self._refuse_reset()
            await self._cancelled()
            raise
        await self._end_whatever_comes(TaskStatus.COMPLETED, Outcome.SUCCESS)
        return self._report(self._story.view)

    def _report(self, view: RunView) -> RunReport:
        """How the run ended. Raises ApplicationError when that was no success."""
        if view.failure is not None:
            code, text = str(view.failure["code"]), str(view.failure["message"])
            raise ApplicationError(text, {"code": code}, type=code, non_retryable=True) from None
        return RunReport(view.vtid, view.status, str(view.outcome), view.merged)

    def _tell_started(self) -> None:
        request = self._request
        links = {"page": request.page_url} if request.page_url else {}
        self._story.tell(
            "run.started",
            title=request.title,
            spec_hash=request.spec_hash,
            environment=request.environment.name,
            repository=request.repository,
            services=request.services,
            started_by=request.requested_by,
            links=links,
        )

    async def _cancelled(self) -> None:
        """Stop the worker, then tell the truth: also about a merge that was under way."""
        self._ending = True
        cancel = self._cancel = self._cancel or CancelRun(by="Temporal", reason="cancelled in Temporal")
        self._story.tell("run.cancelling", actor=f"user:{cancel.by}", reason=cancel.reason)
        left = await self._leave_queue()
        notes = [cancel.reason, await self._stop_worker(), left, *self._course.notes]
        if self._course.merged_sha is not None and not left:
            notes.append(f"merged as {self._course.merged_sha} before the cancel reached the run")
        stop = RunStopped("CANCELLED", f"cancelled by {cancel.by}: {cancel.reason or 'no reason'}")
        note = "; ".join(each for each in notes if each)
        await self._end_whatever_comes(TaskStatus.CANCELLED, Outcome.CANCELLATION, self._failure(stop), note)

    async def _stop_worker(self) -> str | None:
        try:
            return await self._worker.stop_worker()
        except RunStopped as stop:  # the ledger's own end of the run takes the order back
            return f"the worker could not be told in time: {stop.message}"

    async def _leave_queue(self) -> str:
        """Nothing of a run that ends stays in a merge queue."""
        return await self._whatever_comes(self._merging.leave_queue())

    async def _end_whatever_comes(
        self, status: TaskStatus, outcome: Outcome, failure: Failure | None = None, note: str | None = None
    ) -> None:
        """This is how the run ends: a cancel that comes while it is told and written is too late."""
        await self._whatever_comes(self._end(status, outcome, failure, note))

    async def _whatever_comes(self, work: Coroutine[Any, Any, T]) -> T:
        """Do a part of the end: no cancel stops it any more."""
        self._ending = True
        end = asyncio.ensure_future(work)
        while not end.done():
            try:
                await asyncio.shield(end)
            except asyncio.CancelledError:
                self._refuse_reset()
        return end.result()

    async def _end(
        self, status: TaskStatus, outcome: Outcome, failure: Failure | None, note: str | None
    ) -> None:
        how: dict[str, Any] = {"status": status, "outcome": outcome, "failure": failure, "note": note}
        if status is not TaskStatus.COMPLETED:  # that one was told by DEPLOY
            await self._reporter.report_end(self._story.as_if("run.finished", **how))
        self._story.tell("run.finished", **how)
        await self._story.write()
        await workflow.wait_condition(workflow.all_handlers_finished)
        await self._story.write()  # what the last handlers told

    def _end_as_reset(self) -> None:
        """A reset execution ends where it begins: the ledger follows the old one, and told its end."""
        self._was_reset = True
        if self._process is not None:
            self._process.cancel()

    def _refuse_reset(self) -> None:
        """Raise ApplicationError ENGINE_TERMINATED when this is an execution that nobody would see act."""
        if self._was_reset:
            text = "this execution was made by a reset in Temporal and does nothing: start the task again"
            raise ApplicationError(text, type="ENGINE_TERMINATED", non_retryable=True) from None

    def _failure(self, stop: RunStopped) -> Failure:
        view = self._story.view
        step = view.of(view.stage).step
        return failure_of(stop, view.stage, step, view.attempt, workflow.now())

    # ---------------------------------------------------------------- what workers and people say

    @workflow.update
    def acknowledge(self, message: Acknowledge) -> LeaseTerms:
        return self._worker.desk.acknowledge(message)

    @acknowledge.validator
    def _check_acknowledge(self, message: Acknowledge) -> None:
        self._worker.desk.check_acknowledge(message)

    @workflow.update
    def submit_evidence(self, message: SubmitEvidence) -> None:
        self._worker.desk.submit_evidence(message)

    @submit_evidence.validator
    def _check_evidence(self, message: SubmitEvidence) -> None:
        self._worker.desk.check_evidence(message)

    @workflow.update
    def report_failure(self, message: ReportFailure) -> None:
        self._worker.desk.report_failure(message)

    @report_failure.validator
    def _check_failure(self, message: ReportFailure) -> None:
        self._worker.desk.check_failure(message)

    @workflow.update
    def release_lease(self, message: ReleaseLease) -> None:
        self._worker.desk.release_lease(message)

    @release_lease.validator
    def _check_release(self, message: ReleaseLease) -> None:
        self._worker.desk.check_release(message)

    @workflow.update
    def rescue(self, message: Rescue) -> None:
        self._decision = message

    @rescue.validator
    def _check_rescue(self, message: Rescue) -> None:
        view, move = self._story.view, message.move
        if self._ending:
            raise ApplicationError("the run is ending", type="MOVE_NOT_OFFERED")
        if self._decision is not None:
            raise ApplicationError("a decision is made already", type="MOVE_NOT_OFFERED")
        refused = refuse_offer(view, move) or refuse_parameters(
            view, move, rule=message.rule, reason=message.reason, pr_url=message.pr_url
        )
        if refused is not None:
            raise ApplicationError(refused.message, {"offered": refused.offered}, type=refused.code)

    @workflow.update
    def request_cancel(self, message: CancelRun) -> None:
        """Who cancels and why; Temporal's own cancel follows."""
        self._cancel = self._cancel or message

    @request_cancel.validator
    def _check_cancel(self, message: CancelRun) -> None:
        if self._ending and self._cancel is None:
            raise ApplicationError("the run is ending, so a cancel is too late", type="ILLEGAL_TRANSITION")

    @workflow.signal
    def switch_changed(self, message: SwitchChanged) -> None:
        self._switch.hint()

    @workflow.signal
    async def deployment_claimed(self, message: DeploymentClaimed) -> None:
        """What a worker says of the deployment stands beside what is known of it, and proves nothing."""
        told = deployment_contradiction(self._story.view, message.by, message.says)
        if told is not None:
            self._story.tell("evidence.contradicted", actor=f"worker:{message.by}", **told)
            await self._story.write()

    @workflow.signal
    def look_now(self, hint: Hint) -> None:
        """Something may have changed on the code host. The poll under way looks at once; nothing is believed."""
        if concerns(self._story.view, hint):
            self._course.hints.hear()

    @workflow.signal
    def work_acknowledged(self, message: Acknowledge) -> None:
        """`acknowledge` for bare Temporal clients; a refusal becomes an event, never silence."""
        self._heard(
            "work_acknowledged", self._worker.desk.check_acknowledge, self._worker.desk.acknowledge, message
        )

    @workflow.signal
    def evidence_submitted(self, message: SubmitEvidence) -> None:
        """`submit_evidence` for bare Temporal clients; a refusal becomes an event, never silence."""
        self._heard(
            "evidence_submitted", self._worker.desk.check_evidence, self._worker.desk.submit_evidence, message
        )

    def _heard(
        self, name: str, check: Callable[[Any], None], accept: Callable[[Any], Any], message: Any
    ) -> None:
        try:
            check(message)
        except ApplicationError as refusal:
            self._story.tell("message.refused", name=name, code=refusal.type, message=refusal.message)
        else:
            accept(message)

    @workflow.query
    def view(self) -> RunView:
        """The run as it stands, from the workflow itself."""
        return self._story.view
