"""What a run is started with, and how it answers when it completed."""

from dataclasses import dataclass

from vtid.domain.environment import Environment
from vtid.domain.limits import Limit


@dataclass(frozen=True)
class RunRequest:
    """The input of a run. `start_id` names the row that the API wrote before the start."""

    vtid: str
    start_id: str
    title: str
    spec_hash: str
    spec_version: int
    repository: str
    environment: Environment
    limits: dict[str, Limit]
    services: tuple[str, ...] = ()  # empty: decided by the changed paths
    priority: int = 3
    requested_by: str = ""
    page_url: str = ""  # where the API's page shows this run

    @property
    def base(self) -> str:
        return self.environment.base_branch


@dataclass(frozen=True)
class RunReport:
    """How a completed run ended. All the rest stands in the ledger."""

    vtid: str
    status: str
    outcome: str
    commit: str | None = None  # on the base branch
