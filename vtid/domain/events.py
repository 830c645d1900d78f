"""What happened: the events of a run and of the world around it, in one table.

docs/events.md is made from EVENT_TYPES. An event of a run is written once per (run_id, seq).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vtid.domain.stages import Stage

SYSTEM = "system"  # the actor when no person or worker acted

# fmt: off
EVENT_TYPES: dict[str, str] = {
    # a run, told by its workflow
    "run.started":            "the run exists; data: title, spec_hash, environment, repository, services, started_by",
    "run.admitted":           "all gates passed and the system is armed; the task is in progress",
    "run.blocked":            "parked until a person decides; data: failure, until",
    "run.resumed":            "a person decided; data: move, by, reason, pr_url, rule",
    "run.cancelling":         "cancel was asked for; data: reason, waiting for the worker's confirmation",
    "run.retold":             "a task of the run was lost after it had told the events of `strays`, and was done again with another course: they stand, and `view` is the run as it is; data: strays, view",
    "run.finished":           "the run is over; data: outcome, status, failure, note",
    "stage.started":          "a stage begins; data: round",
    "stage.finished":         "a stage is over; data: status (success, skipped), why",
    "step.started":           "a step begins; data: step, attempt, waiting (for, since, until, who)",
    "wait.started":           "the run waits; data: for, since, until, who",
    "plan.made":              "PLANNER is done; data: repository, base, branch, services",
    "change.found_merged":    "a merged pull request of this VTID exists; data: pull_request",
    "change.passed_over":     "a merged pull request of this VTID is not this run's work; data: url, reason",
    "work_order.offered":     "an order lies ready for workers; data: order_id, offer, attempt, kind, round",
    "work_order.unclaimed":   "alarm: nobody took the order in time; data: order_id, seconds, present, free, busy",
    "work_order.claimed":     "one worker won the order; data: order_id, attempt, worker, mode",
    "work_order.withdrawn":   "the order is no longer offered; data: order_id, reason",
    "attempt.ended":          "a lease ended without evidence; data: attempt, worker, code, message",
    "evidence.claimed":       "what was handed in, unchecked; data: source, pr_url, head_sha, branch, files, summary, by",
    "evidence.observed":      "what GitHub shows for it; data: source, pull_request",
    "evidence.refused":       "the claim does not hold; data: pr_url, reason",
    "evidence.contradicted":  "claim and fact differ; data: field (pull_request, head_sha, branch, files, deployment), claimed, observed, by",
    "verdict.reached":        "the validator's answer; data: passed, head_sha, rules",
    "repair.ordered":         "what fails goes back to a worker; data: round, rounds, code, reason, pr_url, branch, head_sha, findings (rule, name, says, url, log, log_problem)",
    "verdict.voided":         "a check is not what the verdict saw, so it is judged again; data: reason, round",
    "change.head_moved":      "the pull request has a new head, so it is validated again; data: from, to, round",
    "change.queued":          "the change is in the merge queue of its base with the validated head; data: pull_request, head_sha, position, queued_before",
    "change.dequeued":        "the change left the merge queue without a merge; data: pull_request, reason",
    "change.merged":          "the change is on the base branch; data: sha, pull_request, merged_before",
    "deploy.dispatched":      "the deploy workflow was started by us; data: url",
    "deploy.run_ended":       "the deploy run on GitHub Actions is over; data: url, conclusion",
    "proof.recorded":         "the deployment proof as it stands; data: complete, code, links, skipped (rules that a person let be: rule, by, reason)",
    "rollback.done":          "traffic was shifted back to what served before; data: service, revision, commit, proven, links",
    "rollback.held":          "traffic was left as it is, though policy has a rollback; data: service, reason",
    "deployment.reported":    "GitHub's deployment status is written; data: state, url",
    "report.written":         "the check run on the head and the comment say how the run stands; data: conclusion, check, comment, degraded",
    "report.failed":          "GitHub could not be told something; data: what (deployment, check, comment), message",
    "message.refused":        "a signal was refused; data: name, code, message",
    # around runs, told by API and ledger; run_id and seq are null
    "run.requested":          "a start was accepted; data: by, spec_hash",
    "task.created":           "a task was allocated; data: title, repository, environment",
    "task.changed":           "fields of a task changed; data: changed",
    "spec.put":               "a new spec version; data: version, hash",
    "spec.validated":         "the spec passed validation; data: hash, warnings",
    "spec.approved":          "the spec was approved; data: hash, by, reason",
    "approval.voided":        "the spec changed, so its approval is void; data: hash, approved_by",
    "claim.late":             "an answer under an old lease, refused and kept; data: order_id, attempt, worker, pr_url",
    "system.disarmed":        "emergency stop; data: reason, by",
    "system.armed":           "the emergency stop is lifted; data: by",
    "worker.seen":            "a worker is here for the first time; data: worker",
    "worker.said":            "what a worker of the old gateway tells, unchecked; data: topic, service, status, message, worker, details",
    "change.unattributed":    "a push or merge that belongs to no task of the ledger; data: repository, came_by (push, merge), branch, commit, pull_request, title, mentioned, why",
    "notification.given_up":  "nobody could be told of something: every try failed; data: subscription, name, about, delivery, reason",
    "notification.disabled":  "a subscription is told nothing any more, until somebody enables it; data: subscription, name, reason",
    "deployment.watched":     "the proven deployment is looked at again and again; data: run_id, says",
    "deployment.superseded":  "a newer commit that contains ours serves; data: run_id, says",
    "deployment.drifted":     "our commit serves, and no longer as it was proven; data: run_id, says",
    "deployment.reverted":    "a commit without ours serves; data: run_id, says",
    "deployment.restored":    "what was proven serves again; data: run_id, says",
    "deployment.unwatched":   "it cannot be watched any more; data: run_id, says",
    "engine.stuck":           "the run's workflow task keeps failing in Temporal, or the ledger keeps refusing its events, or no worker of the build that it is pinned to is there; data: message",
    "engine.recovered":       "the run's workflow task works again",
    "engine.terminated":      "the run was ended inside Temporal; data: status, message",
}
# fmt: on


@dataclass(frozen=True)
class RunEvent:
    """One event of one run. `seq` counts from 1 within the run; the ledger stores each (run_id, seq) once."""

    run_id: str
    seq: int
    vtid: str
    type: str
    at: datetime
    stage: Stage | None = None
    actor: str = SYSTEM
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OutsideEvent:
    """An event that no workflow told. `id` makes a repeated write harmless."""

    id: str
    type: str
    at: datetime
    vtid: str | None = None
    actor: str = SYSTEM
    data: dict[str, Any] = field(default_factory=dict)


def event_of(shown: Mapping[str, Any]) -> RunEvent:
    """An event of a run from the JSON in which the API and a proof show it."""
    return RunEvent(
        run_id=shown["run_id"],
        seq=shown["seq"],
        vtid=shown["vtid"],
        type=shown["type"],
        at=datetime.fromisoformat(shown["at"]),
        stage=Stage(shown["stage"]) if shown["stage"] else None,
        actor=shown["actor"],
        data=shown["data"],
    )


def tell_the_same(one: RunEvent, other: RunEvent) -> bool:
    """Whether both say the same. A workflow task that is done again tells it at another moment, and no more than that."""
    said = [(each.type, each.stage, each.actor, _timeless(each.data)) for each in (one, other)]
    return said[0] == said[1]


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(each) for key, each in value.items() if key not in ("at", "since", "until")}
    return [_timeless(each) for each in value] if isinstance(value, list | tuple) else value
