"""The spec of a task: its versions, its check, and its approval."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse

from api import shapes
from api.approvals import why_not_author
from api.plain import plain
from api.problems import Problem
from api.services import (
    MOST,
    PREFIX,
    Approver,
    Body,
    Given,
    IfMatch,
    Limit,
    Operator,
    Text,
    Viewer,
    ViewerOrWorker,
    VtidPath,
    version_of,
)
from api.spec_text import Markdown
from api.task_answers import answer, fresh_on_stale, stale
from api.wrong_shape import SHA_256
from vtid.domain.environment import Environment
from vtid.ledger.records import TaskRecord

router = APIRouter(prefix=PREFIX, tags=["tasks"])

Hash = Annotated[str, Field(pattern=SHA_256, description="SHA-256 of the exact UTF-8 bytes")]


class SpecText(Body):
    markdown: Markdown


class Approval(Body):
    hash: Hash
    reason: Text | None = Field(None, max_length=2_000)


@router.put("/tasks/{vtid}/spec", response_model=shapes.Task)
async def put_spec(
    vtid: VtidPath,
    body: SpecText,
    request: Request,
    given: Given,
    actor: Operator,
    if_match: IfMatch = None,
) -> JSONResponse:
    """Put a new version of the spec. It voids an approval; the same text again changes nothing."""
    with fresh_on_stale(given.presenter):
        task = await given.ledger.tasks.put_spec(
            vtid, body.markdown, by=actor.name, expected_version=version_of(if_match)
        )
    await given.audit(request, actor, "spec.put", vtid, hash=task.spec.hash if task.spec else None)
    return answer(given.presenter, task)


@router.get("/tasks/{vtid}/spec", response_model=shapes.SpecText)
async def show_spec(vtid: VtidPath, given: Given, _: ViewerOrWorker) -> JSONResponse:
    """The text that the task's open run works with, also when a newer one has come; else the newest."""
    task = await given.ledger.tasks.get(vtid)
    run = task.run
    pinned = run.view.spec_hash if run is not None and run.state != "closed" else None
    if pinned is None and task.spec is None:
        raise Problem("NOT_FOUND", f"{vtid} has no spec yet")
    hash = pinned or (task.spec.hash if task.spec else "")
    markdown = await given.ledger.tasks.spec_text(vtid, hash)
    return JSONResponse(
        {"vtid": vtid, "title": task.title, "hash": hash, "pinned": pinned is not None, "markdown": markdown}
    )


@router.get("/tasks/{vtid}/spec/versions", response_model=shapes.Paged[shapes.SpecVersion])
async def list_spec_versions(
    vtid: VtidPath,
    given: Given,
    _: Viewer,
    limit: Limit = 50,
    before: Annotated[int | None, Query(ge=1, le=MOST, description="the last version that you have")] = None,
) -> JSONResponse:
    """Every text that the spec ever had, without the texts, newest first. `next_cursor` is the next `before`."""
    found = await given.ledger.spec_versions.list(vtid, before=before, limit=limit)
    following = str(found[-1].version) if len(found) == limit and found[-1].version > 1 else None
    return JSONResponse({"items": plain(found), "next_cursor": following})


@router.get("/tasks/{vtid}/spec/versions/{version}", response_model=shapes.SpecVersionText)
async def show_spec_version(
    vtid: VtidPath, version: Annotated[int, Path(ge=1, le=2**31 - 1)], given: Given, _: Viewer
) -> JSONResponse:
    """One version with its exact text."""
    spec, current = await given.ledger.spec_versions.get(vtid, version)
    return JSONResponse(plain(spec) | {"current": current, "characters": len(spec.markdown)})


@router.post("/tasks/{vtid}/spec/validate", response_model=shapes.CheckedTask)
async def validate_spec(
    vtid: VtidPath, request: Request, given: Given, actor: Operator, if_match: IfMatch = None
) -> JSONResponse:
    """Check the spec's text. Errors refuse it; warnings are told and do not."""
    await _check_version(given, vtid, if_match)
    task, findings = await given.ledger.tasks.validate_spec(vtid, by=actor.name)
    await given.audit(request, actor, "spec.validate", vtid)
    return answer(given.presenter, task, errors=list(findings.errors), warnings=list(findings.warnings))


@router.post("/tasks/{vtid}/spec/approve", response_model=shapes.Task)
async def approve_spec(
    vtid: VtidPath,
    body: Approval,
    request: Request,
    given: Given,
    actor: Approver,
    if_match: IfMatch = None,
) -> JSONResponse:
    """Approve exactly the spec with this hash."""
    task = await _check_version(given, vtid, if_match)
    _check_four_eyes(given.environments, task, actor.name)
    task = await given.ledger.tasks.approve_spec(vtid, body.hash, by=actor.name, reason=body.reason)
    await given.audit(request, actor, "spec.approve", vtid, hash=body.hash, reason=body.reason)
    return answer(given.presenter, task)


async def _check_version(given: Given, vtid: str, if_match: str | None) -> TaskRecord:
    task = await given.ledger.tasks.get(vtid)
    expected = version_of(if_match)
    if expected is not None and expected != task.version:
        raise stale(given.presenter, task, expected)
    return task


def _check_four_eyes(environments: dict[str, Environment], task: TaskRecord, who: str) -> None:
    if task.spec is None:
        return
    if why := why_not_author(environments, task.environment, task.spec.author, who):
        raise Problem("FORBIDDEN", why, actual=who)
