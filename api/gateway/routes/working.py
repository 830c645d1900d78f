"""Working: register, beat, claim, report, release. The lease is found by worker, run and attempt."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.auth import Principal
from api.engine import Beat
from api.gateway import rows
from api.gateway.said import ANY_OBJECT, Heard, Said
from api.gateway.words import keep
from api.grants import Grant
from api.problems import Problem
from api.services import PREFIX, Given, Services, VtidPath, Worker
from vtid.domain.moment import moment
from vtid.ledger.records import TaskRecord

router = APIRouter(prefix=PREFIX, tags=["gateway: working"])


@router.post("/worker/orchestrator/register", openapi_extra=ANY_OBJECT)
async def register(said: Heard, given: Given, _: Worker) -> JSONResponse:
    """A worker is here."""
    worker = said.needed_worker()
    await given.ledger.workers.seen(worker)
    event_id = await keep(given.ledger, "worker.registered", said, once=True)
    return JSONResponse({"ok": True, "worker_id": worker, "registered": True, "event_id": event_id})


@router.post("/worker/orchestrator/heartbeat", openapi_extra=ANY_OBJECT)
async def beat(said: Heard, given: Given, _: Worker) -> JSONResponse:
    """A worker lives; with `active_vtid` its lease lives, too, and the answer says `continue` or `stop`."""
    worker = said.needed_worker()
    await given.ledger.workers.seen(worker)
    told: dict[str, Any] = {
        "ok": True,
        "worker_id": worker,
        "active_vtid": None,
        "action": Beat.CONTINUE.value,
    }
    if not said.text("active_vtid", "vtid"):
        return JSONResponse(told)
    standing = await given.counter.standing(said.vtid, said)
    told |= {"active_vtid": said.vtid}
    if standing.mine is not None:
        answer = await given.counter.beat(standing.mine)
        given.metrics.beat(answer.action.value)
        until = moment(answer.expires_at)
        return JSONResponse(
            told | {"action": answer.action.value, "reason": answer.reason, "expires_at": until}
        )
    if standing.answered is not None:
        reason = f"this attempt has its answer: {standing.answered.ended_reason}"
        return JSONResponse(told | {"action": Beat.STOP.value, "reason": reason})
    raise given.counter.lost(said, standing)


@router.post("/worker/orchestrator/tasks/{vtid}/claim", openapi_extra=ANY_OBJECT)
async def claim(vtid: VtidPath, said: Heard, request: Request, given: Given, actor: Worker) -> JSONResponse:
    """Take the order of this task; waits a little while it is being prepared. One worker wins."""
    task = await given.ledger.tasks.get(vtid)
    grant = await taken(given, task, said, request, actor)
    return JSONResponse({"ok": True, **granted(given, task, grant)})


@router.post("/worker/orchestrator/tasks/{vtid}/progress", openapi_extra=ANY_OBJECT)
async def progress(vtid: VtidPath, said: Heard, given: Given, _: Worker) -> JSONResponse:
    """The work moves."""
    standing = await given.counter.standing(vtid, said)
    if standing.mine is None:
        raise given.counter.lost(said, standing)
    answer = await given.counter.beat(standing.mine, moved(said, said.text("event") or "progress"))
    told = {"action": answer.action.value, "reason": answer.reason, "expires_at": moment(answer.expires_at)}
    return JSONResponse({"ok": True, "vtid": vtid, "run_id": standing.mine.run_id, **told})


@router.post("/worker/orchestrator/tasks/{vtid}/release", openapi_extra=ANY_OBJECT)
async def release(vtid: VtidPath, said: Heard, request: Request, given: Given, actor: Worker) -> JSONResponse:
    """Give the lease back. After an answer there is nothing to give back, and that is fine."""
    standing = await given.counter.standing(vtid, said)
    reason = said.text("reason", most=2_000)
    if standing.mine is not None:
        await given.results.release(standing.mine, reason)
        await given.audit(
            request, actor, "order.release", vtid, order_id=standing.mine.order_id, reason=reason
        )
        return JSONResponse({"ok": True, "vtid": vtid, "released": True})
    if standing.answered is not None:
        why = f"this attempt has its answer: {standing.answered.ended_reason}"
        return JSONResponse({"ok": True, "vtid": vtid, "released": False, "reason": why})
    raise given.counter.lost(said, standing)


@router.post("/worker/subagent/start", openapi_extra=ANY_OBJECT)
async def subagent_start(said: Heard, given: Given, _: Worker) -> JSONResponse:
    """Kept as the worker's word."""
    return await _subagent("subagent.start", said, given)


@router.post("/worker/subagent/complete", openapi_extra=ANY_OBJECT)
async def subagent_complete(said: Heard, given: Given, _: Worker) -> JSONResponse:
    """Kept as the worker's word. `verified` is never true here: only a run verifies."""
    return await _subagent("subagent.complete", said, given)


@router.post("/agents/registry/heartbeat", openapi_extra=ANY_OBJECT)
async def agent_beat(said: Heard, given: Given, _: Worker) -> JSONResponse:
    """A service of somebody's lives. It takes no orders, so it does not count as a worker."""
    agent = said.text("agent_id", "worker_id") or "unknown"
    status = said.text("status") or "unknown"
    event_id = await keep(given.ledger, "agent.heartbeat", said, key=f"agent:{agent}:{status}")
    return JSONResponse({"ok": True, "agent_id": agent, "status": status, "event_id": event_id})


async def _subagent(topic: str, said: Said, given: Services) -> JSONResponse:
    task = await given.ledger.tasks.get(said.vtid)
    event_id = await keep(given.ledger, topic, said, vtid=task.vtid, once=True)
    await given.counter.touch(task.vtid, said, moved(said, topic))
    told = {"vtid": task.vtid, "run_id": task.run.run_id if task.run else None, "status": task.status.value}
    return JSONResponse({"ok": True, **told, "verified": False, "event_id": event_id})


def moved(said: Said, step: str) -> dict[str, Any]:
    """What a worker says of its progress, as it is kept on the order."""
    return {"step": step, "message": said.text("message", "summary", most=1_000)}


async def taken(given: Services, task: TaskRecord, said: Said, request: Request, actor: Principal) -> Grant:
    """The claim itself. Old MCP clients cannot beat, so their lease is unattended."""
    worker = said.needed_worker()
    mode = "unattended" if said.is_mcp or said.text("mode").lower() == "unattended" else "attended"
    try:
        grant = await given.counter.claim(task, worker, mode, request.is_disconnected)
    except Problem as problem:
        given.metrics.claimed(problem.code)
        raise
    given.metrics.claimed("granted")
    await given.audit(
        request,
        actor,
        "order.claim",
        task.vtid,
        order_id=grant.order.order_id,
        worker=worker,
        mode=grant.lease.mode,
    )
    return grant


def granted(given: Services, task: TaskRecord, grant: Grant) -> dict[str, Any]:
    """The claimed order. The lease token is left out: these clients would not send it back."""
    told = given.presenter.grant(grant)
    del told["lease"], told["spec"]
    return told | {
        "claimed": True,
        "title": task.title,
        "summary": grant.spec,
        "spec_content": grant.spec,
        "status": task.status.value,
        "metadata": rows.whereabouts(grant.order),
    }
