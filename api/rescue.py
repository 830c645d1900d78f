"""What a person may do with a blocked run, and what each move would do, in words."""

from dataclasses import dataclass

from fastapi import Request

from api.auth import Principal, Role
from api.engine import RunRef
from api.problems import Problem
from api.services import Services, check_role
from vtid.domain.commands import Rescue
from vtid.domain.moves import NoMove, refuse_offer, refuse_parameters
from vtid.domain.rules import CHECKS_RULE
from vtid.domain.stages import Move
from vtid.domain.verdict import Answer
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
        case Move.SKIP:
            head = str((view.verdict or {}).get("head_sha", ""))[:12]
            rule = decision.rule or "the rule that you name"
            others = [each for each in _open_rules(view) if each != rule] if decision.rule else []
            return [
                f"{rule} is recorded as skipped in verdict and proof, with your name and reason, for head {head} only",
                "VALIDATOR begins again and asks every other rule; a new head is asked this one too",
                *([f"it blocks again: {', '.join(others)} does not hold either"] if others else []),
                *(["the checks are not asked right before the merge either"] if rule == CHECKS_RULE else []),
                *_kept(view),
                resolved,
            ]
        case Move.ABANDON:
            return [
                "the run ends as a failure with the code ABANDONED; the task is rejected and may be started again",
                *_kept(view),
                resolved,
            ]


def _open_rules(view: RunView) -> list[str]:
    """The rules that keep the last verdict from passing."""
    rules = (view.verdict or {}).get("rules", ())
    return [rule["rule"] for rule in rules if rule["answer"] in (Answer.FAIL, Answer.NOT_ASKED)]


def _kept(view: RunView) -> list[str]:
    """What has been done already and stays."""
    kept = []
    if view.merged:
        kept.append(f"the merged commit {view.merged[:12]} stays on the base branch")
    elif "pr" in view.links:
        kept.append(f"the pull request {view.links['pr']} stays open")
    return kept
