"""The worker's side: claim, heartbeat, evidence, fail, release."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from api import shapes, work_shapes
from api.leases import Lease
from api.plain import plain
from api.problems import Problem
from api.services import PREFIX, Body, Given, Text, ViewerOrWorker, Vtid, Words, Worker
from vtid.domain.evidence import ClaimedEvidence, InvalidEvidence, check_sha, parse_pull_url
from vtid.domain.moment import moment

router = APIRouter(prefix=PREFIX, tags=["work orders"])

WorkerId = Annotated[Words, Field(min_length=1, max_length=200)]
Token = Annotated[str, Field(min_length=1, max_length=4_000, description="from the claim")]


class Claim(Body):
    worker_id: WorkerId
    wait_seconds: float = Field(
        0, ge=0, le=30, allow_inf_nan=False, description="how long to wait for an order"
    )
    vtid: Vtid | None = Field(None, description="only an order of this task")
    capabilities: list[Annotated[Text, Field(min_length=1, max_length=64)]] = Field(
        default_factory=list,
        max_length=50,
        description="what this worker can do; orders that require more are not given to it",
    )
    mode: Literal["attended", "unattended"] = Field(
        "attended", description="unattended: cannot beat; any call under the lease counts as progress"
    )


class Heartbeat(Body):
    lease: Token
    progress: dict[str, Any] | Text | None = Field(
        None, description="what moved; a bare heartbeat only lives"
    )


class HandIn(Body):
    lease: Token
    pr_url: Text = Field(max_length=500)
    head_sha: Text = Field(max_length=100)
    branch: Text | None = Field(None, max_length=300)
    files: list[Text] = Field(default_factory=list, max_length=5_000)
    summary: Text = Field("", max_length=8_000)


class Failed(Body):
    lease: Token
    message: Text = Field(min_length=1, max_length=8_000)
    retryable: bool = True


class Release(Body):
    lease: Token
    reason: Text = Field("", max_length=2_000)


@router.post("/work-orders/claim", responses={204: {"description": "No order came in time."}})
async def claim_order(body: Claim, request: Request, given: Given, actor: Worker) -> Response:
    """Claim an order; waits up to `wait_seconds` for one. Also tells that this worker is here and free.

    One worker wins. The same worker that asks again gets the lease that it holds again.
    """
    try:
        grant = await given.pickup.claim(
            body.worker_id,
            seconds=body.wait_seconds,
            vtid=body.vtid,
            mode=body.mode,
            capabilities=frozenset(body.capabilities),
            has_left=request.is_disconnected,
        )
    except Problem as problem:
        given.metrics.claimed(problem.code)
        raise
    given.metrics.claimed("granted" if grant else "none")
    if grant is None:
        return Response(status_code=204)
    await given.audit(
        request, actor, "order.claim", grant.lease.vtid, order_id=grant.order.order_id, worker=body.worker_id
    )
    return JSONResponse(given.presenter.grant(grant))


@router.post("/work-orders/{order_id}/heartbeat")
async def beat(order_id: str, body: Heartbeat, given: Given, _: Worker) -> JSONResponse:
    """Keep the lease. The answer says `continue` or `stop`; after `stop`, confirm with `release`."""
    progress = {"note": body.progress} if isinstance(body.progress, str) else body.progress
    answer = await given.desk.heartbeat(order_id, body.lease, progress)
    given.metrics.beat(answer.action.value)
    return JSONResponse(
        {"action": answer.action.value, "reason": answer.reason, "expires_at": moment(answer.expires_at)}
    )


@router.post("/work-orders/{order_id}/evidence")
async def hand_in(order_id: str, body: HandIn, request: Request, given: Given, actor: Worker) -> JSONResponse:
    """Hand in the pull request and its head. Nothing in it is believed: GitHub is read."""
    claim = _checked(body)
    lease = await given.desk.evidence(order_id, body.lease, claim)
    await given.audit(request, actor, "order.evidence", lease.vtid, order_id=order_id, pr_url=claim.pr_url)
    return JSONResponse(_accepted(lease) | {"evidence": plain(replace(claim, by=lease.worker))})


@router.post("/work-orders/{order_id}/fail")
async def fail(order_id: str, body: Failed, request: Request, given: Given, actor: Worker) -> JSONResponse:
    """Tell that the attempt failed."""
    lease = await given.desk.fail(order_id, body.lease, body.message, retryable=body.retryable)
    await given.audit(request, actor, "order.fail", lease.vtid, order_id=order_id)
    return JSONResponse(_accepted(lease))


@router.post("/work-orders/{order_id}/release")
async def release(
    order_id: str, body: Release, request: Request, given: Given, actor: Worker
) -> JSONResponse:
    """Give the lease back, or confirm that the work stopped when it was told to."""
    lease = await given.desk.release(order_id, body.lease, body.reason)
    await given.audit(request, actor, "order.release", lease.vtid, order_id=order_id, reason=body.reason)
    return JSONResponse(_accepted(lease))


@router.get("/work-orders", response_model=shapes.Paged[work_shapes.WorkOrder])
async def list_orders(
    given: Given,
    _: ViewerOrWorker,
    state: Literal["offered", "claimed", "withdrawn", "ended"] | None = None,
    vtid: Vtid | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> JSONResponse:
    """Work orders with the clocks of their leases."""
    orders = await given.ledger.orders.list(state=state, vtid=vtid, limit=limit)
    return JSONResponse({"items": [given.presenter.order(order) for order in orders], "next_cursor": None})


@router.get("/workers", response_model=shapes.Paged[work_shapes.Worker])
async def list_workers(
    given: Given,
    _: ViewerOrWorker,
    seen_within_seconds: Annotated[float, Query(gt=0, le=86_400, allow_inf_nan=False)] = 300,
) -> JSONResponse:
    """Who was seen lately: free, busy and doing what, or gone (not seen for as long as an order is offered)."""
    workers = await given.ledger.workers.list(seen_within_seconds=seen_within_seconds)
    return JSONResponse({"items": [given.presenter.worker(each) for each in workers], "next_cursor": None})


def _checked(body: HandIn) -> ClaimedEvidence:
    """The claim in the domain's terms. Raises Problem VALIDATION that names the field."""
    try:
        parse_pull_url(body.pr_url)
        sha = check_sha(body.head_sha)
    except InvalidEvidence as error:
        wrong = {"field": error.field, "message": str(error)}
        raise Problem("VALIDATION", f"{error.field}: {error}", errors=(wrong,)) from error
    return ClaimedEvidence(body.pr_url.strip(), sha, body.branch, tuple(body.files), body.summary)


def _accepted(lease: Lease) -> dict[str, Any]:
    """The same for the same call, however often it is made."""
    return {
        "accepted": True,
        "order_id": lease.order_id,
        "vtid": lease.vtid,
        "run_id": lease.run_id,
        "attempt": lease.attempt,
    }
