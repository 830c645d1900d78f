"""Deciding about a blocked run: the same gates whether one is meant or many."""

from dataclasses import dataclass

from fastapi import Request

from api.auth import Principal, Role
from api.engine import RunRef
from api.problems import Problem
from api.services import Services, check_role
from vtid.domain.commands.messages import Rescue
from vtid.domain.moves import NoMove, refuse_offer, refuse_parameters
from vtid.domain.stages import Move
from vtid.domain.view import RunView
from vtid.ledger.records import RunRecord


@dataclass(frozen=True)
class Wish:
    """A move as a person asks for it, not yet held against the run."""

    move: str
    reason: str = ""
    pr_url: str | None = None
    rule: str | None = None


def plan(view: RunView, wish: Wish, *, by: str, dry: bool) -> Rescue:
    """The decision as the run would be told it. Raises Problem when the run or the wish does not allow it."""
    refused = refuse_offer(view, wish.move)
    if refused is not None:
        raise _problem(refused, wish.move)
    move = Move(wish.move)
    # What a move would do may be asked before its reason is written.
    reason = wish.reason or ("to be given" if dry else "")
    refused = refuse_parameters(view, move, rule=wish.rule, reason=reason, pr_url=wish.pr_url)
    if refused is not None:
        raise _problem(refused, wish.rule or wish.move)
    pr_url = wish.pr_url if move is Move.ADOPT else None
    return Rescue(move, by, wish.reason, pr_url, wish.rule if move is Move.SKIP else None)


async def carry_out(
    given: Services, request: Request, actor: Principal, record: RunRecord, decision: Rescue
) -> None:
    """Tell the run, and keep who decided. A repeat about the same block changes nothing.

    Raises Problem FORBIDDEN when the move needs a higher role than the one that may decide at all.
    """
    if decision.move is Move.SKIP:
        check_role(actor, Role.APPROVER)
    if record.run_id is None:
        raise Problem("ILLEGAL_TRANSITION", "the run is requested and not yet in Temporal; try again")
    since = (record.view.failure or {}).get("since", record.view.seq)
    await given.engine.rescue(RunRef(record.vtid, record.run_id), decision, blocked_since=str(since))
    told = {"move": decision.move.value, "pr_url": decision.pr_url, "rule": decision.rule}
    reason = decision.reason
    await given.audit(request, actor, "run.rescue", record.vtid, run_id=record.run_id, reason=reason, **told)


def _problem(refused: NoMove, asked: str) -> Problem:
    if refused.field is not None:
        wrong = {"field": refused.field, "message": refused.message}
        return Problem(refused.code, refused.message, errors=(wrong,))
    return Problem(refused.code, refused.message, expected=list(refused.offered), actual=asked)
