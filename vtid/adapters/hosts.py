"""Every kind of host behind one port. Another one is a row in vtid/domain/hosts.py, a module here, and a line below."""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Protocol

from vtid.adapters.http_version import HttpVersion
from vtid.domain.deployment import RevisionSeen, ServiceSeen
from vtid.domain.drift import ServiceSettings
from vtid.domain.environment import Environment, Service
from vtid.domain.errors import Refused
from vtid.domain.ports import ServiceHost, SettingsHost, TrafficHost, VersionProbe


class HostAdapter(ServiceHost, SettingsHost, Protocol):
    """What a module for one kind of host has; one that shifts traffic is a TrafficHost, too."""


def service_hosts(cloud_run_url: str | None, probe: VersionProbe) -> "ServiceHosts":
    """The adapters by the names of HOSTS. cloud_run_url: None for Google's own."""

    def cloud_run() -> HostAdapter:
        from vtid.adapters.cloud_run import CloudRun  # a second and 70 MB: only who asks it pays for it

        return CloudRun(cloud_run_url)

    return ServiceHosts({"cloud_run": cloud_run, "http_version": lambda: HttpVersion(probe)})


class ServiceHosts:
    """TrafficHost and SettingsHost: asks the host on which the service runs. Safe to share between threads."""

    def __init__(self, makers: Mapping[str, Callable[[], HostAdapter]]) -> None:
        self._makers = makers
        self._made: dict[str, HostAdapter] = {}
        self._making = Lock()

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._makers)

    def service(
        self, environment: Environment, service: Service, repository: str, commit: str
    ) -> ServiceSeen:
        return self._host_of(service).service(environment, service, repository, commit)

    def settings(self, environment: Environment, service: Service, repository: str) -> ServiceSettings | None:
        return self._host_of(service).settings(environment, service, repository)

    def newest_revisions(
        self, environment: Environment, service: Service, repository: str
    ) -> tuple[RevisionSeen, ...]:
        return self._traffic_host_of(service).newest_revisions(environment, service, repository)

    def shift_traffic(
        self, environment: Environment, service: Service, repository: str, revision: str, etag: str
    ) -> None:
        self._traffic_host_of(service).shift_traffic(environment, service, repository, revision, etag)

    def _host_of(self, service: Service) -> HostAdapter:
        with self._making:
            if service.host not in self._made:
                self._made[service.host] = self._makers[service.host]()
            return self._made[service.host]

    def _traffic_host_of(self, service: Service) -> TrafficHost:
        host = self._host_of(service)
        if not isinstance(host, TrafficHost):
            raise Refused("SERVICE", f"{service.name} runs on {service.host}, which cannot shift traffic")
        return host
