"""Steps of a rollback: what served before, and back to it, proven like any deployment."""

from temporalio import activity

from activities.polling import is_last_look, not_ready
from activities.witnesses import Witnesses
from vtid.domain.commands.deployments import ReadServing, RollBack, RolledBack, ServedBefore
from vtid.domain.deployment import DeploymentProof, ServiceSeen
from vtid.domain.errors import Conflict
from vtid.domain.ports import CodeHost, TrafficHost, VersionProbe
from vtid.domain.rollback import came_between, hold_of, no_reason_in, served_by


class Rollbacks:
    def __init__(self, code_host: CodeHost, service_host: TrafficHost, probe: VersionProbe) -> None:
        self._service_host = service_host
        self._witnesses = Witnesses(code_host, service_host, probe)

    @activity.defn
    def read_serving(self, command: ReadServing) -> dict[str, ServedBefore]:
        """By the service's name: what has all of its traffic. One that has no such revision is left out. A read."""
        found = {}
        for service in command.services:
            seen = self._service_host.service(command.environment, service, command.repository, "")
            before = served_by(seen)
            if before is not None:
                found[service.name] = before
        return found

    @activity.defn
    def roll_back(self, command: RollBack) -> RolledBack:
        """Shift traffic back once, then look until it is proven to be back. Safe to repeat.

        A first look that finds the old revision serving has nothing to undo; a later one sees our own shift.
        """
        service, before = command.service, command.before
        seen = self._service_host.service(command.environment, service, command.repository, command.commit)
        is_back = served_by(seen) == before
        if is_back and activity.info().attempt > 1:
            return self._proven_back(command)
        if not seen.settled and not is_last_look():
            raise not_ready(f"{service.name} still reconciles")
        hold = self._hold(command, seen)
        if hold is not None or is_last_look():
            return RolledBack(
                service.name, before, held=hold or "there was no time left to shift traffic back"
            )
        try:
            self._service_host.shift_traffic(
                command.environment, service, command.repository, before.revision, seen.etag
            )
        except Conflict as changed:  # somebody else was at it: look who
            raise not_ready(f"{service.name} was changed meanwhile: {changed}") from changed
        raise not_ready(f"the traffic of {service.name} is on its way back to {before.revision}")

    def _hold(self, command: RollBack, seen: ServiceSeen) -> str | None:
        """Why traffic stays as it is, or None. All is asked anew: much time may have gone since the proof."""
        where = (command.environment, command.service, command.repository)
        hold = hold_of(seen, command.commit, command.before)
        if hold is not None:
            return hold
        newest = self._service_host.newest_revisions(*where)
        return came_between(newest, command.before.revision, seen.serving[0].name) or no_reason_in(
            self._witnesses.links(*where, command.commit)
        )

    def _proven_back(self, command: RollBack) -> RolledBack:
        before = command.before
        links = self._witnesses.links(command.environment, command.service, command.repository, before.commit)
        proof = DeploymentProof(before.commit, links)
        if not proof.complete and not is_last_look():
            raise not_ready(f"not proven yet: {proof.open_link.says if proof.open_link else 'no link'}")
        return RolledBack(command.service.name, before, proven=proof.complete, links=links)
