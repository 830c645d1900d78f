"""Going back when what was deployed is not what it should be: only where policy says so, and never against a person."""

from activities.rollbacks import Rollbacks
from vtid.domain.commands.deployments import ReadServing, RollBack, RolledBack, ServedBefore
from vtid.domain.deployment import DeploymentProof, LinkState
from vtid.domain.environment import Service
from vtid.domain.failures import RunStopped
from workflows.course import Course


class Rollback:
    def __init__(self, course: Course) -> None:
        self._course = course
        self._before: dict[str, ServedBefore] | None = None  # by the service's name; None: not read yet
        self._unproven: list[str] = []  # commits that this run deployed

    async def remember(self, services: tuple[Service, ...]) -> None:
        """See what serves now, before anything of ours does."""
        course = self._course
        if not services:
            return
        command = ReadServing(course.request.repository, course.request.environment, services)
        names = ", ".join(service.name for service in services)
        read = await course.step(
            Rollbacks.read_serving, command, f"Cloud Run to say what serves {names} now", "Cloud Run"
        )
        # Read again for each merge, since days may go by; but nobody wants what this run could not prove.
        self._before = {name: each for name, each in read.items() if each.commit not in self._unproven}

    async def roll_back(self, services: tuple[Service, ...], proof: DeploymentProof) -> str | None:
        """Go back with every service that is not proven. Gives what was done, or None when nothing was."""
        if not self._course.request.environment.policy.rollback:
            return None
        self._unproven.append(self._commit())
        unproven = {link.service for link in proof.links if link.state is not LinkState.PROVEN}
        done = [await self._one(service) for service in services if service.name in unproven]
        return "; ".join(told for told in done if told) or None

    async def _one(self, service: Service) -> str | None:
        before = (self._before or {}).get(service.name)
        if before is None:
            self._held(service, "what served before the merge is not known")
            return None
        course = self._course
        command = RollBack(
            course.request.repository, course.request.environment, service, self._commit(), before
        )
        what = f"the traffic of {service.name} to be back on {before.revision}, proven"
        try:
            ended = await course.send(
                Rollbacks.roll_back,
                command,
                what,
                "Cloud Run",
                keep=lambda ended: self._tell(service, ended),
                what=f"{service.name} went back",
            )
        except RunStopped as stop:
            self._held(service, f"it could not be asked: {stop.message}")
            return None
        return None if ended.held else _sentence(ended)

    def _tell(self, service: Service, ended: RolledBack) -> None:
        if ended.held:
            self._held(service, ended.held)
            return
        to = ended.to
        self._course.notes.append(_sentence(ended))
        self._course.story.tell(
            "rollback.done",
            service=ended.service,
            revision=to.revision,
            commit=to.commit,
            proven=ended.proven,
            links=list(ended.links),
        )

    def _held(self, service: Service, why: str) -> None:
        self._course.story.tell("rollback.held", service=service.name, reason=why)

    def _commit(self) -> str:
        return self._course.merged_sha or ""


def _sentence(ended: RolledBack) -> str:
    how = "proven" if ended.proven else "not proven"
    return f"{ended.service} is back on {ended.to.revision} ({ended.to.commit[:12]}), {how}"
