"""Events that workers tell. All are kept as their word; evidence among them is handed to the run."""

from typing import Any

import structlog
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.engine import EngineUnavailable, RunRef
from api.gateway.named import is_deployment, is_evidence, named_in
from api.gateway.routes.working import moved
from api.gateway.said import ANY_OBJECT, Heard, Said
from api.gateway.words import keep
from api.plain import plain
from api.problems import Problem
from api.services import PREFIX, Given, Services, Worker
from vtid.domain.commands.messages import DeploymentClaimed
from vtid.domain.view import deployment_contradiction
from vtid.ledger import Unknown
from vtid.ledger.records import TaskRecord

log = structlog.get_logger()
router = APIRouter(tags=["gateway: events"])


@router.post(f"{PREFIX}/oasis/events", openapi_extra=ANY_OBJECT)
async def tell(said: Heard, request: Request, given: Given, actor: Worker) -> JSONResponse:
    """Keep an event. One that names a pull request or commit as evidence reaches the run of its task."""
    topic = _topic(said)
    task = await _task(given, said)
    event_id = await keep(given.ledger, topic, said, vtid=task.vtid if task else None)
    if is_evidence(topic):
        told = await _evidence(given, task, said)
        if task is not None:
            await given.audit(request, actor, "order.evidence", task.vtid, event_id=event_id, evidence=told)
        return JSONResponse({"ok": True, "event_id": event_id, "evidence": told})
    if task is not None:
        await given.counter.touch(task.vtid, said, moved(said, topic))
        if is_deployment(topic):
            await _deployment(given, task, topic, said)
    return JSONResponse({"ok": True, "event_id": event_id})


@router.post("/rest/v1/oasis_events", status_code=201, openapi_extra=ANY_OBJECT)
async def insert(said: Heard, given: Given, _: Worker) -> JSONResponse:
    """Keep an event that a worker would have written to a database table. Nobody trusts it."""
    topic, given_id = _topic(said), said.text("id", most=100)
    task = await _task(given, said)
    await keep(
        given.ledger, topic, said, vtid=task.vtid if task else None, key=f"row:{given_id}" if given_id else ""
    )
    if task is not None:
        await given.counter.touch(task.vtid, said, moved(said, topic))
    return JSONResponse([said.fields], 201)


def _topic(said: Said) -> str:
    return said.text("type", "topic", "kind", "event", most=200) or "untyped"


async def _task(given: Services, said: Said) -> TaskRecord | None:
    """The task that is spoken of; workers also tell of VTIDs that are no tasks, such as their own."""
    if not said.anywhere("vtid"):
        return None
    try:
        return await given.ledger.tasks.get(said.vtid)
    except (Unknown, Problem):
        return None


async def _deployment(given: Services, task: TaskRecord, topic: str, said: Said) -> None:
    """Tell the run under way, so that the claim stands beside what is known. It is kept in any case."""
    if task.run is None or task.run.run_id is None or task.run.state != "open":
        return
    says = said.text("message", "summary", most=500) or topic
    claim = DeploymentClaimed(said.worker or "unknown", says)
    if deployment_contradiction(task.run.view, claim.by, claim.says) is None:
        return  # the run would make nothing of it, and each message is kept in its history
    try:
        await given.engine.deployment_claimed(RunRef(task.vtid, task.run.run_id), claim)
    except EngineUnavailable as error:
        log.warning("deployment_claim.not_told", vtid=task.vtid, reason=str(error))


async def _evidence(given: Services, task: TaskRecord | None, said: Said) -> Any:
    """What became of it. Raises Problem LEASE_LOST without a live lease, and EVIDENCE_REFUSED."""
    if task is None:
        raise Unknown(f"task {said.vtid}")
    named = named_in(said, task.repository)
    if named is None:
        await given.counter.touch(task.vtid, said, moved(said, _topic(said)))
        return {"state": "noted", "reason": "it names no pull request and no commit"}
    standing = await given.counter.standing(task.vtid, said)
    summary = said.text("message", "summary", most=8_000)
    if standing.mine is not None:
        await given.counter.touch(task.vtid, said, moved(said, _topic(said)))
        return plain(await given.results.evidence(standing.mine, named, summary))
    if standing.answered is not None:
        return {"state": "noted", "reason": f"this attempt has its answer: {standing.answered.ended_reason}"}
    await given.results.keep_late(task, said, named)
    raise given.counter.lost(said, standing)
