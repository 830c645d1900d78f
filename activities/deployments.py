"""Steps on the deployment: start it, await it, prove it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.polling import is_last_look, not_ready
from activities.witnesses import Witnesses
from vtid.domain.change import Ancestry, DeployRun
from vtid.domain.commands.deployments import AwaitDeployRun, DispatchDeploy, ProveDeployment
from vtid.domain.deployment import DeploymentProof, Link, LinkState
from vtid.domain.environment import Service
from vtid.domain.errors import Missing, Refused
from vtid.domain.ports import CodeHost, ServiceHost, VersionProbe
from vtid.domain.proving import beside_claims, claimed_commit, deployed_by


class Deployments:
    def __init__(self, code_host: CodeHost, service_host: ServiceHost, probe: VersionProbe) -> None:
        self._code_host = code_host
        self._witnesses = Witnesses(code_host, service_host, probe)

    @activity.defn
    def dispatch_deploy(self, command: DispatchDeploy) -> DeployRun | None:
        """Start the deploy workflow, unless the run of an earlier, unanswered try is found by its nonce."""
        workflow = command.environment.deploy.workflow
        started = self._code_host.find_dispatched(command.repository, workflow, command.nonce, command.since)
        if started is not None:
            return started
        inputs = {"commit": command.commit, "vtid": command.vtid, "nonce": command.nonce}
        return self._code_host.dispatch(command.repository, workflow, command.environment.base_branch, inputs)

    @activity.defn
    def await_deploy_run(self, command: AwaitDeployRun) -> DeployRun | None:
        """Look once for the deploy run of exactly this commit. None: it never appeared."""
        run = self._deploy_run(command)
        missing_for = datetime.now(UTC) - command.since
        if run is None and missing_for > timedelta(seconds=command.missing_after_seconds):
            return None
        if (run is not None and run.status == "completed") or is_last_look():
            return run
        what = (
            f"deploy run {run.url} is {run.status}" if run else f"no deploy run of {command.commit[:12]} yet"
        )
        raise not_ready(what)

    def _deploy_run(self, command: AwaitDeployRun) -> DeployRun | None:
        """The run of exactly this commit; where there is none, or a newer one cancelled it, the one that contains it."""
        run = self._own_run(command)
        if run is not None and run.conclusion != "cancelled":
            return run
        # A change that was merged long ago was superseded then, not since we look.
        since = min(command.since, run.created_at or command.since) if run else command.since
        newer = self._containing_run(command, since)
        return run if newer is None else self._code_host.deploy_run(command.repository, newer.id)

    def _own_run(self, command: AwaitDeployRun) -> DeployRun | None:
        if command.run_id is not None:
            return self._code_host.deploy_run(command.repository, command.run_id)
        deploy = command.environment.deploy
        runs = self._code_host.deploy_runs(command.repository, deploy.workflow, deploy.event, command.commit)
        return self._code_host.deploy_run(command.repository, runs[0].id) if runs else None

    def _containing_run(self, command: AwaitDeployRun, since: datetime) -> DeployRun | None:
        """The newest run of a commit that contains ours: queued deploys collapse, and a queue merges groups."""
        deploy, base = command.environment.deploy, command.environment.base_branch
        runs = self._code_host.deploy_runs_since(
            command.repository, deploy.workflow, deploy.event, base, since
        )
        others = (run for run in runs if run.head_sha != command.commit and run.conclusion != "cancelled")
        return next((run for run in others if self._is_in(command, run.head_sha)), None)

    @activity.defn
    def prove_deployment(self, command: ProveDeployment) -> DeploymentProof:
        """Look once at every link. Anything that may still settle is "not ready yet" until the last look."""
        links = [self._commit_link(command)]
        if command.deploy_run is not None:
            run = command.deploy_run
            links.append(self._beside_claims(command, run, self._actions_run_link(command, run)))
        elif command.services:
            text = "no deploy run is known"
            links.append(Link("actions_run", LinkState.UNKNOWN, text, code="DEPLOY_RUN_NOT_FOUND"))
        for service in command.services:
            links += self._service_links(command, service)
        proof = DeploymentProof(command.commit, tuple(links))
        if proof.complete or not _may_settle(proof) or is_last_look():
            return proof
        raise not_ready(f"not proven yet: {proof.open_link.says if proof.open_link else 'no link'}")

    def _service_links(self, command: ProveDeployment, service: Service) -> tuple[Link, ...]:
        wanted = claimed_commit(service, command.commit, command.deploy_run)
        links = self._witnesses.links(command.environment, service, command.repository, wanted)
        if wanted == command.commit:
            return links
        # The deploy run's link holds only where its commit contains ours: what contains that one contains ours.
        return tuple(replace(link, match=link.match and "contains") for link in links)

    def _commit_link(self, command: ProveDeployment) -> Link:
        at = datetime.now(UTC)
        try:
            relation = self._code_host.compare(command.repository, command.commit, command.base)
        except Missing:
            text = f"GitHub does not know {command.commit[:12]}"
            return Link("commit", LinkState.CONTRADICTED, text, at=at, code="WRONG_COMMIT_SERVING")
        raw = {"commit": command.commit, "base": command.base, "relation": relation}
        if relation in (Ancestry.SAME, Ancestry.DESCENDANT):
            return Link(
                "commit", LinkState.PROVEN, f"{command.commit[:12]} is on {command.base}", raw=raw, at=at
            )
        text = f"{command.commit[:12]} is not on {command.base}"
        return Link("commit", LinkState.CONTRADICTED, text, raw=raw, at=at, code="WRONG_COMMIT_SERVING")

    def _actions_run_link(self, command: ProveDeployment, run: DeployRun) -> Link:
        """A run that we dispatched stands on the base's tip, which may be newer than our commit and contains it."""
        contains = run.head_sha == command.commit or self._is_in(command, run.head_sha)
        holds = contains and run.conclusion == "success" and bool(run.jobs)
        raw = {
            "id": run.id,
            "url": run.url,
            "head_sha": run.head_sha,
            "conclusion": run.conclusion,
            "jobs": run.jobs,
        }
        return Link(
            "actions_run",
            LinkState.PROVEN if holds else LinkState.CONTRADICTED,
            f"run {run.id} of {run.head_sha[:12]} ended {run.conclusion}",
            raw=raw,
            match="exact" if run.head_sha == command.commit else "contains" if contains else None,
            at=datetime.now(UTC),
            code=None if holds else "DEPLOY_RUN_FAILED",
        )

    def _beside_claims(self, command: ProveDeployment, run: DeployRun, link: Link) -> Link:
        deployed = deployed_by(run, command.commit)
        try:
            claims = self._code_host.deployment_claims(command.repository, command.environment.name, deployed)
        except Refused as error:
            # No claim could prove anything, so nothing hangs on them; that nobody read them is told.
            text = f"{link.says}; what others say of its deployment could not be read"
            return replace(link, says=text, raw=link.raw | {"deployments": str(error)})
        return beside_claims(link, claims)

    def _is_in(self, command: ProveDeployment | AwaitDeployRun, sha: str) -> bool:
        try:
            relation = self._code_host.compare(command.repository, command.commit, sha)
        except Missing:
            return False
        return relation in (Ancestry.SAME, Ancestry.DESCENDANT)


def _may_settle(proof: DeploymentProof) -> bool:
    """Traffic settles; a missing secret or an unfit deploy run does not."""
    lasting = {"environment", "actions_run", "commit"}
    return any(link.state is not LinkState.PROVEN and link.name not in lasting for link in proof.links)
