"""What an environment declares beside what runs, read now."""

from api.declared import environment_of, repository_of
from api.outside import LOOK_SECONDS, asked
from api.problems import Problem
from vtid.domain.drift import DriftReport, ServiceReport, compare
from vtid.domain.environment import Environment
from vtid.domain.ports import SettingsHost


class Drifts:
    """Asks where the services run; changes nothing."""

    def __init__(
        self,
        environments: dict[str, Environment],
        host: SettingsHost | None,
        *,
        seconds: float = LOOK_SECONDS,
    ) -> None:
        self._environments = environments
        self._host = host
        self._seconds = seconds

    async def look(self, name: str, repository: str | None) -> DriftReport:
        """Every difference of an environment.

        repository: needed where the environment is declared for several. Raises Problem NOT_FOUND for a name that
        is not declared, VALIDATION, and CLOUD_RUN_UNAVAILABLE or CLOUD_RUN_DENIED when it could not be asked.
        """
        environment = environment_of(self._environments, name)
        made_for_it = any(service.is_named_after_repository for service in environment.services)
        where = repository_of(environment, repository, matters=made_for_it)
        host = self._host
        if host is None:
            raise Problem("CLOUD_RUN_UNAVAILABLE", "this API cannot ask where services run", status=503)
        services = await asked("CLOUD_RUN", lambda: _reports(host, environment, where), self._seconds)
        drift = tuple(each for report in services for each in report.drift)
        return DriftReport(name, environment.project, environment.region, not drift, services, drift)


def _reports(host: SettingsHost, environment: Environment, repository: str) -> tuple[ServiceReport, ...]:
    return tuple(
        compare(service, repository, host.settings(environment, service, repository))
        for service in environment.services
    )
