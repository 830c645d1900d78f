"""Routing: who shall do it. For an MCP client of old this call is the pickup itself."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.claims import disarmed
from api.gateway.routes.working import granted, moved, taken
from api.gateway.said import ANY_OBJECT, Heard, Said
from api.problems import Problem
from api.services import PREFIX, Given, Services, Worker
from vtid.ledger.records import TaskRecord

router = APIRouter(prefix=PREFIX, tags=["gateway: working"])

_DOMAINS = ("frontend", "backend", "memory", "infra", "ai")


@router.post("/worker/orchestrator/route", openapi_extra=ANY_OBJECT)
async def route(said: Heard, request: Request, given: Given, actor: Worker) -> JSONResponse:
    """Who works on this task. Waits a little while its order is being prepared."""
    task = await given.ledger.tasks.get(said.vtid)
    if said.is_mcp:
        grant = await taken(given, task, said, request, actor)
        return JSONResponse(_decision(given, task, said, grant.lease.worker) | granted(given, task, grant))
    switch = await given.ledger.switch.read()
    if not switch.armed:
        raise disarmed(switch.reason)
    order = await given.counter.prepared(task.vtid, said.worker)
    if order is None:
        raise Problem("ILLEGAL_TRANSITION", f"no order of {task.vtid} lies ready yet; ask again")
    await given.counter.touch(task.vtid, said, moved(said, "routed"))
    told = {"run_id": order.run_id, "claimed": order.state == "claimed", "vtid": task.vtid}
    return JSONResponse(_decision(given, task, said, order.worker) | told)


def _decision(given: Services, task: TaskRecord, said: Said, worker: str | None) -> dict[str, Any]:
    """There is one kind of worker here, so the domain is the client's own word."""
    domain = said.anywhere("task_domain", "domain").lower()
    target = f"worker-{domain if domain in _DOMAINS else 'backend'}"
    environment = given.environments.get(task.environment)
    gates = [
        _gate("spec", f"the spec of {task.vtid} is approved"),
        _gate("armed", "the emergency stop is off"),
        _gate("lease", f"{worker} holds the lease" if worker else "the order is free to claim"),
    ]
    return {
        "ok": True,
        "target": target,
        "dispatched_to": target,
        "assigned_subagents": [target],
        "confidence": 100,
        "rationale": f"every gate of {task.vtid} has passed; {gates[-1]['message']}",
        "identity": {
            "repo": task.repository,
            "project": environment.project if environment else None,
            "region": environment.region if environment else None,
            "environment": task.environment,
            "tenant": task.repository.split("/", 1)[0],
        },
        "governance": {
            "proceed": True,
            "summary": {"passed": len(gates), "total": len(gates)},
            "evaluations": gates,
        },
    }


def _gate(skill: str, message: str) -> dict[str, Any]:
    return {"skill": skill, "passed": True, "message": message}
