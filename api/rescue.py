"""What a person may do with a blocked run, and what each move would do, in words."""

from dataclasses import dataclass

from fastapi import Request

from api.auth import Principal
from api.engine import RunRef
from api.problems import Problem
from api.services import Services
from vtid.domain.commands import Rescue
from vtid.domain.evidence import InvalidEvidence, parse_pull_url
from vtid.domain.stages import Move
from vtid.domain.view import RunView
from vtid.ledger.records import RunRecord


@dataclass(frozen=True)
class Wish:
    """A move as a person asks for it, not yet held against the run."""

    move: str
    reason: str = ""
    pr_url: str | None = None


def plan(view: RunView, wish: Wish, *, by: str, dry: bool) -> Rescue:
    """The decision as the run would be told it. Raises Problem when the run or the wish does not allow it."""
    move = check_offered(view, wish.move)
    pr_url = _pull_url(wish.pr_url) if move is Move.ADOPT else None
    if move is Move.ABANDON and not dry and not wish.reason.strip():
        raise _missing("reason", "the move abandon needs a reason: a text of 1 to 2,000 characters")
    return Rescue(move, by, wish.reason, pr_url)


async def carry_out(
    given: Services, request: Request, actor: Principal, record: RunRecord, decision: Rescue
) -> None:
    """Tell the run, and keep who decided. A repeat about the same block changes nothing."""
    if record.run_id is None:
        raise Problem("ILLEGAL_TRANSITION", "the run is requested and not yet in Temporal; try again")
    since = (record.view.failure or {}).get("since", record.view.seq)
    await given.engine.rescue(RunRef(record.vtid, record.run_id), decision, blocked_since=str(since))
    move, pr_url = decision.move.value, decision.pr_url
    await given.audit(
        request, actor, "run.rescue", record.vtid, run_id=record.run_id, move=move, pr_url=pr_url
    )


def _pull_url(url: str | None) -> str:
    if url is None:
        raise _missing("pr_url", "the move adopt needs the pull request's address")
    try:
        parse_pull_url(url)
    except InvalidEvidence as error:
        raise _missing(error.field, str(error)) from error
    return url


def _missing(field: str, message: str) -> Problem:
    return Problem("VALIDATION", f"{field}: {message}", errors=({"field": field, "message": message},))


def check_offered(view: RunView, move: str) -> Move:
    """The move, if the run offers it now. Raises Problem MOVE_NOT_OFFERED."""
    offered = [each["move"] for each in view.moves]
    if move not in offered:
        now = f"it offers {', '.join(offered)}" if offered else f"a run that is {view.status} offers none"
        raise Problem(
            "MOVE_NOT_OFFERED", f"{move[:40]!r} is not offered: {now}", expected=offered, actual=move
        )
    return Move(move)


def effects(view: RunView, decision: Rescue) -> list[str]:
    """What would happen, in order. Nothing of it has been done."""
    resolved = f"the dead letter {(view.failure or {}).get('code', '')} of {view.vtid} is resolved"
    match decision.move:
        case Move.RETRY:
            later = [stage.stage.value for stage in view.stages]
            behind = later[later.index(view.stage.value) + 1 :]
            return [
                f"stage {view.stage} begins again with a fresh budget of time and tries",
                *([f"the stages behind it start from nothing: {', '.join(behind)}"] if behind else []),
                *_kept(view),
                resolved,
            ]
        case Move.ADOPT:
            return [
                f"{decision.pr_url or 'the pull request that you name'} becomes the evidence of this run, in the name of the person who decides",
                "open: it passes VALIDATOR with the same rules as any other; merged: straight to DEPLOY",
                "no worker is asked again",
                resolved,
            ]
        case Move.ABANDON:
            return [
                "the run ends as a failure with the code ABANDONED; the task is rejected and may be started again",
                *_kept(view),
                resolved,
            ]


def _kept(view: RunView) -> list[str]:
    """What has been done already and stays."""
    kept = []
    if view.merged:
        kept.append(f"the merged commit {view.merged[:12]} stays on the base branch")
    elif "pr" in view.links:
        kept.append(f"the pull request {view.links['pr']} stays open")
    return kept
