"""The tables that code, docs, API and page share: limits, failure codes, rules, environments."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import JSONResponse

from api import shapes, work_shapes
from api.plain import plain
from api.problems import Problem, documented
from api.services import PREFIX, Given, Text, ViewerOrWorker
from vtid.domain.failures import API_CODES, FAILURES
from vtid.domain.limits import LIMITS, Limit
from vtid.domain.rules import RULES

router = APIRouter(prefix=PREFIX, tags=["catalogue"])

Name = Annotated[Text, Path(max_length=200)]
Repository = Annotated[Text | None, Query(max_length=200)]


@router.get("/limits", response_model=shapes.Paged[shapes.LimitRow])
async def limits(given: Given, _: ViewerOrWorker, environment: str | None = None) -> JSONResponse:
    """Every timeout and retry of a run; with an environment, as that one overrides them."""
    overrides: dict[str, Limit] = {}
    if environment is not None:
        if environment not in given.environments:
            names = sorted(given.environments)
            raise Problem("VALIDATION", f"environment: declared are {', '.join(names)}", expected=names)
        overrides = given.environments[environment].limits
    table = {name: replace(overrides.get(name, limit), why=limit.why) for name, limit in LIMITS.items()}
    return JSONResponse(
        {"items": [_limit(name, limit) for name, limit in table.items()], "next_cursor": None}
    )


def _limit(name: str, limit: Limit) -> dict[str, Any]:
    return {
        "name": name,
        "lane": limit.lane.value,
        "one_try_seconds": plain(limit.one_try),
        "budget_seconds": plain(limit.budget),
        "tries": limit.tries,
        "heartbeat_seconds": plain(limit.heartbeat),
        "back_off_seconds": plain(limit.back_off),
        "why": limit.why,
    }


@router.get("/failure-codes", response_model=shapes.FailureCodes)
async def failure_codes(_: ViewerOrWorker) -> JSONResponse:
    """Every code that a run blocks or ends with, and those that only the API answers with."""
    runs = [plain(row) | {"retryable": row.retryable} for row in FAILURES.values()]
    api = [plain(row) for row in API_CODES.values()]
    return JSONResponse({"items": runs, "api": api, "next_cursor": None})


@router.get("/rules", response_model=shapes.Paged[shapes.RuleRow])
async def rules(_: ViewerOrWorker) -> JSONResponse:
    """The validator's rules."""
    return JSONResponse(
        {"items": [{"id": rule.id, "title": rule.title} for rule in RULES], "next_cursor": None}
    )


@router.get(
    "/environments/{name}/drift",
    response_model=shapes.DriftReport,
    responses=documented(502, "Cloud Run refuses our credentials."),
)
async def drift(name: Name, given: Given, _: ViewerOrWorker, repository: Repository = None) -> JSONResponse:
    """What the environment declares beside what runs, read now: every difference by name."""
    return JSONResponse(plain(await given.drifts.look(name, repository)))


@router.get(
    "/environments/{name}/merge-queue",
    response_model=shapes.GroupChecks,
    responses=documented(502, "GitHub refuses our credentials."),
)
async def merge_queue(
    name: Name, given: Given, _: ViewerOrWorker, repository: Repository = None
) -> JSONResponse:
    """Whether the base branch has a merge queue whose groups get every required check; without one, whether its rules let
    a person merge past the validator. Read now."""
    return JSONResponse(plain(await given.queues.look(name, repository)))


@router.get("/environments", response_model=shapes.Paged[work_shapes.Environment])
async def environments(given: Given, _: ViewerOrWorker) -> JSONResponse:
    """The declared environments."""
    items = [plain(environment) for environment in given.environments.values()]
    return JSONResponse({"items": items, "next_cursor": None})
