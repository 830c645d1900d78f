"""Deciding about a blocked run: the same gates whether one is meant or many."""

from dataclasses import dataclass

from fastapi import Request

from api.auth import Principal
from api.engine import RunRef
from api.moves import check_offered
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
