"""VtidRun: one VTID, from approved spec to proven deployment. Read `_pipeline` first."""

from collections.abc import Awaitable, Callable

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from vtid.domain.commands.run import RunReport, RunRequest
    from vtid.domain.failures import RunStopped
    from vtid.domain.stages import Stage, StageStatus
    from workflows.blocked import Blocked
    from workflows.course import Course
    from workflows.deploy_stage import DeployStage
    from workflows.ending import Ending
    from workflows.merging import Merging
    from workflows.messages import Messages
    from workflows.planner_stage import PlannerStage, Switch
    from workflows.reporter import Reporter
    from workflows.validator_stage import ValidatorStage
    from workflows.worker_stage import WorkerStage


@workflow.defn
class VtidRun(Messages):
    @workflow.init
    def __init__(self, request: RunRequest) -> None:
        course = Course(request)
        switch = Switch(course)
        reporter = Reporter(course)
        merging = Merging(course, reporter, switch)
        worker = WorkerStage(course, switch)
        super().__init__(
            course,
            switch,
            worker.desk,
            Blocked(course, reporter, merging),
            Ending(course, reporter, merging, worker),
        )
        self._planner = PlannerStage(course, switch)
        self._worker = worker
        self._validator = ValidatorStage(course)
        self._deploy = DeployStage(course, reporter, merging)

    @workflow.run
    async def run(self, request: RunRequest) -> RunReport:
        """Run to the end. Fails in Temporal with our failure code; a cancelled run is cancelled."""
        self._tell_started(request)
        return await self._ending.of(self._pipeline)

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
        return self._course.take(evidence)

    async def _in(self, stage: Stage, work: Callable[[], Awaitable[Stage | None]]) -> Stage | None:
        """One pass through a stage. A repairable failure parks the run here until a person decides."""
        self._story.tell("stage.started", stage=stage)
        try:
            following = await work()
        except RunStopped as stop:
            return await self._blocked.await_decision(stage, stop)
        self._tell_finished(stage, following)
        return following

    def _tell_started(self, request: RunRequest) -> None:
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

    def _tell_finished(self, stage: Stage, following: Stage | None) -> None:
        if (stage, following) in ((Stage.DEPLOY, Stage.VALIDATOR), (Stage.VALIDATOR, Stage.WORKER)):
            return  # not over: it comes back once the new head is judged, or the change is mended
        if stage is Stage.DEPLOY and self._course.nothing_to_deploy:
            why = "the change touches no path of a service, so there is nothing to deploy"
            self._story.tell("stage.finished", stage=stage, status=StageStatus.SKIPPED, why=why)
            return
        self._story.tell("stage.finished", stage=stage, status=StageStatus.SUCCESS)
        if following is Stage.DEPLOY and stage is not Stage.VALIDATOR:
            self._course.skip_to_deploy()
