"""What a service declares must be what its host can show, and what policy asks must be what it can do."""

from collections.abc import Iterator

from vtid.configuration.environment_file import EnvironmentSection, ServiceSection
from vtid.domain.hosts import HOSTS

Place = tuple[str | int, ...]  # keys and indexes from the top of the file


def host_misfits(name: str, section: EnvironmentSection) -> Iterator[tuple[Place, str]]:
    """Where the environment asks for something that a host does not have: (place, problem and what is allowed)."""
    for key, service in section.services.items():
        yield from (((name, "services", key, field), problem) for field, problem in _of_service(service))
    yield from (((name, field), problem) for field, problem in _of_google(section))
    for key, service in section.services.items():
        host = HOSTS[service.host]
        if section.policy.rollback and not host.shifts_traffic:
            text = f"service {key} runs on {host.name}, which cannot shift traffic back; allowed here: false"
            yield (name, "policy", "rollback"), text
        if section.live_answers < 2 and not host.names_commits:
            text = f"service {key} runs on {host.name}, where only its answers tell the commit; at least 2"
            yield (name, "live_answers"), text


def _of_service(service: ServiceSection) -> Iterator[tuple[str, str]]:
    host = HOSTS[service.host]
    if getattr(service, host.address_key) is None:
        where = f" (host {host.name} needs it)" if "host" in service.model_fields_set else ""
        yield host.address_key, f"is missing{where}"
    for field in host.keys_without_use:
        if field in service.model_fields_set:
            yield field, f"has no use on host {host.name}, which does not show it; take it away"


def _of_google(section: EnvironmentSection) -> Iterator[tuple[str, str]]:
    services = section.services.values()
    if services and all(service.host != "cloud_run" for service in services):
        return
    yield from ((field, "is missing") for field in ("project", "region") if getattr(section, field) is None)
