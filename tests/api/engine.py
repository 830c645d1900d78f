"""An engine without Temporal: runs as plain objects that keep the same promises."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from api.engine import Beat, EngineUnavailable, Execution, IdTaken, Pollers, RunOver, RunRef
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
from vtid.ledger import Refusal


@dataclass
class FakeRun:
    """One run: its request, who holds which attempt, and everything that it was told."""

    request: RunRequest
    run_id: str
    status: str = "running"
    closed_at: datetime | None = None
    failing_tries: int = 0
    refused_write: str = ""
    build: str = ""
    holder: str | None = None
    attempt: int = 0
    stopping: bool = False
    lease_open: bool = True
    evidence: SubmitEvidence | None = None
    told: list[object] = field(default_factory=list)


class FakeEngine:
    """api.engine.Engine over a dictionary. `down`: nothing answers. `losing`: effects happen, answers do not.

    `mute`: the VTIDs about which nothing is answered.
    """

    namespace = "default"

    def __init__(self) -> None:
        self.runs: dict[str, FakeRun] = {}
        self.watched: list[WatchRequest] = []
        self.down = False
        self.losing = False
        self.mute: set[str] = set()
        self.polled_at: datetime | None = datetime.now(UTC)  # by a worker without a version
        self.current_build = ""
        self.builds: dict[str, datetime] = {}  # once nobody without a version polls

    def run_of(self, vtid: str) -> FakeRun:
        return self.runs[vtid]

    def _reach(self, vtid: str = "") -> None:
        if self.down or vtid in self.mute:
            raise EngineUnavailable("Temporal is out of reach (UNAVAILABLE)")

    def _answer(self) -> None:
        if self.losing:
            self.losing = False
            raise EngineUnavailable("no answer from the run within 8 s; what was asked may still happen")

    def _open(self, run: RunRef) -> FakeRun:
        self._reach()
        found = self.runs.get(run.vtid)
        if found is None or found.run_id != run.run_id or found.status != "running":
            raise RunOver("workflow execution already completed")
        return found

    def _held(self, run: RunRef, attempt: int, worker: str) -> FakeRun:
        found = self._open(run)
        if (found.holder, found.attempt) != (worker, attempt) or not found.lease_open:
            raise Refusal("LEASE_LOST", f"{found.holder or 'nobody'} holds it")
        return found

    async def start(self, request: RunRequest) -> str:
        self._reach()
        there = self.runs.get(request.vtid)
        if there is not None and there.request.start_id == request.start_id:
            return there.run_id
        if there is not None and there.status in ("running", "completed"):
            raise IdTaken(f"another run of {request.vtid} is {there.status} in Temporal")
        run = FakeRun(request, f"run-{request.start_id[:12]}")
        self.runs[request.vtid] = run
        self._answer()
        return run.run_id

    async def acknowledge(self, run: RunRef, command: Acknowledge) -> LeaseTerms:
        found = self._open(run)
        if found.holder not in (None, command.worker):
            raise Refusal("ALREADY_CLAIMED", f"{found.holder} holds it")
        if found.holder is None:
            found.holder, found.attempt, found.lease_open = command.worker, found.attempt + 1, True
            found.told.append(command)
        self._answer()
        return LeaseTerms(found.attempt, command.order_id, datetime.now(UTC))

    async def submit_evidence(self, run: RunRef, command: SubmitEvidence) -> None:
        found = self._open(run)
        if found.evidence == command:
            return
        self._held(run, command.attempt, command.worker)
        found.evidence, found.lease_open = command, False
        self._answer()

    async def report_failure(self, run: RunRef, command: ReportFailure) -> None:
        self._repeatable(run, command)

    async def release_lease(self, run: RunRef, command: ReleaseLease) -> None:
        self._repeatable(run, command)

    def _repeatable(self, run: RunRef, command: ReportFailure | ReleaseLease) -> None:
        if command in self._open(run).told:
            return
        found = self._held(run, command.attempt, command.worker)
        found.told.append(command)
        found.holder = None

    async def rescue(self, run: RunRef, command: Rescue, *, blocked_since: str) -> None:
        self._open(run).told.append(command)

    async def cancel(self, run: RunRef, command: CancelRun) -> None:
        found = self._open(run)
        found.stopping = True
        found.told.append(command)

    async def beat(self, run: RunRef, attempt: int) -> Beat:
        self._reach()
        found = self.runs.get(run.vtid)
        if found is None or found.attempt != attempt or found.holder is None or not found.lease_open:
            return Beat.GONE
        return Beat.STOP if found.stopping else Beat.CONTINUE

    async def confirm_stop(self, run: RunRef, attempt: int) -> bool:
        if await self.beat(run, attempt) is not Beat.STOP:
            return False
        self.runs[run.vtid].told.append("stopped")
        self.runs[run.vtid].lease_open = False
        return True

    async def deployment_claimed(self, run: RunRef, claim: DeploymentClaimed) -> None:
        self._reach(run.vtid)
        self.runs[run.vtid].told.append(claim)

    async def switch_changed(self, run: RunRef, *, armed: bool) -> None:
        self._reach(run.vtid)
        self.runs[run.vtid].told.append("armed" if armed else "disarmed")

    async def watch(self, request: WatchRequest) -> None:
        self.watched.append(request)

    async def look_now(self, run: RunRef, hint: Hint) -> None:
        self._open(run).told.append(hint)

    async def view(self, run: RunRef) -> RunView:
        self._open(run)
        return RunView(run.vtid, run.run_id, title="as the run itself says")

    async def describe(self, vtid: str, run_id: str | None = None) -> Execution | None:
        self._reach(vtid)
        found = self.runs.get(vtid)
        if found is None or run_id not in (None, found.run_id):
            return None
        fault = found.failing_tries, found.refused_write, found.build
        return Execution(found.run_id, found.request.start_id, found.status, found.closed_at, *fault)

    async def pollers(self) -> Pollers:
        self._reach()
        return Pollers(self.current_build, {"": self.polled_at} if self.polled_at else self.builds)
