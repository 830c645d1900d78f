"""DEPLOY: merge exactly the validated head, find its deploy run, and prove what serves."""

from temporalio import workflow

from activities.deployments import Deployments
from vtid.domain.change import DeployRun, MergeKind
from vtid.domain.commands.deployments import AwaitDeployRun, DispatchDeploy, ProveDeployment
from vtid.domain.commands.reports import DeploymentNote
from vtid.domain.deployment import DeploymentProof
from vtid.domain.environment import Service
from vtid.domain.failures import RunStopped
from vtid.domain.stages import Stage
from workflows.course import Course, one_try
from workflows.merging import Merging
from workflows.migrations import with_migrations
from workflows.reporter import Reporter
from workflows.rollback import Rollback
from workflows.validator_stage import checks_changed, head_moved


class DeployStage:
    def __init__(self, course: Course, reporter: Reporter, merging: Merging) -> None:
        self._course = course
        self._reporter = reporter
        self._merging = merging
        self._rollback = Rollback(course)

    async def deploy(self) -> Stage | None:
        """Gives None when the run is done, or VALIDATOR when there is no verdict over the present head.

        A change that touches no service has nothing to deploy; that its commit is on the base is proven all the same.
        """
        if self._course.merged_sha is None:
            back = await self._merge()
            if back is not None:
                return back
        services = await self._services()
        course = self._course
        course.nothing_to_deploy = not services
        course.deploy_run = await self._await_deploy_run() if services else None
        proof = await self._prove(services, course.deploy_run)
        # Who uses the service does not wait until GitHub has heard of it.
        went_back = None if proof.complete else await self._rollback.roll_back(services, proof)
        await self._report(proof, services)
        if not proof.complete:
            raise _unproven(proof, went_back)
        return None

    # ---------------------------------------------------------------- merge

    async def _merge(self) -> Stage | None:
        course, pull = self._course, self._course.the_evidence().pull_request
        if course.judged_head != pull.head_sha:
            return Stage.VALIDATOR  # nothing is merged that no verdict is about
        if course.request.environment.policy.rollback:
            await self._rollback.remember(await self._services())
        answer = await self._merging.merge(pull)
        if answer.kind is MergeKind.HEAD_MOVED and answer.head_sha is not None:
            head_moved(course, answer.head_sha)
            return Stage.VALIDATOR
        if answer.kind is MergeKind.CHECKS_CHANGED:
            checks_changed(course, answer.reason)
            return Stage.VALIDATOR
        if answer.kind is MergeKind.CONFLICT:
            raise RunStopped("MERGE_CONFLICT", answer.reason)
        if answer.kind is not MergeKind.MERGED:
            raise RunStopped("MERGE_REFUSED", answer.reason)
        return None

    # ---------------------------------------------------------------- what is deployed

    async def _services(self) -> tuple[Service, ...]:
        """Every service that the task names or whose paths the change touches."""
        course, environment = self._course, self._course.request.environment
        declared = {service.name for service in environment.services}
        unknown = [name for name in course.request.services if name not in declared]
        if unknown:
            raise RunStopped(
                "PROOF_INCOMPLETE", f"{environment.name} declares no service {', '.join(unknown)}"
            )
        touched = environment.services_touched_by(await self._paths())
        return tuple(s for s in environment.services if s in touched or s.name in course.request.services)

    async def _paths(self) -> tuple[str, ...]:
        """Every path of the change. Raises RunStopped when it cannot be known: that is not "none"."""
        if self._course.paths is None:
            pull = self._course.the_evidence().pull_request
            await self._course.gather_facts(pull.repository, pull.number, pull.head_sha)
        if self._course.paths is None:
            raise RunStopped(
                "PROOF_INCOMPLETE", "not all files of the change could be read, so its services are not known"
            )
        return self._course.paths

    async def _await_deploy_run(self) -> DeployRun:
        course, environment, commit = self._course, self._course.request.environment, self._commit()
        since = workflow.now()
        dispatched = await self._dispatched() if environment.deploy.event == "workflow_dispatch" else None
        missing_after = one_try(course.limits["deploy_run_missing"])
        command = AwaitDeployRun(
            repository=course.request.repository,
            environment=environment,
            commit=commit,
            missing_after_seconds=missing_after.total_seconds(),
            since=since,
            run_id=dispatched.id if dispatched else None,
        )
        what = f"{environment.deploy.workflow} of {commit[:12]} to end"
        run = await course.step(Deployments.await_deploy_run, command, what, "GitHub Actions")
        if run is None:
            text = f"no run of {environment.deploy.workflow} on event {environment.deploy.event} for {commit[:12]}"
            raise RunStopped("DEPLOY_RUN_NOT_FOUND", text)
        course.deploy_run = run
        course.story.tell("deploy.run_ended", url=run.url, conclusion=run.conclusion or run.status)
        if run.status != "completed":
            raise RunStopped("DEPLOY_TIMEOUT", f"{run.url} is still {run.status}")
        if not run.jobs:
            raise RunStopped("DEPLOY_RUN_FAILED", f"{run.url} ended {run.conclusion} without a single job")
        if run.conclusion != "success":
            raise RunStopped("DEPLOY_RUN_FAILED", f"{run.url} ended {run.conclusion}")
        return run

    async def _dispatched(self) -> DeployRun | None:
        """The run that we started. A retry goes on with it unless it failed: it would deploy the same again."""
        known = self._course.deploy_run
        if known is not None and known.conclusion in (None, "success") and known.jobs != 0:
            return known
        if known is not None:
            self._course.dispatch = None
        return await self._dispatch()

    async def _dispatch(self) -> DeployRun | None:
        course, environment = self._course, self._course.request.environment
        if course.dispatch is None:
            course.dispatches += 1
            course.dispatch = (f"{workflow.info().run_id}-{course.dispatches}", workflow.now())
        # The same until its run is known to have failed: after a lost answer it is found, however late.
        nonce, since = course.dispatch
        command = DispatchDeploy(
            course.request.vtid, course.request.repository, environment, self._commit(), nonce, since
        )
        return await course.send(
            Deployments.dispatch_deploy,
            command,
            f"GitHub to start {environment.deploy.workflow}",
            "GitHub",
            keep=self._was_dispatched,
            what="the deploy was started",
        )

    def _was_dispatched(self, run: DeployRun | None) -> None:
        course, url = self._course, run.url if run else None
        course.story.tell("deploy.dispatched", url=url)
        course.notes.append(f"the deploy was started: {url or course.request.environment.deploy.workflow}")

    # ---------------------------------------------------------------- proof

    async def _prove(self, services: tuple[Service, ...], run: DeployRun | None) -> DeploymentProof:
        course, commit = self._course, self._commit()
        command = ProveDeployment(
            repository=course.request.repository,
            environment=course.request.environment,
            services=services,
            commit=commit,
            base=course.request.base,
            deploy_run=run,
        )
        names = ", ".join(service.name for service in services) or course.request.base
        proof = await course.step(
            Deployments.prove_deployment, command, f"{names} to serve {commit[:12]}, proven", _who(services)
        )
        proof = await with_migrations(course, proof, deployed=bool(services))
        course.story.tell(
            "proof.recorded",
            complete=proof.complete,
            code=proof.code,
            links=list(proof.links),
            skipped=[{"rule": each.rule, "by": each.by, "reason": each.reason} for each in course.skipped],
        )
        return proof

    async def _report(self, proof: DeploymentProof, services: tuple[Service, ...]) -> None:
        """Tell GitHub. What is not proven blocks the run, and is told on the pull request when it does."""
        course = self._course
        note = DeploymentNote(
            environment=course.request.environment.name,
            commit=self._commit(),
            proven=proof.complete,
            says=proof.open_link.says if proof.open_link else "proven",
            page_url=course.request.page_url,
        )
        await self._reporter.report(deployment=note if services else None, notice=proof.complete)

    def _commit(self) -> str:
        if self._course.merged_sha is None:
            raise RunStopped("PROOF_INCOMPLETE", "the commit of the merged pull request is not known")
        return self._course.merged_sha


def _who(services: tuple[Service, ...]) -> str:
    """Who moves the proof: the hosts of the services; without any, only the commit's place on the base is looked at."""
    return ", ".join(dict.fromkeys(service.runs_on.title for service in services)) or "GitHub"


def _unproven(proof: DeploymentProof, went_back: str | None) -> RunStopped:
    """With the proof's own code; ROLLED_BACK where traffic went back."""
    link = proof.open_link
    code, says = proof.code or "PROOF_INCOMPLETE", link.says if link else "the proof has no links"
    if went_back is not None:
        return RunStopped("ROLLED_BACK", f"{went_back}. It was {code}: {says}")
    return RunStopped(code, says)
