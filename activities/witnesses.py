"""What can be seen of one service: its host, its own answers, and how the commits that they name relate to ours."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from vtid.domain.change import Ancestry
from vtid.domain.deployment import Link, LiveAnswer, ServiceSeen
from vtid.domain.environment import Environment, Service
from vtid.domain.errors import Missing
from vtid.domain.ports import CodeHost, ServiceHost, VersionProbe
from vtid.domain.proving import links_of_service


class Witnesses:
    """Asked anew each time: an answer is true of its moment only."""

    def __init__(self, code_host: CodeHost, service_host: ServiceHost, probe: VersionProbe) -> None:
        self._code_host = code_host
        self._service_host = service_host
        self._probe = probe

    def links(
        self, environment: Environment, service: Service, repository: str, commit: str
    ) -> tuple[Link, ...]:
        """The links of this service for this commit, as of now."""
        seen = self.see(environment, service, repository, commit)
        return links_of_service(commit, service, seen, datetime.now(UTC))

    def see(self, environment: Environment, service: Service, repository: str, commit: str) -> ServiceSeen:
        seen = self._service_host.service(environment, service, repository, commit)
        if seen.uri:
            seen = replace(seen, answers=tuple(self._answers(environment, service, seen.uri)))
        return replace(seen, ancestry=self._ancestry(repository, commit, seen))

    def _answers(self, environment: Environment, service: Service, uri: str) -> Iterator[LiveAnswer]:
        """As many as must agree. Where nobody answers at all, the others would only cost the time of the step."""
        for _ in range(environment.live_answers):
            answer = self._probe.look(uri, service.version_path, service.version_auth)
            yield answer
            if answer.status is None and answer.commit is None:
                return

    def _ancestry(self, repository: str, commit: str, seen: ServiceSeen) -> dict[str, Ancestry]:
        """How each other commit that was seen relates to ours; one that GitHub does not know is left out."""
        claimed = {claim for revision in seen.serving for claim in revision.claims.values()}
        answered = {answer.commit for answer in seen.answers if answer.commit}
        related = {}
        for other in sorted((claimed | answered) - {commit}):
            try:
                related[other] = self._code_host.compare(repository, commit, other)
            except Missing:
                continue  # a commit of another repository: the link says what was seen
        return related
