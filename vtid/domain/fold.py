"""What each event changes of the view of a run.

The workflow folds while it runs (its query and its details in Temporal's UI), the ledger folds when it
writes (GET /runs), and the stream folds when it reads. One function, so the three cannot disagree.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from typing import Any, TypeVar

from vtid.domain.events import RunEvent
from vtid.domain.evidence import EvidenceSource
from vtid.domain.moment import moment
from vtid.domain.stages import Move, Stage, StageStatus
from vtid.domain.task import TaskStatus
from vtid.domain.view import MOST_CONTRADICTIONS, MOVES, RunView, StageView

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


def fold_all(view: RunView, events: Iterable[RunEvent]) -> RunView:
    """The view after all of these, in their order."""
    return reduce(fold, events, view)


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
