"""Proof bundles: what a run proved, made from the ledger when somebody asks for it, and signed."""

from collections.abc import AsyncIterator
from typing import Any

from api.plain import plain
from api.presenter import Presenter
from api.problems import Problem
from vtid.domain.canonical import canonical
from vtid.domain.ports import ProofSigner
from vtid.domain.proof_checks import objections_to
from vtid.domain.run_proof import (
    PAYLOAD_TYPE,
    EngineEnd,
    approval_of,
    events_of_run,
    statement_of,
    view_of,
)
from vtid.domain.task import CLOSED, TaskStatus
from vtid.ledger import Ledger
from vtid.ledger.event_log import MOST_EVENTS
from vtid.ledger.records import RunRecord


class Proofs:
    """Makes bundles. signer: None where the installation has no key; then every bundle is refused."""

    def __init__(self, ledger: Ledger, presenter: Presenter, signer: ProofSigner | None) -> None:
        self._ledger = ledger
        self._presenter = presenter
        self._signer = signer

    @property
    def signer(self) -> ProofSigner:
        """Raises Problem PROOF_KEY_MISSING."""
        if self._signer is None:
            raise Problem(
                "PROOF_KEY_MISSING",
                "no key signs proof bundles here: set VTID_PROOF_KEY, or VTID_PROOF_KEY_FILE, for the API",
            )
        return self._signer

    async def bundle(self, vtid: str, run_id: str | None = None) -> dict[str, Any]:
        """The signed bundle of this run, or of the current or last one. The same for as long as it stands where it stands.

        Raises Unknown, Problem PROOF_KEY_MISSING, and ILLEGAL_TRANSITION while the run is under way.
        """
        signer = self.signer
        runs = self._ledger.runs
        record = await (runs.current(vtid) if run_id is None else runs.one(vtid, run_id))
        statement = await self._statement(record)
        if objections := objections_to(statement):
            # The run's own gates hold the same, so this is a fault of ours: it is told, and never signed.
            raise Problem("PROOF_INCOMPLETE", f"nothing was signed: {'; '.join(objections)}")
        return signer.sign(canonical(statement).encode(), PAYLOAD_TYPE)

    async def _statement(self, record: RunRecord) -> dict[str, Any]:
        # The row first, the log after it: the log may be ahead, and then it is right.
        log = [self._presenter.event(each) async for each in self._events(record.vtid)]
        events = events_of_run(record.run_id, log) if record.run_id else []
        if not events:
            raise Problem("ILLEGAL_TRANSITION", "the run has not begun, so it has nothing to prove")
        view = view_of(events)
        end = None
        if view.outcome is None and record.state == "closed" and record.view.outcome is not None:
            ended = record.view
            failure = plain(ended.failure or {})
            end = EngineEnd(ended.status.value, record.view.outcome, failure, ended.ended_at)
        elif view.status is not TaskStatus.BLOCKED and view.status not in CLOSED:
            raise Problem(
                "ILLEGAL_TRANSITION",
                "the run is under way: it has a bundle once it is blocked or over",
                expected="blocked, completed, rejected or cancelled",
                actual=view.status.value,
            )
        approval = approval_of(view.spec_hash, log, int(events[0]["position"]))
        return statement_of(events, approval, end)

    async def _events(self, vtid: str) -> AsyncIterator[Any]:
        """Every event of the task, oldest first."""
        after = 0
        while events := await self._ledger.events.read(vtid=vtid, after=after, limit=MOST_EVENTS):
            for event in events:
                yield event
            after = events[-1].position
