"""The re-run button at our check on GitHub: what `retry` is elsewhere, by the name of whoever pressed it."""

from api.engine import Engine, EngineUnavailable, RunOver, RunRef
from api.webhooks.heard import Heard
from vtid.domain.commands.messages import Rescue
from vtid.domain.notice import CHECK_NAME
from vtid.domain.stages import Move
from vtid.ledger import Ledger, Refusal
from vtid.ledger.records import RunRecord


class Reruns:
    """Only a blocked run is moved, and only the one whose pull request has this head: anything else is said."""

    def __init__(self, ledger: Ledger, engine: Engine) -> None:
        self._ledger = ledger
        self._engine = engine

    def concerns(self, heard: Heard) -> bool:
        """Whether it is our button. GitHub tells a suite's only to the app whose suite it is."""
        ours = heard.check == CHECK_NAME if heard.event == "check_run" else heard.event == "check_suite"
        return heard.rerun and ours and heard.sha is not None and heard.repository is not None

    async def press(self, heard: Heard) -> str:
        """Gives what came of it, in words. Raises LedgerUnavailable."""
        runs = await self._ledger.runs.open_in(heard.repository or "")
        meant = [record for record in runs if _head_of(record) == heard.sha]
        told = [await self._retry(record, heard) for record in meant]
        return "; ".join(told) or "no open run has this head"

    async def _retry(self, record: RunRecord, heard: Heard) -> str:
        view = record.view
        if record.run_id is None or Move.RETRY not in {move["move"] for move in view.moves}:
            return f"{record.vtid} is not blocked, so there is nothing to try again"
        decision = Rescue(Move.RETRY, f"github:{heard.by or 'somebody'}", "re-run at the check on GitHub")
        since = str((view.failure or {}).get("since", view.seq))
        try:
            await self._engine.rescue(RunRef(record.vtid, record.run_id), decision, blocked_since=since)
        except (Refusal, RunOver, EngineUnavailable) as error:
            return f"{record.vtid} could not be told to try again: {error}"
        await self._ledger.audit.record(
            who=decision.by, role="github", verb="run.rescue", target=record.vtid,
            detail={"move": decision.move.value, "run_id": record.run_id}, request_id="",
        )  # fmt: skip
        return f"{record.vtid} tries again"


def _head_of(record: RunRecord) -> str | None:
    observed = record.view.evidence.get("observed") or {}
    head = observed.get("head_sha")
    return None if head is None else str(head)
