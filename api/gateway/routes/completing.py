"""Starting, and claims of completion. No word of a worker ends a task: that is the run's alone."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse

from api.auth import Principal, Role
from api.gateway import rows
from api.gateway.named import named_in
from api.gateway.said import ANY_OBJECT, Heard, Said
from api.gateway.words import keep
from api.plain import plain
from api.problems import Problem
from api.services import PREFIX, Given, Services, VtidPath, Worker, require
from vtid.domain.task import TaskStatus
from vtid.ledger import Refusal
from vtid.ledger.records import OrderRecord, TaskRecord

router = APIRouter(prefix=PREFIX, tags=["gateway: completing"])

Starter = Annotated[Principal, Depends(require(Role.OPERATOR, Role.WORKER))]
_FAILED = {"failed", "failure", "fail", "error", "rejected", "timeout", "false"}
_CANCELLED = {"cancelled", "canceled", "cancel", "aborted"}


class Outcome(StrEnum):
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"


@router.post("/worker/orchestrator/complete", openapi_extra=ANY_OBJECT)
async def complete(said: Heard, request: Request, given: Given, actor: Worker) -> JSONResponse:
    """The worker says how its attempt ended. Raises LEASE_LOST when it holds none."""
    task = await given.ledger.tasks.get(said.vtid)
    told = await _claimed(given, task, said, "orchestrator.complete", request, actor, strict=True)
    return JSONResponse(told)


@router.post("/vtid/lifecycle/complete", openapi_extra=ANY_OBJECT)
async def lifecycle_complete(said: Heard, request: Request, given: Given, actor: Worker) -> JSONResponse:
    """A claim that the task is done: kept, and answered with where it truly stands."""
    task = await given.ledger.tasks.get(said.vtid)
    return JSONResponse(await _claimed(given, task, said, "vtid.lifecycle.complete", request, actor))


@router.post("/oasis/vtid/terminalize", openapi_extra=ANY_OBJECT)
async def terminalize(said: Heard, request: Request, given: Given, actor: Worker) -> JSONResponse:
    """The same claim in other words; it ends nothing."""
    task = await given.ledger.tasks.get(said.vtid)
    return JSONResponse(await _claimed(given, task, said, "vtid.terminalize", request, actor))


@router.post("/oasis/tasks/{vtid}/complete", openapi_extra=ANY_OBJECT)
async def task_complete(
    vtid: VtidPath, said: Heard, request: Request, given: Given, actor: Worker
) -> JSONResponse:
    """The same claim; the answer waits, within bounds, for the proof."""
    task = await given.ledger.tasks.get(vtid)
    told = await _claimed(given, task, said, "task.complete", request, actor)
    await given.counter.settled(vtid)
    return JSONResponse(told | _where(await given.ledger.tasks.get(vtid)))


@router.post("/vtid/lifecycle/start", openapi_extra=ANY_OBJECT)
async def start(said: Heard, request: Request, given: Given, actor: Starter) -> JSONResponse:
    """Start the run of an approved task, or join the one under way."""
    task = await given.ledger.tasks.get(said.vtid)
    _check_start(task, said, actor)
    record = await given.starts.start(task.vtid, by=actor.name)
    reason = said.text("approval_reason", "reason", most=2_000)
    await given.audit(request, actor, "run.start", task.vtid, run_id=record.run_id, reason=reason)
    told = {"vtid": task.vtid, "run_id": record.run_id, "status": record.view.status.value}
    return JSONResponse({"ok": True, **told, "message": f"the run of {task.vtid} is under way", "data": told})


def _check_start(task: TaskRecord, said: Said, actor: Principal) -> None:
    """A worker may start what was approved for it; what has ended once, only a person starts again."""
    ended = task.status in (TaskStatus.REJECTED, TaskStatus.CANCELLED)
    if ended and not actor.may(Role.OPERATOR):
        raise Problem("FORBIDDEN", f"{task.vtid} is {task.status}; starting it again needs the role operator")
    named, approved = said.anywhere("spec_hash").lower(), task.spec.hash if task.spec else None
    if named and approved is not None and named != approved:
        raise Refusal("SPEC_HASH_MISMATCH", "the spec is another text", expected=approved, actual=named)


def outcome_of(said: Said) -> Outcome:
    """How the worker says that it ended; a bare claim of completion is one of success."""
    word = said.text("outcome", "terminal_outcome", "status").lower()
    success = said.flag("success")
    if success is None and not word:
        success = said.inner("result").flag("ok", "success")
    if word in _CANCELLED:
        return Outcome.CANCELLED
    return Outcome.FAILED if success is False or word in _FAILED else Outcome.SUCCESS


async def _claimed(
    given: Services,
    task: TaskRecord,
    said: Said,
    topic: str,
    request: Request,
    actor: Principal,
    *,
    strict: bool = False,
) -> dict[str, Any]:
    """Keep the claim, hand it to the lease that it speaks for, and tell where the task stands."""
    outcome = outcome_of(said)
    already = rows.ending(task)["is_terminal"]
    event_id = await keep(given.ledger, topic, said, vtid=task.vtid, once=True)
    standing = await given.counter.standing(task.vtid, said)
    told: Any = None
    if standing.mine is not None:
        told = await _hand_over(given, standing.mine, outcome, said)
        await given.audit(
            request, actor, "order.complete", task.vtid, outcome=outcome.value, evidence=plain(told)
        )
    elif strict and standing.answered is None:
        raise given.counter.lost(said, standing)
    return {
        "ok": True,
        "vtid": task.vtid,
        "claimed_outcome": outcome.value,
        "evidence": plain(told),
        "event_id": event_id,
        "already_terminal": already,
        **_where(await given.ledger.tasks.get(task.vtid)),
    }


async def _hand_over(given: Services, order: OrderRecord, outcome: Outcome, said: Said) -> Any:
    error = said.anywhere("error", "error_message", most=8_000)
    summary = said.text("summary", "message", most=8_000)
    if outcome is Outcome.FAILED:
        await given.results.fail(order, error or summary)
        return None
    if outcome is Outcome.CANCELLED:
        await given.results.release(order, error or summary or "the worker says: cancelled")
        return None
    return await given.results.succeed(order, named_in(said, order.command.repository), summary)


def _where(task: TaskRecord) -> dict[str, Any]:
    """The truth about the task, beside whatever was claimed."""
    view = task.run.view if task.run else None
    ending = rows.ending(task)
    return ending | {
        "terminal_at": ending["completed_at"],
        "verified": task.status is TaskStatus.COMPLETED,  # proven by its run; never by a claim
        "run_id": task.run.run_id if task.run else None,
        "stage": view.stage.value if view else None,
        "failure": plain(view.failure) if view else None,
        "stageTimeline": rows.timeline(task),
    }
