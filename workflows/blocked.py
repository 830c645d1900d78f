"""A run that is blocked: parked until a person retries, adopts a pull request, skips a rule or abandons it."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.pull_requests import PullRequests
from vtid.domain.commands.messages import Rescue
from vtid.domain.commands.pull_requests import FindEvidence
from vtid.domain.evidence import ClaimedEvidence, Evidence, EvidenceSource
from vtid.domain.failures import RunStopped
from vtid.domain.moves import refuse_offer, refuse_parameters
from vtid.domain.stages import Move, Stage, StageStatus
from workflows.course import Course
from workflows.merging import Merging
from workflows.reporter import Reporter


class Blocked:
    def __init__(self, course: Course, reporter: Reporter, merging: Merging) -> None:
        self._course = course
        self._story = course.story
        self._reporter = reporter
        self._merging = merging
        self._decision: Rescue | None = None

    def check_decision(self, message: Rescue) -> None:
        """Raise ApplicationError unless this move is offered now, with what it needs. The first decision counts."""
        view, move = self._story.view, message.move
        if self._decision is not None:
            raise ApplicationError("a decision is made already", type="MOVE_NOT_OFFERED")
        refused = refuse_offer(view, move) or refuse_parameters(
            view, move, rule=message.rule, reason=message.reason, pr_url=message.pr_url
        )
        if refused is not None:
            raise ApplicationError(refused.message, {"offered": refused.offered}, type=refused.code)

    def decide(self, message: Rescue) -> None:
        self._decision = message

    async def await_decision(self, stage: Stage, stop: RunStopped) -> Stage:
        """Park until a person decides; gives the stage to go on with. Raises RunStopped when it is over."""
        if not stop.kind.repairable or self._course.request.environment.policy.on_failure == "fail":
            raise stop
        limit = self._course.limits["blocked"]
        until = workflow.now() + limit.whole_budget()
        self._decision = None
        self._story.tell("run.blocked", stage=stage, failure=self._story.failure(stop), until=until)
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
        return await self._go_on(stage, decision)

    async def _go_on(self, stage: Stage, decision: Rescue) -> Stage:
        """Do what was decided; gives the stage to go on with."""
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
            return await self.await_decision(stage, stop)
        self._story.tell(
            "stage.finished", stage=stage, status=StageStatus.SKIPPED, why=f"adopted by {decision.by}"
        )
        following = self._course.take(evidence)
        if following is Stage.DEPLOY:
            self._course.skip_to_deploy()
        return following

    async def _read_adopted(self, decision: Rescue) -> Evidence:
        request = self._course.request
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
