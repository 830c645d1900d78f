"""The link of the proof that is about the database, where the environment declares migrations."""

from dataclasses import replace

from activities.migrations import MigrationChecks
from vtid.domain.commands.deployments import VerifyMigrations
from vtid.domain.deployment import DeploymentProof
from workflows.course import Course


async def with_migrations(course: Course, proof: DeploymentProof, *, deployed: bool) -> DeploymentProof:
    """The proof with one link more: the migrations of exactly this commit, held against the database.

    Not asked where none are declared, nor when nothing was deployed and the change touches none of them.
    """
    request, declared = course.request, course.request.environment.migrations
    if declared is None or not (deployed or declared.is_touched_by(course.paths or ())):
        return proof
    command = VerifyMigrations(request.repository, proof.commit, request.base, declared)
    what = f"the migrations of {proof.commit[:12]} to be applied"
    link = await course.step(MigrationChecks.verify_migrations, command, what, "the deploy, or an operator")
    return replace(proof, links=(*proof.links, link))
