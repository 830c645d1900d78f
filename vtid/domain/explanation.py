"""Why a change may not be merged now, in plain words: the validator's own rules, asked at any time, deciding nothing."""

from dataclasses import dataclass, replace

from vtid.domain.change import PullRequest
from vtid.domain.environment import Environment
from vtid.domain.evidence import EvidenceSource
from vtid.domain.rules import LEDGER_RULES, judge
from vtid.domain.stages import Stage, StageStatus
from vtid.domain.task import TaskStatus
from vtid.domain.verdict import Answer, Facts, Pinned, RuleAnswer, Skip, TaskFacts, Verdict
from vtid.domain.view import RunView

# Rules about a run's own course: without a run there is nobody to ask.
_OF_A_RUN = frozenset({"VAL-RULE-003", "VAL-RULE-004", "VAL-RULE-005", "VAL-RULE-007"})


@dataclass(frozen=True)
class Circumstances:
    """What stands beside the rules. `unasked`: why the code host could not be asked; None when it answered."""

    armed: bool = True
    automerge: bool = True
    unasked: str | None = None


@dataclass(frozen=True)
class Explanation:
    """`reasons` are whole sentences, the first one to be looked at first; none when it may be merged."""

    vtid: str
    run_id: str | None
    may_merge: bool
    says: str
    reasons: tuple[str, ...]
    pull_request: str | None
    head_sha: str | None
    rules: tuple[RuleAnswer, ...]


def pinned_by(
    view: RunView | None, task: TaskFacts, repository: str, environment: Environment, head_sha: str
) -> Pinned:
    """What the run has pinned so far; without one, what a run that starts now would pin."""
    observed = (view.evidence.get("observed") or {}) if view else {}
    claimed = (view.evidence.get("claimed") or {}) if view else {}
    source = EvidenceSource(observed.get("source") or EvidenceSource.FOUND)
    worker_done = view is not None and view.of(Stage.WORKER).status is StageStatus.SUCCESS
    return Pinned(
        vtid=task.vtid,
        run_id=(view.run_id or "") if view else "",
        spec_hash=(view.spec_hash if view else None) or task.spec_hash or "",
        repository=repository,
        base=environment.base_branch,
        environment=environment,
        evidence_source=source,
        evidence_sha=observed.get("head_sha") or head_sha,
        worker_succeeded=worker_done,
        adopted_by=claimed.get("by") if source is EvidenceSource.ADOPTED else None,
        claimed_files=tuple(claimed.get("files") or ()),
        skips=_skips(view),
    )


def _skips(view: RunView | None) -> tuple[Skip, ...]:
    """Rules that a person let be, in the run's last verdict; each holds for that verdict's head alone."""
    verdict = (view.verdict or {}) if view else {}
    skipped = [rule for rule in verdict.get("rules", ()) if rule["answer"] == Answer.SKIPPED]
    return tuple(
        Skip(rule["rule"], rule.get("by") or "", rule["reason"], verdict["head_sha"]) for rule in skipped
    )


def explain(view: RunView | None, pinned: Pinned, facts: Facts, around: Circumstances) -> Explanation:
    """Ask every rule over these facts, and say what keeps the change from being merged."""
    verdict = _only_what_was_asked(judge(pinned, facts), view, facts, around)
    pull = facts.pull_request
    reasons = (*_before_the_rules(view, facts, around, pinned.vtid), *map(_sentence, _open(verdict)))
    merged = pull is not None and pull.merged
    reasons = tuple(dict.fromkeys(reasons))
    return Explanation(
        vtid=pinned.vtid,
        run_id=view.run_id if view else None,
        may_merge=not reasons and not merged,
        says=_summary(pinned.vtid, pull, reasons, around),
        reasons=() if merged else reasons,
        pull_request=pull.url if pull else None,
        head_sha=pull.head_sha if pull else None,
        rules=verdict.rules,
    )


def _only_what_was_asked(
    verdict: Verdict, view: RunView | None, facts: Facts, around: Circumstances
) -> Verdict:
    """*Could not ask* is neither yes nor no: such an answer is replaced by the reason why nobody was asked."""
    task, pull = facts.task, facts.pull_request

    def answer(found: RuleAnswer) -> RuleAnswer:
        why = None
        if found.rule in _OF_A_RUN and not _has_evidence(view, found.rule):
            why = "the run has not come so far" if view else "there is no run"
        elif found.rule not in LEDGER_RULES | _OF_A_RUN and around.unasked:
            why = around.unasked
        elif found.rule not in LEDGER_RULES | _OF_A_RUN and pull is None:
            why = "there is no pull request yet"
        if found.rule == "VAL-RULE-002" and task is not None and task.approved_hash is None:
            return replace(found, answer=Answer.FAIL, reason="nobody has approved its current text")
        if why is None or (task is not None and task.status == TaskStatus.COMPLETED):
            return found
        return replace(found, answer=Answer.NOT_ASKED, reason=why)

    return replace(verdict, rules=tuple(answer(each) for each in verdict.rules))


def _has_evidence(view: RunView | None, rule: str) -> bool:
    if view is None or view.run_id is None:
        return False
    return rule == "VAL-RULE-003" or bool(view.evidence.get("observed"))


def _before_the_rules(
    view: RunView | None, facts: Facts, around: Circumstances, vtid: str
) -> tuple[str, ...]:
    task, pull = facts.task, facts.pull_request
    said = (
        ("The task is completed, which is final.", task is not None and task.status == TaskStatus.COMPLETED),
        ("The spec is not approved.", task is not None and task.approved_hash is None),
        (f"No run of {vtid} is under way.", view is None or view.outcome is not None),
        (f"The code host could not be asked: {around.unasked}.", around.unasked is not None),
        (f"There is no pull request of {vtid}.", around.unasked is None and pull is None),
        (f"The run is blocked by {_code(view)}: somebody must decide.", _code(view) is not None),
        ("The emergency stop is on: nothing new is dispatched.", not around.armed),
    )
    return tuple(sentence for sentence, holds in said if holds)


def _code(view: RunView | None) -> str | None:
    blocked = view is not None and view.status is TaskStatus.BLOCKED and view.failure
    return str(view.failure["code"]) if view and view.failure and blocked else None


def _open(verdict: Verdict) -> tuple[RuleAnswer, ...]:
    return (*verdict.failed, *verdict.not_asked)


def _sentence(rule: RuleAnswer) -> str:
    how = "does not hold" if rule.answer is Answer.FAIL else "cannot be answered yet"
    return f"{rule.rule} ({rule.title}) {how}: {rule.reason}."


def _summary(vtid: str, pull: PullRequest | None, reasons: tuple[str, ...], around: Circumstances) -> str:
    if pull is not None and pull.merged:
        return f"{vtid} is merged already, as {(pull.merge_sha or 'a commit not told yet')[:12]}."
    if pull is not None and not reasons:
        by = "" if around.automerge else " by a person, since automerge is off"
        return f"{vtid} may be merged{by}: every rule holds for {pull.head_sha[:12]}."
    more = f" There are {len(reasons) - 1} more reasons." if len(reasons) > 1 else ""
    return f"{vtid} may not be merged now. {reasons[0]}{more}"
