"""Runs: start, look, cancel, rescue."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse

from api import shapes, told_shapes
from api.asked import check_code
from api.engine import EngineUnavailable, RunOver, RunRef
from api.moves import effects
from api.plain import plain
from api.problems import Problem
from api.rescue import Wish, carry_out, plan
from api.services import PREFIX, Body, Given, Limit, Operator, Services, Text, Viewer, Vtid, VtidPath
from api.verdict_links import links_of
from vtid.domain.commands.messages import CancelRun
from vtid.domain.stages import Stage
from vtid.domain.task import TaskStatus
from vtid.ledger.records import RunRecord

router = APIRouter(prefix=PREFIX, tags=["runs"])

Reason = Annotated[Text, Field(max_length=2_000)]


class StartRun(Body):
    vtid: Vtid


class CancelReason(Body):
    reason: Reason = ""


class RescueMove(Body):
    move: Annotated[str, Field(max_length=40, description="one of the moves that the run view offers")]
    reason: Reason = Field("", description="needed by `abandon` and `skip`")
    pr_url: Annotated[Text, Field(max_length=500)] | None = Field(None, description="for `adopt`")
    rule: Annotated[Text, Field(max_length=40)] | None = Field(None, description="for `skip`: VAL-RULE-…")
    dry_run: bool = Field(False, description="only tell what the move would do")


@router.post("/runs", status_code=202, response_model=shapes.Run)
async def start_run(body: StartRun, request: Request, given: Given, actor: Operator) -> JSONResponse:
    """Start a run, or join the same one under way. When this answers 202 the workflow exists."""
    record = await given.starts.start(body.vtid, by=actor.name)
    await given.audit(request, actor, "run.start", body.vtid, run_id=record.run_id)
    headers = {"Location": f"/api/v1/runs/{body.vtid}"}
    return JSONResponse(given.presenter.run(record), 202, headers=headers)


@router.get("/runs", response_model=shapes.PagedAt[shapes.Run])
async def list_runs(
    given: Given,
    _: Viewer,
    status: TaskStatus | None = None,
    stage: Stage | None = None,
    code: str | None = None,
    limit: Limit = 50,
    cursor: Text | None = None,
) -> JSONResponse:
    """Runs, the last changed first. `position` is where a live stream goes on from this answer."""
    check_code(code)
    position = await given.ledger.events.last_position()
    page = await given.ledger.runs.list(status=status, stage=stage, code=code, limit=limit, cursor=cursor)
    items = [given.presenter.run(record) for record in page.items]
    return JSONResponse({"items": items, "next_cursor": page.next_cursor, "position": position})


@router.get("/runs/{vtid}", response_model=shapes.Run)
async def show_run(
    vtid: VtidPath,
    given: Given,
    _: Viewer,
    fresh: Annotated[bool, Query(description="ask the run itself instead of the ledger")] = False,
) -> JSONResponse:
    """The run view of the current or last run."""
    record = await given.ledger.runs.current(vtid)
    return JSONResponse(await (_fresh(given, record) if fresh else _stored(given, record)))


@router.get("/runs/{vtid}/verdict", response_model=shapes.Verdict)
async def show_verdict(vtid: VtidPath, given: Given, _: Viewer) -> JSONResponse:
    """The last verdict of the current or last run: what it is about, and every rule with answer, reason, inputs and links."""
    record = await given.ledger.runs.current(vtid)
    view = record.view
    if view.verdict is None:
        raise Problem("NOT_FOUND", f"{vtid} has no verdict: VALIDATOR has not judged its present evidence")
    links = {name: view.links[name] for name in ("pr", "page") if name in view.links}
    verdict = plain(view.verdict)
    rules = [rule | {"links": links_of(rule["rule"], view)} for rule in verdict["rules"]]
    return JSONResponse({"vtid": vtid, "run_id": view.run_id, **verdict, "rules": rules, "links": links})


@router.get("/runs/{vtid}/explain", response_model=shapes.Explanation)
async def explain_run(vtid: VtidPath, given: Given, _: Viewer) -> JSONResponse:
    """Why the change may not be merged now: every rule, asked anew. Also before there is a run; decides nothing."""
    return JSONResponse(plain(await given.explainer.explain(vtid)))


@router.post("/runs/{vtid}/cancel", response_model=shapes.Run)
async def cancel_run(
    vtid: VtidPath, request: Request, given: Given, actor: Operator, body: CancelReason | None = None
) -> JSONResponse:
    """Ask the run to end. Its worker is told at the next heartbeat; nothing is merged after this."""
    record = await given.ledger.runs.current(vtid)
    if record.state == "closed" and record.view.status is TaskStatus.CANCELLED:
        return JSONResponse(given.presenter.run(record))  # asked again after it was done
    if record.state == "closed":
        raise Problem(
            "ILLEGAL_TRANSITION", f"the run is over: {record.view.status}", actual=record.view.status
        )
    if record.run_id is None:
        record = await given.starts.bring_to_engine(record)
    reason = body.reason if body else ""
    await given.engine.cancel(_ref(record), CancelRun(actor.name, reason))
    await given.audit(request, actor, "run.cancel", vtid, run_id=record.run_id, reason=reason)
    return JSONResponse(await _newest(given, record))


@router.post("/runs/{vtid}/rescue", response_model=told_shapes.Decision)
async def rescue_run(
    vtid: VtidPath, body: RescueMove, request: Request, given: Given, actor: Operator
) -> JSONResponse:
    """Decide about a blocked run; with `dry_run`, only list what the decision would do."""
    record = await given.ledger.runs.current(vtid)
    wish = Wish(body.move, body.reason, body.pr_url, body.rule)
    decision = plan(record.view, wish, by=actor.name, dry=body.dry_run)
    if body.dry_run:
        told = effects(record.view, decision)
        return JSONResponse({"dry_run": True, "vtid": vtid, "move": decision.move.value, "effects": told})
    await carry_out(given, request, actor, record, decision)
    return JSONResponse(await _newest(given, record))


def _ref(record: RunRecord) -> RunRef:
    if record.run_id is None:
        raise Problem("ILLEGAL_TRANSITION", "the run is requested and not yet in Temporal; try again")
    return RunRef(record.vtid, record.run_id)


async def _stored(given: Services, record: RunRecord) -> dict[str, Any]:
    """The ledger's word; the clocks of a lease are read only while somebody works."""
    works = record.view.worker is not None and record.view.stage is Stage.WORKER
    holder = await given.ledger.orders.holder(record.vtid) if works else None
    return given.presenter.run(record, holder)


async def _fresh(given: Services, record: RunRecord) -> dict[str, Any]:
    view = await given.engine.view(_ref(record))
    return given.presenter.view(view, position=record.position, engine=record.engine) | {
        "fresh": True,
        "serving": plain(record.serving),
    }


async def _newest(given: Services, record: RunRecord) -> dict[str, Any]:
    """The view after a decision: the run's own, since its events may still be on the way to the ledger."""
    try:
        return await _fresh(given, record)
    except (RunOver, EngineUnavailable):
        return await _stored(given, await given.ledger.runs.current(record.vtid))
