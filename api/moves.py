"""What each move would do to a blocked run, in words."""

from vtid.domain.commands.messages import Rescue
from vtid.domain.rules import CHECKS_RULE
from vtid.domain.stages import Move
from vtid.domain.verdict import Answer
from vtid.domain.view import RunView


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
                *(
                    [f"{view.queued} stays in the merge queue, and is waited for again"]
                    if view.queued
                    else []
                ),
                *_kept(view),
                resolved,
            ]
        case Move.ADOPT:
            return [
                f"{decision.pr_url or 'the pull request that you name'} becomes the evidence of this run, in the name of the person who decides",
                "open: it passes VALIDATOR with the same rules as any other; merged: straight to DEPLOY",
                "no worker is asked again",
                *_taken_out(view),
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
                *_taken_out(view),
                *_kept(view),
                resolved,
            ]


def _open_rules(view: RunView) -> list[str]:
    """The rules that keep the last verdict from passing."""
    rules = (view.verdict or {}).get("rules", ())
    return [rule["rule"] for rule in rules if rule["answer"] in (Answer.FAIL, Answer.NOT_ASKED)]


def _taken_out(view: RunView) -> list[str]:
    if view.queued is None:
        return []
    return [f"{view.queued} is taken out of the merge queue, unless the queue merges it first"]


def _kept(view: RunView) -> list[str]:
    """What has been done already and stays."""
    kept = []
    if view.merged:
        kept.append(f"the merged commit {view.merged[:12]} stays on the base branch")
    elif "pr" in view.links:
        kept.append(f"the pull request {view.links['pr']} stays open")
    return kept
