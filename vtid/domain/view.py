"""The run view: what everybody sees of a run. It is the fold of its events (fold.py), and of nothing else."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vtid.domain.stages import Stage, StageStatus
from vtid.domain.task import TaskStatus


@dataclass(frozen=True)
class StageView:
    """One of the four bars."""

    stage: Stage
    status: StageStatus = StageStatus.PENDING
    step: str | None = None
    attempt: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    waiting: dict[str, Any] | None = None  # for, since, until, who
    failure: dict[str, Any] | None = None
    why: str | None = None


NO_EVIDENCE: dict[str, Any] = {"claimed": None, "observed": None, "contradictions": []}
MOST_CONTRADICTIONS = 20  # that the view shows, the latest; all of them stand in the events


def _four() -> tuple[StageView, ...]:
    return tuple(StageView(stage) for stage in Stage)


@dataclass(frozen=True)
class RunView:
    """Where a run stands. `outcome` is null while it is open; `stage` is the last one once it is closed."""

    vtid: str
    run_id: str | None
    status: TaskStatus = TaskStatus.SCHEDULED
    outcome: str | None = None
    stage: Stage = Stage.PLANNER
    engine: str = "ok"
    title: str = ""
    waiting: dict[str, Any] | None = None
    stages: tuple[StageView, ...] = field(default_factory=_four)
    failure: dict[str, Any] | None = None
    moves: tuple[dict[str, Any], ...] = ()
    attempt: int | None = None
    worker: str | None = None
    order_id: str | None = None
    evidence: dict[str, Any] = field(default_factory=lambda: dict(NO_EVIDENCE))
    repair: dict[str, Any] | None = None  # the last round; its logs stand in the event and the order
    verdict: dict[str, Any] | None = None
    proof: dict[str, Any] | None = None
    queued: str | None = None  # the pull request that we have in a merge queue
    merged: str | None = None
    note: str | None = None
    environment: str | None = None
    repository: str | None = None
    spec_hash: str | None = None
    links: dict[str, str] = field(default_factory=dict)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    seq: int = 0

    def of(self, stage: Stage) -> StageView:
        return next(each for each in self.stages if each.stage is stage)


MOVES: dict[str, dict[str, Any]] = {
    "retry": {"move": "retry", "role": "operator", "params": []},
    "adopt": {"move": "adopt", "role": "operator", "params": ["pr_url"]},
    "skip": {"move": "skip", "role": "approver", "params": ["rule", "reason"]},
    "abandon": {"move": "abandon", "role": "operator", "params": ["reason"]},
}


def deployment_contradiction(view: RunView, by: str, says: str) -> dict[str, Any] | None:
    """How a claim that it is deployed differs from what is known; None when it does not, or was told already.

    One that is said again in other words is told already: whoever repeats it must not fill the run's history.
    """
    if (view.proof or {}).get("complete"):
        return None
    merged = f"merged as {view.merged[:12]}, and not proven" if view.merged else "not even merged"
    found = {"field": "deployment", "claimed": says, "observed": f"{merged} ({view.stage})", "by": by}
    same = ("field", "observed", "by")
    told = [[each.get(key) for key in same] for each in view.evidence.get("contradictions", ())]
    return None if [found[key] for key in same] in told else found


def sentence(view: RunView) -> str:
    """Where the run stands, in one sentence: the page, the CLI and Temporal's UI show the same."""
    if view.outcome is not None:
        reason = f": {view.failure['code']}, {view.failure['message']}" if view.failure else ""
        return f"{view.status}{reason}" + (f" ({view.note})" if view.note else "")
    step = view.of(view.stage).step
    where = f"{view.stage}" + (f" · {step}" if step else "")
    if view.failure:
        where = f"{view.stage} is blocked by {view.failure['code']}: {view.failure['message']}"
    if not view.waiting:
        return where
    until = f", until {view.waiting['until']}" if view.waiting.get("until") else ""
    return f"{where} · waits for {view.waiting['for']} since {view.waiting['since']}{until} ({view.waiting['who']})"
