"""ServiceHost for a service of which nothing can be seen but its own version endpoint, wherever it runs."""

from vtid.domain.deployment import ServiceSeen
from vtid.domain.drift import ServiceSettings
from vtid.domain.environment import Environment, Service
from vtid.domain.ports import VersionProbe


class HttpVersion:
    """Knows the declared address and nothing else: what the service says there is the probe's to ask."""

    def __init__(self, probe: VersionProbe) -> None:
        self._probe = probe

    def service(
        self, environment: Environment, service: Service, repository: str, commit: str
    ) -> ServiceSeen:
        return ServiceSeen(
            name=service.name,
            uri=service.address(repository),
            settled=True,
            healthy=True,
            condition="",
            serving=(),
        )

    def settings(self, environment: Environment, service: Service, repository: str) -> ServiceSettings:
        """No variable is shown; whether the version endpoint tells a commit is all that can be looked at."""
        address = service.address(repository) or ""
        answer = self._probe.look(address, service.version_path, service.version_auth)
        return ServiceSettings(service.name, address, settled=True, serving=(), answer=answer)
