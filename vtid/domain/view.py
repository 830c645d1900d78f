"""The run view: what everybody sees of a run. It is the fold of its events, and of nothing else.

The workflow folds while it runs (its query and its details in Temporal's UI), the ledger folds when it
writes (GET /runs), and the stream folds when it reads. One function, so the three cannot disagree.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from vtid.domain.events import RunEvent
from vtid.domain.evidence import EvidenceSource
from vtid.domain.moment import moment
from vtid.domain.stages import Move, Stage, StageStatus
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
    repair: dict[str, Any] | None = (
        None  # the last round of repair; its logs stand in the event and the order
    )
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
_STATUS_IN = {
    Stage.PLANNER: TaskStatus.IN_PROGRESS,
    Stage.WORKER: TaskStatus.IN_PROGRESS,
    Stage.VALIDATOR: TaskStatus.VALIDATING,
    Stage.DEPLOY: TaskStatus.VALIDATING,
}


V = TypeVar("V", RunView, StageView)


def replace(whole: V, **changes: Any) -> V:
    """As dataclasses.replace, several times quicker: every event of every run is folded twice."""
    changed = object.__new__(type(whole))
    changed.__dict__.update(whole.__dict__, **changes)
    return changed


def fold(view: RunView, event: RunEvent) -> RunView:
    """The view after this event. Unknown types change nothing but `seq`: an older reader stays right."""
    if event.seq <= view.seq:
        return view
    change = _CHANGES.get(event.type)
    changed = change(view, event) if change else view
    return replace(changed, seq=event.seq)


def _stage(view: RunView, stage: Stage | None, **changes: Any) -> RunView:
    stage = stage or view.stage
    stages = tuple(replace(each, **changes) if each.stage is stage else each for each in view.stages)
    return replace(view, stages=stages)


def _wait(view: RunView, waiting: dict[str, Any] | None) -> RunView:
    return replace(_stage(view, None, waiting=waiting), waiting=waiting)


def _run_started(view: RunView, event: RunEvent) -> RunView:
    data = event.data
    return replace(
        view,
        run_id=event.run_id,
        started_at=event.at,
        title=data.get("title", ""),
        environment=data.get("environment"),
        repository=data.get("repository"),
        spec_hash=data.get("spec_hash"),
        links=view.links | data.get("links", {}),
    )


def _run_admitted(view: RunView, event: RunEvent) -> RunView:
    return _wait(replace(view, status=TaskStatus.IN_PROGRESS), None)


def _stage_started(view: RunView, event: RunEvent) -> RunView:
    stage = event.stage or view.stage
    # PLANNER leaves `scheduled` only once the run is admitted: a disarmed system has not begun the work.
    status = (
        view.status if view.status is TaskStatus.SCHEDULED and stage is Stage.PLANNER else _STATUS_IN[stage]
    )
    later = tuple(Stage)[tuple(Stage).index(stage) + 1 :]
    view = _wait(view, None)
    # A stage entered again, and all behind it, start from nothing: an old error never colours a new try.
    stages = tuple(StageView(each.stage) if each.stage in (stage, *later) else each for each in view.stages)
    verdict = view.verdict if stage is Stage.DEPLOY else None
    view = replace(view, stages=stages, stage=stage, status=status, verdict=verdict, proof=None)
    view = replace(view, failure=None, moves=())
    return _stage(view, stage, status=StageStatus.RUNNING, started_at=event.at)


def _stage_finished(view: RunView, event: RunEvent) -> RunView:
    status = StageStatus(event.data.get("status", StageStatus.SUCCESS))
    view = _wait(view, None)
    return _stage(view, event.stage, status=status, ended_at=event.at, why=event.data.get("why"))


def _step_started(view: RunView, event: RunEvent) -> RunView:
    attempt = event.data.get("attempt", view.of(view.stage).attempt)
    return _stage(
        _wait(view, event.data.get("waiting")), event.stage, step=event.data["step"], attempt=attempt
    )


def _wait_started(view: RunView, event: RunEvent) -> RunView:
    return _wait(view, {key: event.data.get(key) for key in ("for", "since", "until", "who")})


def _claimed(view: RunView, event: RunEvent) -> RunView:
    attempt, worker = event.data["attempt"], event.data["worker"]
    view = replace(view, attempt=attempt, worker=worker, order_id=event.data["order_id"])
    return _stage(view, event.stage, attempt=attempt)


def _attempt_ended(view: RunView, event: RunEvent) -> RunView:
    return replace(view, worker=None)


def _evidence_claimed(view: RunView, event: RunEvent) -> RunView:
    return replace(view, evidence=view.evidence | {"claimed": event.data, "observed": None})


def _evidence_observed(view: RunView, event: RunEvent) -> RunView:
    pull = event.data["pull_request"]
    observed = pull | {"source": event.data.get("source"), "as_of": moment(event.at)}
    # The links of another change, which this run deployed before it took this one, are not its.
    links = {name: url for name, url in view.links.items() if name != "deploy_run"} | {"pr": pull["url"]}
    # Nobody claimed what was found: the refused claim of an attempt before it must not stand beside it.
    was_claimed = event.data.get("source") in (EvidenceSource.HANDED_IN, EvidenceSource.ADOPTED)
    claimed = view.evidence["claimed"] if was_claimed else None
    return replace(
        view,
        evidence=view.evidence | {"claimed": claimed, "observed": observed},
        links=links,
        verdict=None,
        merged=pull.get("merge_sha"),
    )


def _contradicted(view: RunView, event: RunEvent) -> RunView:
    """Kept for the whole run: a later, honest claim does not unsay what was said."""
    known = view.evidence.get("contradictions", [])
    found = event.data | {"attempt": view.attempt, "at": moment(event.at)}
    return replace(view, evidence=view.evidence | {"contradictions": [*known, found][-MOST_CONTRADICTIONS:]})


def _head_moved(view: RunView, event: RunEvent) -> RunView:
    observed = (view.evidence.get("observed") or {}) | {"head_sha": event.data["to"]}
    return replace(view, evidence=view.evidence | {"observed": observed}, verdict=None)


def _verdict(view: RunView, event: RunEvent) -> RunView:
    return replace(view, verdict=event.data | {"at": moment(event.at)})


def _repair_ordered(view: RunView, event: RunEvent) -> RunView:
    findings = [
        {key: value for key, value in finding.items() if key != "log"} for finding in event.data["findings"]
    ]
    return replace(view, repair=event.data | {"findings": findings, "at": moment(event.at)})


def _queued(view: RunView, event: RunEvent) -> RunView:
    return replace(view, queued=event.data["pull_request"])


def _dequeued(view: RunView, event: RunEvent) -> RunView:
    return replace(view, queued=None)


def _merged(view: RunView, event: RunEvent) -> RunView:
    return replace(view, merged=event.data["sha"], queued=None)


def _deploy_seen(view: RunView, event: RunEvent) -> RunView:
    url = event.data.get("url")
    return replace(view, links=view.links | {"deploy_run": url}) if url else view


def _proof(view: RunView, event: RunEvent) -> RunView:
    return replace(view, proof=event.data | {"at": moment(event.at)})


def _went_back(view: RunView, event: RunEvent) -> RunView:
    """Beside the proof that was not complete: what was done about it, or why nothing was."""
    proof = view.proof or {}
    entry = event.data | {"held": event.type == "rollback.held"}
    return replace(view, proof=proof | {"rollback": [*proof.get("rollback", ()), entry]})


def _blocked(view: RunView, event: RunEvent) -> RunView:
    failure = event.data["failure"]
    waiting = {
        "for": "a decision: " + ", ".join(failure["moves"]),
        "since": moment(event.at),
        "until": event.data.get("until"),
        "who": "operator",
    }
    view = replace(
        view,
        status=TaskStatus.BLOCKED,
        failure=failure,
        moves=tuple(_move(name, failure) for name in failure["moves"]),
    )
    return _wait(_stage(view, event.stage, status=StageStatus.BLOCKED, failure=failure), waiting)


def _move(name: str, failure: dict[str, Any]) -> dict[str, Any]:
    """A move as it is offered; `skip` says which rules it may name."""
    return MOVES[name] | ({"rules": failure["skippable"]} if name == Move.SKIP else {})


def _resumed(view: RunView, event: RunEvent) -> RunView:
    view = _wait(_stage(view, event.stage, status=StageStatus.RUNNING, failure=None), None)
    # PLANNER asks its gates again before anything is admitted.
    again = view.stage is Stage.PLANNER and event.data.get("move") == Move.RETRY
    status = TaskStatus.SCHEDULED if again else _STATUS_IN[view.stage]
    return replace(view, failure=None, moves=(), status=status)


def _cancelling(view: RunView, event: RunEvent) -> RunView:
    return replace(view, note=event.data.get("reason"))


def _finished(view: RunView, event: RunEvent) -> RunView:
    status, failure = TaskStatus(event.data["status"]), event.data.get("failure")
    view = _wait(view, None)
    if status is not TaskStatus.COMPLETED:
        ended = StageStatus.CANCELLED if status is TaskStatus.CANCELLED else StageStatus.ERROR
        view = _stage(view, None, status=ended, failure=failure, ended_at=event.at)
    return replace(
        view,
        status=status,
        outcome=event.data["outcome"],
        failure=failure,
        moves=(),
        note=event.data.get("note") or view.note,
        ended_at=event.at,
    )


def _retold(view: RunView, event: RunEvent) -> RunView:
    """What a lost task told is taken back: the run is as the event says."""
    shown = dict(event.data["view"])
    shown["stages"] = tuple(
        StageView(
            **{
                **each,
                "stage": Stage(each["stage"]),
                "status": StageStatus(each["status"]),
                "started_at": _moment(each["started_at"]),
                "ended_at": _moment(each["ended_at"]),
            }
        )
        for each in shown["stages"]
    )
    shown |= {
        "status": TaskStatus(shown["status"]),
        "stage": Stage(shown["stage"]),
        "moves": tuple(shown["moves"]),
        "started_at": _moment(shown["started_at"]),
        "ended_at": _moment(shown["ended_at"]),
    }
    return RunView(**shown)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


_CHANGES = {
    "run.started": _run_started,
    "run.admitted": _run_admitted,
    "run.blocked": _blocked,
    "run.resumed": _resumed,
    "run.retold": _retold,
    "run.cancelling": _cancelling,
    "run.finished": _finished,
    "stage.started": _stage_started,
    "stage.finished": _stage_finished,
    "step.started": _step_started,
    "wait.started": _wait_started,
    "work_order.claimed": _claimed,
    "attempt.ended": _attempt_ended,
    "evidence.claimed": _evidence_claimed,
    "evidence.observed": _evidence_observed,
    "evidence.contradicted": _contradicted,
    "verdict.reached": _verdict,
    "repair.ordered": _repair_ordered,
    "change.head_moved": _head_moved,
    "change.queued": _queued,
    "change.dequeued": _dequeued,
    "change.merged": _merged,
    "deploy.dispatched": _deploy_seen,
    "deploy.run_ended": _deploy_seen,
    "proof.recorded": _proof,
    "rollback.done": _went_back,
    "rollback.held": _went_back,
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
