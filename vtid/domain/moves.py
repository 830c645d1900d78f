"""May this move be made now? Asked by the API, to answer well, and by the run itself, whose word counts."""

from dataclasses import dataclass

from vtid.domain.evidence import InvalidEvidence, parse_pull_url
from vtid.domain.rules import RULES, may_skip
from vtid.domain.stages import Move
from vtid.domain.view import RunView

KNOWN_RULES = tuple(rule.id for rule in RULES)


@dataclass(frozen=True)
class NoMove:
    """Why a move cannot be made. `field` is set when a parameter is at fault (VALIDATION)."""

    code: str
    message: str
    field: str | None = None
    offered: tuple[str, ...] = ()


def refuse_offer(view: RunView, move: str) -> NoMove | None:
    """MOVE_NOT_OFFERED unless the run offers this move now."""
    offered = tuple(each["move"] for each in view.moves)
    if move in offered:
        return None
    now = f"it offers {', '.join(offered)}" if offered else f"a run that is {view.status} offers none"
    return NoMove("MOVE_NOT_OFFERED", f"{move[:40]!r} is not offered: {now}", offered=offered)


def refuse_parameters(
    view: RunView, move: Move, *, rule: str | None, reason: str, pr_url: str | None
) -> NoMove | None:
    """Why an offered move cannot be made with these parameters, or None."""
    match move:
        case Move.ADOPT:
            return _refuse_address(pr_url)
        case Move.SKIP:
            return _refuse_rule(view, rule) or _refuse_silence(move, reason)
        case Move.ABANDON:
            return _refuse_silence(move, reason)
        case Move.RETRY:
            return None


def _refuse_address(pr_url: str | None) -> NoMove | None:
    if not pr_url:
        return _wrong("pr_url", "the move adopt needs the pull request's address")
    try:
        parse_pull_url(pr_url)
    except InvalidEvidence as error:
        return _wrong(error.field, str(error))
    return None


def _refuse_rule(view: RunView, rule: str | None) -> NoMove | None:
    skippable = tuple((view.failure or {}).get("skippable", ()))
    if not rule:
        return _wrong("rule", f"the move skip needs a rule; {' or '.join(skippable)} can be skipped now")
    if rule not in KNOWN_RULES:
        return _wrong(
            "rule", f"there is no rule {rule[:40]!r}; rules are {KNOWN_RULES[0]} to {KNOWN_RULES[-1]}"
        )
    if rule in skippable:
        return None
    why = "it does not hold this run up" if may_skip(rule) else "no person may skip it"
    text = f"{rule} cannot be skipped: {why}; {' or '.join(skippable)} can"
    return NoMove("MOVE_NOT_OFFERED", text, offered=skippable)


def _refuse_silence(move: Move, reason: str) -> NoMove | None:
    if reason.strip():
        return None
    return _wrong("reason", f"the move {move} needs a reason: a text of 1 to 2,000 characters")


def _wrong(field: str, message: str) -> NoMove:
    return NoMove("VALIDATION", f"{field}: {message}", field)
