"""What the API needs of the workflow engine, in our words. `runs.py` answers it with Temporal.

Every method is bounded in time and may raise EngineUnavailable; a repeat with the same arguments meets
the same message of the run, so trying again after a lost answer is always right.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from vtid.domain.commands.messages import (
    Acknowledge,
    CancelRun,
    DeploymentClaimed,
    LeaseTerms,
    ReleaseLease,
    ReportFailure,
    Rescue,
    SubmitEvidence,
)
from vtid.domain.commands.run import RunRequest
from vtid.domain.hints import Hint
from vtid.domain.serving import WatchRequest
from vtid.domain.view import RunView

# A poll of a Temporal worker lasts up to a minute, and counts from its begin.
POLLED_WITHIN = timedelta(seconds=75)


class EngineUnavailable(Exception):
    """Temporal, or every worker of ours, is out of reach. What was asked may still happen."""


class RunOver(Exception):
    """The run is closed or unknown, so it takes no message any more."""


class IdTaken(Exception):
    """Another run than the one asked for stands under this VTID in Temporal."""


class RunRef(NamedTuple):
    """One run: the workflow id, which is the VTID, and Temporal's run id."""

    vtid: str
    run_id: str


class Beat(StrEnum):
    """What a heartbeat met."""

    CONTINUE = "continue"
    STOP = "stop"  # the run asked the worker to stop
    GONE = "gone"  # no such lease is open


@dataclass(frozen=True)
class Execution:
    """A run as Temporal describes it. `status` is Temporal's word in lower case, such as `terminated`."""

    run_id: str
    start_id: str | None
    status: str
    closed_at: datetime | None = None
    failing_tries: int = 0  # how often the pending workflow task was tried; 0 when none is pending
    refused_write: str = ""  # what our ledger says to the events of the run, when it keeps refusing them
    build: str = ""  # of the workers that alone may work it; empty: any may

    @property
    def is_running(self) -> bool:
        return self.status == "running"


@dataclass(frozen=True)
class Pollers:
    """Who asks Temporal for the work of runs: when workers of each build last did. current: the build that new runs go to.

    The build of a worker without a version is empty.
    """

    current: str
    last_polled: Mapping[str, datetime]

    def polls(self, build: str, now: datetime) -> bool:
        """Whether a worker of this build is there."""
        at = self.last_polled.get(build)
        return at is not None and now - at <= POLLED_WITHIN


class Engine(Protocol):
    """The only way from the API to the runs."""

    async def start(self, request: RunRequest) -> str:
        """Start the run, or find the one that an earlier, unanswered start of this request made: its run id.

        Raises IdTaken when another run has the VTID.
        """

    async def acknowledge(self, run: RunRef, command: Acknowledge) -> LeaseTerms:
        """One worker wins the order. Raises Refusal (ALREADY_CLAIMED, LEASE_LOST, …) or RunOver."""

    async def submit_evidence(self, run: RunRef, command: SubmitEvidence) -> None:
        """Raises Refusal (LEASE_LOST, VALIDATION) or RunOver."""

    async def report_failure(self, run: RunRef, command: ReportFailure) -> None:
        """Raises Refusal (LEASE_LOST) or RunOver."""

    async def release_lease(self, run: RunRef, command: ReleaseLease) -> None:
        """Raises Refusal (LEASE_LOST) or RunOver."""

    async def rescue(self, run: RunRef, command: Rescue, *, blocked_since: str) -> None:
        """`blocked_since` tells one block from the next. Raises Refusal (MOVE_NOT_OFFERED) or RunOver."""

    async def cancel(self, run: RunRef, command: CancelRun) -> None:
        """Ask the run to end. Raises Refusal (ILLEGAL_TRANSITION) or RunOver."""

    async def beat(self, run: RunRef, attempt: int) -> Beat:
        """Keep the lease of this attempt alive; costs the run's history nothing."""

    async def confirm_stop(self, run: RunRef, attempt: int) -> bool:
        """If the worker was told to stop, tell the run that it has. False: nobody asked it to."""

    async def deployment_claimed(self, run: RunRef, claim: DeploymentClaimed) -> None:
        """A worker's word about the deployment; a run that is over does not mind."""

    async def switch_changed(self, run: RunRef, *, armed: bool) -> None:
        """A hint; a run that is over does not mind."""

    async def look_now(self, run: RunRef, hint: Hint) -> None:
        """A hint that something may have changed; a run that is over does not mind."""

    async def watch(self, request: WatchRequest) -> None:
        """Begin the sentinel of a proven deployment, unless it is at work or came to its end."""

    async def view(self, run: RunRef) -> RunView:
        """The run's own word about where it stands, without the ledger. Raises RunOver."""

    async def describe(self, vtid: str, run_id: str | None = None) -> Execution | None:
        """The latest run of this VTID (or exactly this one), or None when Temporal knows none."""

    async def pollers(self) -> Pollers:
        """Who asked for work in the last minutes."""
