"""The re-run button of our check on GitHub: who may press it may write to the repository, and it means `retry`."""

from api.engine import Engine, EngineUnavailable, RunOver, RunRef
from vtid.domain.commands import Rescue
from vtid.domain.hints import Hint, concerns
from vtid.domain.moves import refuse_offer
from vtid.domain.stages import Move
from vtid.ledger import Ledger, Refusal
from vtid.ledger.records import RunRecord


class Reruns:
    """Takes a press of the button to the blocked run that it is about; the run's own gates decide."""

    def __init__(self, ledger: Ledger, engine: Engine) -> None:
        self._ledger = ledger
        self._engine = engine

    async def press(self, hint: Hint, who: str) -> str:
        """What became of it, as a sentence. A second press about the same block changes nothing."""
        for record in await self._ledger.runs.open_in(hint.repository):
            if record.run_id is not None and concerns(record.view, hint):
                return await self._retry(record, RunRef(record.vtid, record.run_id), who)
        return "no open run has this head"

    async def _retry(self, record: RunRecord, run: RunRef, who: str) -> str:
        since = (record.view.failure or {}).get("since", record.view.seq)
        by = f"github:{who}"
        refusal = refuse_offer(record.view, Move.RETRY)
        if refusal is not None:
            return f"{record.vtid} is not tried again: {refusal.message}"
        decision = Rescue(Move.RETRY, by, "the re-run button on GitHub")
        try:
            await self._engine.rescue(run, decision, blocked_since=str(since))
        except (Refusal, RunOver) as refused:
            return f"{record.vtid} is not tried again: {refused}"
        except EngineUnavailable as error:
            return f"{record.vtid} could not be told: {error}"
        await self._ledger.audit.record(
            who=by, role="github", verb="run.rescue", target=record.vtid,
            detail={"move": Move.RETRY.value, "run_id": run.run_id}, request_id="",
        )  # fmt: skip
        return f"{record.vtid} is tried again"
