"""ServiceHost over Google Cloud Run's Admin API v2 (REST). Importing it takes a second: steps only."""

import re
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

import google.auth
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import NotFound, from_http_response
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from google.cloud import run_v2

from vtid.adapters.cloud_run_errors import SYSTEM, asking_cloud_run
from vtid.adapters.cloud_run_revisions import created_at, resolved_digest, revision_seen, short_name, telling
from vtid.adapters.cloud_run_settings import revision_settings
from vtid.adapters.errors import reading
from vtid.domain.deployment import RevisionSeen, ServiceSeen
from vtid.domain.drift import ServiceSettings
from vtid.domain.environment import Environment, Service
from vtid.domain.errors import BadReply

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
MOST_REVISIONS = 20  # that are looked through, newest first

_SUCCEEDED = run_v2.Condition.State.CONDITION_SUCCEEDED
_LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
_PINNED = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


class CloudRun:
    """Where services run. Safe to share between threads; every request is one try.

    endpoint: None for Google's own with the machine's default credentials; else an address, of which
    plain `http://` is only for this machine and asks without credentials. Raises ValueError for another.
    timeout: seconds that a connection or a silence within one request may last.
    """

    def __init__(self, endpoint: str | None = None, *, timeout: float = 10.0) -> None:
        self._endpoint = endpoint
        self._anonymous = endpoint is not None and _is_plain_http(endpoint)
        self._timeout = timeout
        self._of_thread = threading.local()

    def service(
        self, environment: Environment, service: Service, repository: str, commit: str
    ) -> ServiceSeen:
        """What serves by traffic status. The template is never read: it also shows what failed to roll out."""
        name, path = service.cloud_run_name(repository), _path_of(environment, service, repository)
        with asking_cloud_run(f"service {name}"):
            clients = self._clients()
            found = clients.services.get_service(name=path, retry=None, timeout=self._timeout)
            if not found.name:
                raise BadReply(SYSTEM, f"Cloud Run's answer about {name} is no service")
            look = _Look(clients, path, service.sha_witnesses, self._timeout)
            serving = tuple(look.serving(revision, percent) for revision, percent in _shares(found).items())
            return ServiceSeen(
                name=name,
                uri=found.uri or None,
                settled=not found.reconciling and found.observed_generation == found.generation,
                healthy=found.terminal_condition.state == _SUCCEEDED,
                condition=telling(found.terminal_condition),
                serving=serving,
                ours_idle=look.idle_of(commit, serving),
                latest=look.latest(found, serving),
                etag=found.etag,
                pinned=_pinned(found),
            )

    def newest_revisions(
        self, environment: Environment, service: Service, repository: str
    ) -> tuple[RevisionSeen, ...]:
        path = _path_of(environment, service, repository)
        with asking_cloud_run(f"revisions of {path}"):
            return _Look(self._clients(), path, service.sha_witnesses, self._timeout).newest()

    def shift_traffic(
        self, environment: Environment, service: Service, repository: str, revision: str, etag: str
    ) -> None:
        """The etag makes it a compare-and-swap. The operation is not waited for: its end is read, as any other."""
        path = _path_of(environment, service, repository)
        target = run_v2.TrafficTarget(type_=_PINNED, revision=revision, percent=100)
        wanted = run_v2.Service(name=path, etag=etag, traffic=[target])
        request = run_v2.UpdateServiceRequest(service=wanted, update_mask={"paths": ["traffic"]})
        with asking_cloud_run(f"traffic of {path}"):
            self._clients().services.update_service(request=request, retry=None, timeout=self._timeout)

    def settings(self, environment: Environment, service: Service, repository: str) -> ServiceSettings | None:
        """The variables of every serving revision; None when there is no such service."""
        name, path = service.cloud_run_name(repository), _path_of(environment, service, repository)
        with asking_cloud_run(f"service {name}"):
            clients = self._clients()
            try:
                found = clients.services.get_service(name=path, retry=None, timeout=self._timeout)
            except NotFound:
                return None
            serving = tuple(
                revision_settings(
                    clients.revisions.get_revision(
                        name=f"{path}/revisions/{revision}", retry=None, timeout=self._timeout
                    ),
                    percent,
                )
                for revision, percent in _shares(found).items()
            )
            settled = not found.reconciling and found.observed_generation == found.generation
            return ServiceSettings(name, found.uri or None, settled, serving)

    def _clients(self) -> "_Clients":
        """One set per thread: the sessions under them promise no thread-safety."""
        if not hasattr(self._of_thread, "clients"):
            self._of_thread.clients = _Clients(self._endpoint, anonymous=self._anonymous)
        clients: _Clients = self._of_thread.clients
        return clients


class _Clients:
    """Google's clients over REST, and the plain session for what they leave out."""

    def __init__(self, endpoint: str | None, *, anonymous: bool) -> None:
        credentials = AnonymousCredentials() if anonymous else google.auth.default(scopes=[SCOPE])[0]  # type: ignore[no-untyped-call]
        options = ClientOptions(api_endpoint=endpoint)
        self.address = (endpoint or f"https://{run_v2.RevisionsClient.DEFAULT_ENDPOINT}").rstrip("/")
        self.services = run_v2.ServicesClient(
            credentials=credentials, transport="rest", client_options=options
        )
        self.revisions = run_v2.RevisionsClient(
            credentials=credentials, transport="rest", client_options=options
        )
        self.session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]


class _Look:
    """The revisions of one service during one look."""

    def __init__(self, clients: _Clients, path: str, witnesses: Sequence[str], timeout: float) -> None:
        self._clients = clients
        self._path = path
        self._witnesses = witnesses
        self._timeout = timeout

    def serving(self, name: str, percent: int) -> RevisionSeen:
        seen = self._revision(name, percent)
        if seen.image_digest:
            return seen
        address = f"{self._clients.address}/v2/{self._path}/revisions/{name}"
        answer = self._clients.session.get(address, timeout=self._timeout, allow_redirects=False)
        if answer.status_code != 200:
            raise from_http_response(answer)  # type: ignore[no-untyped-call]
        data = answer.json()
        with reading(SYSTEM, f"revision {name}"):
            return replace(seen, image_digest=resolved_digest(data))

    def _revision(self, name: str, percent: int) -> RevisionSeen:
        found = self._clients.revisions.get_revision(
            name=f"{self._path}/revisions/{name}", retry=None, timeout=self._timeout
        )
        return revision_seen(found, percent, self._witnesses)

    def idle_of(self, commit: str, serving: Sequence[RevisionSeen]) -> RevisionSeen | None:
        """The newest revision that claims the commit and gets no traffic; not searched while ours serves."""
        if serving and all(commit in revision.claims.values() for revision in serving):
            return None
        with_traffic = {revision.name for revision in serving}
        return next(
            (
                each
                for each in self.newest()
                if each.name not in with_traffic and commit in each.claims.values()
            ),
            None,
        )

    def newest(self) -> tuple[RevisionSeen, ...]:
        """Newest first, whether they serve or not."""
        request = run_v2.ListRevisionsRequest(parent=self._path, page_size=MOST_REVISIONS)
        listed = self._clients.revisions.list_revisions(request=request, retry=None, timeout=self._timeout)
        first_page = next(iter(listed.pages)).revisions
        newest_first = sorted(first_page, key=lambda each: created_at(each) or BEFORE_ALL, reverse=True)
        return tuple(revision_seen(each, 0, self._witnesses) for each in newest_first)

    def latest(self, service: run_v2.Service, serving: Sequence[RevisionSeen]) -> RevisionSeen | None:
        """The revision that was created last, if it does not serve."""
        name = short_name(service.latest_created_revision)
        if not name or name in {revision.name for revision in serving}:
            return None
        return self._revision(name, 0)


def _shares(service: run_v2.Service) -> dict[str, int]:
    """Revision -> percent, of what Cloud Run says is so (not of what was asked for)."""
    shares: dict[str, int] = {}
    for status in service.traffic_statuses:
        if status.percent <= 0:
            continue
        follows_latest = status.type_ == _LATEST and not status.revision
        name = short_name(service.latest_ready_revision if follows_latest else status.revision)
        if not name:
            raise BadReply(
                SYSTEM, f"{status.percent} % of the traffic of {service.name} go to no named revision"
            )
        shares[name] = shares.get(name, 0) + status.percent
    return shares


def _path_of(environment: Environment, service: Service, repository: str) -> str:
    name = service.cloud_run_name(repository)
    return f"projects/{environment.project}/locations/{environment.region}/services/{name}"


def _pinned(service: run_v2.Service) -> tuple[str, ...]:
    """Revisions that traffic was told to stay on, by what was asked for."""
    asked = (target for target in service.traffic if target.percent > 0 and target.type_ != _LATEST)
    return tuple(short_name(target.revision) for target in asked if target.revision)


def _is_plain_http(endpoint: str) -> bool:
    """Whether it is unencrypted, which is refused anywhere but on this machine. Raises ValueError."""
    address = urlsplit(endpoint)
    if address.scheme == "https" and address.hostname:
        return False
    if address.scheme == "http" and _is_loopback(address.hostname or ""):
        return True
    raise ValueError(
        f"Cloud Run endpoint {endpoint!r}: expected https://…, or http:// on loopback (127.0.0.1, ::1, localhost)"
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    return bool(re.fullmatch(r"[0-9a-fA-F.:]+", host)) and ip_address(host).is_loopback
