"""The look of a sentinel: is what was proven still so?"""

from datetime import UTC, datetime

from temporalio import activity

from activities.polling import is_last_look, not_ready
from activities.witnesses import Witnesses
from vtid.domain.deployment import Link, ServiceSeen
from vtid.domain.environment import Service
from vtid.domain.ports import CodeHost, ServiceHost, VersionProbe
from vtid.domain.proving import links_of_service
from vtid.domain.serving import Finding, Serving, WatchDeployment, finding_of


class Sentinels:
    def __init__(self, code_host: CodeHost, service_host: ServiceHost, probe: VersionProbe) -> None:
        self._witnesses = Witnesses(code_host, service_host, probe)

    @activity.defn
    def watch_deployment(self, command: WatchDeployment) -> Finding | None:
        """Look once. As known: "not ready yet", so that the next look comes; None: its time is over. A read."""
        found = finding_of(command.commit, [self._look(command, service) for service in command.services])
        as_proven = command.known in (Serving.WATCHED, Serving.RESTORED)
        if found is not None and found.kind is not (Serving.RESTORED if as_proven else command.known):
            return found
        if is_last_look():
            return None
        raise not_ready(found.says if found else "it still moves")

    def _look(self, command: WatchDeployment, service: Service) -> tuple[ServiceSeen, tuple[Link, ...]]:
        seen = self._witnesses.see(command.environment, service, command.repository, command.commit)
        return seen, links_of_service(command.commit, service, seen, datetime.now(UTC))
