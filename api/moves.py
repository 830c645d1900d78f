"""The moves that a blocked run offers, and what each would do, in words."""

from api.problems import Problem
from vtid.domain.commands import Rescue
from vtid.domain.stages import Move
from vtid.domain.view import RunView


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
