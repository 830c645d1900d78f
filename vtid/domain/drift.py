"""What an environment declares beside what runs: every difference, by name. Pure: observations in, differences out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from vtid.domain.deployment import LiveAnswer
from vtid.domain.environment import Service

# Each deploy sets these anew, to tell its commit: they are nobody's configuration.
OF_THE_DEPLOY = frozenset({"GIT_COMMIT_SHA", "COMMIT_SHA"})


@dataclass(frozen=True)
class RevisionSettings:
    """The variables of one serving revision.

    plain: name -> value. secrets: name -> `secret:version`. mounted: secrets that are files, not variables.
    """

    name: str
    percent: int
    plain: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    mounted: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServiceSettings:
    """A service as it runs. `serving`: by traffic status, never by template. url: its own.

    answer: of its version endpoint, where the host shows nothing else.
    """

    name: str
    url: str | None
    settled: bool
    serving: tuple[RevisionSettings, ...]
    answer: LiveAnswer | None = None


class DriftKind(StrEnum):
    SERVICE_MISSING = "service_missing"
    NOTHING_SERVES = "nothing_serves"
    NO_URL = "no_url"
    NO_VERSION = "no_version"  # its version endpoint tells no commit
    UNSETTLED = "unsettled"  # it is being changed right now
    MISSING = "missing"
    EXTRA = "extra"
    DIFFERENT = "different"
    TYPE_CONFLICT = "type_conflict"  # plain where a secret is declared, or the other way round


@dataclass(frozen=True)
class Drift:
    """One difference. Values stand here only where the declaration names a plain one: nothing secret is shown."""

    service: str
    kind: DriftKind
    says: str
    name: str | None = None
    type: str | None = None  # plain or secret, as declared; of an extra one as it runs
    expected: str | None = None
    actual: str | None = None
    revisions: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServiceReport:
    """A declared service, where it was found, and what differs.

    cloud_run: its name there; None on another host. unseen: what its host does not show, so that nothing of it is
    compared; None when all is. commit: what its version endpoint tells, where that alone is asked.
    """

    service: str
    host: str
    cloud_run: str | None
    url: str | None
    revisions: tuple[str, ...]
    drift: tuple[Drift, ...]
    unseen: str | None = None
    commit: str | None = None


@dataclass(frozen=True)
class DriftReport:
    """All services of one environment. `equal` when nothing that can be seen differs."""

    environment: str
    project: str
    region: str
    equal: bool
    services: tuple[ServiceReport, ...]
    drift: tuple[Drift, ...]  # of all services


def compare(service: Service, repository: str, seen: ServiceSettings | None) -> ServiceReport:
    """Hold a declared service of this repository against what runs; None: nothing does."""
    if not service.runs_on.shows_variables:
        return _only_its_answer(service, seen)
    cloud_run = service.cloud_run_name(repository)
    if seen is None:
        text = f"there is no service {cloud_run}"
        missing = Drift(service.name, DriftKind.SERVICE_MISSING, text)
        return ServiceReport(service.name, service.host, cloud_run, None, (), (missing,))
    found = [*_of_service(service, seen), *_of_revisions(service, seen.serving)]
    names = tuple(revision.name for revision in seen.serving)
    return ServiceReport(service.name, service.host, cloud_run, seen.url, names, tuple(found))


def _only_its_answer(service: Service, seen: ServiceSettings | None) -> ServiceReport:
    answer = seen.answer if seen else None
    url, commit = seen.url if seen else None, answer.commit if answer else None
    problem = (answer.problem if answer else None) or "it was not asked"
    drift = () if commit else (Drift(service.name, DriftKind.NO_VERSION, f"no commit is told: {problem}"),)
    unseen = f"{service.host} shows no variables and no secrets"
    return ServiceReport(service.name, service.host, None, url, (), drift, unseen, commit)


def _of_service(service: Service, seen: ServiceSettings) -> Iterator[Drift]:
    if not seen.settled:
        yield Drift(service.name, DriftKind.UNSETTLED, f"{seen.name} is being changed right now; ask again")
    if not seen.serving:
        yield Drift(service.name, DriftKind.NOTHING_SERVES, f"no revision of {seen.name} gets traffic")
    if not seen.url:
        yield Drift(service.name, DriftKind.NO_URL, f"{seen.name} has no address of its own")


def _of_revisions(service: Service, serving: Sequence[RevisionSettings]) -> Iterator[Drift]:
    """The differences of every serving revision; one that several share is told once, with their names."""
    shared: dict[tuple[object, ...], tuple[Drift, list[str]]] = {}
    for revision in serving:
        for drift in _of_revision(service, revision):
            key = (drift.kind, drift.name, drift.actual)
            shared.setdefault(key, (drift, []))[1].append(revision.name)
    for drift, names in shared.values():
        yield Drift(
            drift.service, drift.kind, drift.says, drift.name, drift.type, drift.expected, drift.actual,
            tuple(names),
        )  # fmt: skip


def _of_revision(service: Service, revision: RevisionSettings) -> Iterator[Drift]:
    for name in service.required_env:
        yield from _plain(service, revision, name)
    for name in service.required_secrets:
        yield from _secret(service, revision, name)
    yield from _extra(service, revision)


def _plain(service: Service, revision: RevisionSettings, name: str) -> Iterator[Drift]:
    def drift(kind: DriftKind, says: str, expected: str | None = None, actual: str | None = None) -> Drift:
        return Drift(service.name, kind, says, name, "plain", expected, actual)

    declared = service.env.get(name)
    if name in revision.secrets:
        yield drift(DriftKind.TYPE_CONFLICT, f"{name} is declared plain and bound to a secret")
    elif name not in revision.plain:
        yield drift(DriftKind.MISSING, f"the variable {name} is missing", declared)
    elif declared is not None and revision.plain[name] != declared:
        yield drift(
            DriftKind.DIFFERENT, f"{name} has another value than declared", declared, revision.plain[name]
        )


def _secret(service: Service, revision: RevisionSettings, name: str) -> Iterator[Drift]:
    def drift(kind: DriftKind, says: str, expected: str | None = None, actual: str | None = None) -> Drift:
        return Drift(service.name, kind, says, name, "secret", expected, actual)

    declared = service.secrets.get(name)
    bound = revision.secrets.get(name)
    if name in revision.plain:
        # Its value stands in the open there, and must not stand here, too.
        yield drift(DriftKind.TYPE_CONFLICT, f"{name} is declared a secret and set as plain text")
    elif bound is None and not _bound_otherwise(revision, name):
        yield drift(DriftKind.MISSING, f"the secret {name} is not bound", declared)
    elif bound is not None and declared is not None and bound != declared:
        yield drift(DriftKind.DIFFERENT, f"{name} is bound to another secret than declared", declared, bound)


def _bound_otherwise(revision: RevisionSettings, name: str) -> bool:
    """Whether the secret of this name is there under another variable's name, or as a file."""
    bound = {binding.rpartition(":")[0] for binding in revision.secrets.values()}
    return name in bound or name in revision.mounted


def _extra(service: Service, revision: RevisionSettings) -> Iterator[Drift]:
    declared = {*service.required_env, *service.required_secrets, *OF_THE_DEPLOY}
    for name in revision.plain:
        if name not in declared:
            text = f"the variable {name} is not declared"
            yield Drift(service.name, DriftKind.EXTRA, text, name, "plain")
    for name, binding in revision.secrets.items():
        if name not in declared and binding.rpartition(":")[0] not in declared:
            text = f"the secret {name} is not declared"
            yield Drift(service.name, DriftKind.EXTRA, text, name, "secret")
    for name in revision.mounted:
        if name not in declared:
            yield Drift(
                service.name, DriftKind.EXTRA, f"the mounted secret {name} is not declared", name, "secret"
            )
