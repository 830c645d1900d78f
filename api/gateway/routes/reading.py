"""Looking: the ledger, one task, its execution, the board, and what lies ready for a worker."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse

from api.gateway import rows
from api.services import PREFIX, Given, Services, ViewerOrWorker, VtidPath, storable
from vtid.domain.task import SpecState, TaskStatus
from vtid.ledger.records import OrderRecord, TaskRecord
from vtid.ledger.task_lists import TaskFilter

router = APIRouter(prefix=PREFIX, tags=["gateway: looking"])

_USUAL, _MOST = 50, 500
_MOST_PENDING = 100
_RECENT = 5
# Old clients send what they like here; a number out of range is brought into it.
Limit = Annotated[str, Query(description="how many; brought into range")]


def limit_of(text: str, most: int = _MOST) -> int:
    return max(1, min(int(text), most)) if text.isascii() and text.isdecimal() and len(text) < 10 else _USUAL


@router.get("/oasis/vtid-ledger")
async def ledger(
    given: Given, _: ViewerOrWorker, limit: Limit = "50", status: str | None = None
) -> JSONResponse:
    """The tasks, newest change first."""
    tasks, holders = await _listed(given, limit_of(limit), status)
    data = [rows.row(task, holders.get(task.vtid)) for task in tasks]
    return JSONResponse({"ok": True, "count": len(data), "data": data})


@router.get("/commandhub/board")
async def board(given: Given, _: ViewerOrWorker, limit: Limit = "50") -> JSONResponse:
    """The same with the column of each."""
    tasks, holders = await _listed(given, limit_of(limit), None)
    items = [rows.card(task, holders.get(task.vtid)) for task in tasks]
    meta = {"limit": limit_of(limit), "count": len(items), "has_more": len(items) == limit_of(limit)}
    return JSONResponse({"ok": True, "items": items, "data": items, "meta": meta})


@router.get("/vtid/{vtid}")
async def show(vtid: VtidPath, given: Given, _: ViewerOrWorker) -> JSONResponse:
    """One task with its approved spec, its lease and its four stages."""
    task = await given.ledger.tasks.get(vtid)
    holder = await given.ledger.orders.holder(vtid)
    told = rows.whole(task, holder, await _approved_spec(given, task))
    return JSONResponse({"ok": True, **told, "data": told})


@router.get("/vtid/{vtid}/execution-status")
async def execution_status(vtid: VtidPath, given: Given, _: ViewerOrWorker) -> JSONResponse:
    """Where the run stands, and the last things that happened."""
    task = await given.ledger.tasks.get(vtid)
    events = await given.ledger.events.latest(vtid, _RECENT)
    return JSONResponse({"ok": True, "data": rows.execution_status(task, events)})


@router.get("/worker/orchestrator/tasks/pending")
async def pending(
    given: Given,
    _: ViewerOrWorker,
    worker_id: Annotated[str, Query(max_length=200)] = "",
    limit: Limit = "50",
) -> JSONResponse:
    """What this worker holds, what lies ready, and what is being prepared. Also tells that it is here."""
    worker = storable_or_none(worker_id.strip())
    if worker:
        await given.ledger.workers.seen(worker)
    most = limit_of(limit, _MOST_PENDING)
    held = await given.ledger.orders.held_by(worker) if worker else []
    ready = await given.ledger.orders.claimable(limit=most)
    orders = [*held, *ready][:most]
    tasks = [await _of_order(given, order) for order in orders]
    named = {order.vtid for order in orders}
    coming = [each for each in await _being_prepared(given, most - len(tasks)) if each.vtid not in named]
    tasks.extend([await _prepared(given, task) for task in coming])
    return JSONResponse({"ok": True, "tasks": tasks, "count": len(tasks)})


def storable_or_none(text: str) -> str | None:
    """The worker's name, if a database can take it."""
    try:
        return storable(text) or None
    except ValueError:
        return None


async def _listed(
    given: Services, limit: int, status: str | None
) -> tuple[list[TaskRecord], dict[str, OrderRecord]]:
    wanted = (TaskStatus(status.lower()),) if status and status.lower() in set(TaskStatus) else None
    page = await given.ledger.tasks.list(TaskFilter(statuses=wanted), limit=limit)
    claimed = await given.ledger.orders.list(state="claimed", limit=_MOST)
    return page.items, {order.vtid: order for order in claimed}


async def _approved_spec(given: Services, task: TaskRecord) -> str | None:
    """The text that is (or will be) built: of a run under way its own, also when a newer one has come."""
    run = task.run
    if run is not None and run.state != "closed" and run.view.spec_hash:
        return await given.ledger.tasks.spec_text(task.vtid, run.view.spec_hash)
    return task.spec.markdown if task.spec and task.spec.state == SpecState.APPROVED else None


async def _of_order(given: Services, order: OrderRecord) -> dict[str, Any]:
    task = await given.ledger.tasks.get(order.vtid)
    spec = await given.ledger.tasks.spec_text(order.vtid, order.command.spec_hash)
    return rows.pending(task, order, spec, order.command.spec_hash)


async def _being_prepared(given: Services, limit: int) -> list[TaskRecord]:
    """Tasks whose run was started and has not offered its order yet."""
    if limit <= 0:
        return []
    page = await given.ledger.tasks.list(TaskFilter(statuses=(TaskStatus.SCHEDULED,)), limit=limit)
    return [task for task in page.items if task.run is not None and task.run.state != "closed"]


async def _prepared(given: Services, task: TaskRecord) -> dict[str, Any]:
    spec_hash = (task.run.view.spec_hash if task.run else None) or ""
    return rows.pending(task, None, await _approved_spec(given, task), spec_hash)
