"""Where a repository stands: every URL in an answer starts here."""

from dataclasses import dataclass

from vtid.simulator.facts import Repository


@dataclass(frozen=True)
class Place:
    """A repository as seen through the address that the client used."""

    origin: str
    repository: Repository

    @property
    def root(self) -> str:
        return f"{self.origin}/api/v3"

    @property
    def api(self) -> str:
        return f"{self.root}/repos/{self.repository.full_name}"

    @property
    def html(self) -> str:
        return f"{self.origin}/{self.repository.full_name}"


def node_id(kind: str, number: int | str) -> str:
    return f"{kind}_{number}"
