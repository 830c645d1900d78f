"""Tasks and their specs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import AfterValidator, Field
from starlette.responses import JSONResponse

from api import board_shapes, shapes
from api.approvals import why_not_author
from api.asked import Asked
from api.cards import card
from api.plain import plain
from api.presenter import Presenter
from api.problems import Problem, documented
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
    Vtid,
    VtidPath,
    Words,
    etag,
    version_of,
)
from api.wrong_shape import SHA_256
from vtid.domain.environment import Environment
from vtid.domain.task import MAX_SPEC_BYTES
from vtid.ledger import Stale
from vtid.ledger.records import TaskRecord

router = APIRouter(prefix=PREFIX, tags=["tasks"])

Title = Annotated[Words, Field(min_length=1, max_length=300)]
Priority = Annotated[int, Field(ge=1, le=5, description="1 is taken first, 5 last")]
Name = Annotated[Text, Field(min_length=1, max_length=200)]
Hash = Annotated[str, Field(pattern=SHA_256, description="SHA-256 of the exact UTF-8 bytes")]


def _written(text: str) -> str:
    """Refuse a spec that says nothing, or more than anybody reads."""
    if not text.strip():
        raise ValueError("must not be empty")
    if (size := len(text.encode())) > MAX_SPEC_BYTES:
        raise ValueError(f"must have at most {MAX_SPEC_BYTES:,} bytes, not {size:,}")
    return text


Markdown = Annotated[Text, AfterValidator(_written)]


class NewTask(Body):
    title: Title
    vtid: Vtid | None = Field(None, description="allocated when absent")
    repository: Name
    environment: Name
    services: list[Name] = Field(default_factory=list, max_length=50)
    priority: Priority = 3
    spec: Markdown | None = None


class TaskChanges(Body):
    title: Title | None = None
    repository: Name | None = None
    environment: Name | None = None
    services: list[Name] | None = Field(None, max_length=50)
    priority: Priority | None = None


class SpecText(Body):
    markdown: Markdown


class Approval(Body):
    hash: Hash
    reason: Text | None = Field(None, max_length=2_000)


@router.post("/tasks", status_code=201, response_model=shapes.Task)
async def create_task(body: NewTask, request: Request, given: Given, actor: Operator) -> JSONResponse:
    """Create a task; with a spec, if one is given."""
    check_target(given.environments, body.environment, body.repository, body.services)
    task = await given.ledger.tasks.create(
        vtid=body.vtid,
        title=body.title,
        repository=body.repository,
        environment=body.environment,
        services=tuple(body.services),
        priority=body.priority,
        created_by=actor.name,
        markdown=body.spec,
    )
    await given.audit(request, actor, "task.create", task.vtid, title=task.title)
    return _answer(given.presenter, task, status=201, location=f"/api/v1/tasks/{task.vtid}")


@router.get(
    "/tasks",
    response_model=shapes.PagedAt[shapes.Task] | shapes.PagedAt[board_shapes.Card],
)
async def list_tasks(
    given: Given,
    _: Viewer,
    asked: Asked,
    shape: Annotated[Literal["task", "card"], Query(description="card: what a board shows of it")] = "task",
    limit: Limit = 50,
    cursor: Text | None = None,
) -> JSONResponse:
    """Tasks, the last changed first unless `sort` says otherwise."""
    if shape == "card":
        cards, position = await given.ledger.board.cards(
            asked.filter, sort=asked.sort, limit=limit, cursor=cursor
        )
        items = [card(each, given.presenter) for each in cards.items]
        return _page(items, cards.next_cursor, position)
    position = await given.ledger.events.last_position()
    page = await given.ledger.tasks.list(asked.filter, sort=asked.sort, limit=limit, cursor=cursor)
    return _page([given.presenter.task(task) for task in page.items], page.next_cursor, position)


def _page(items: list[dict[str, Any]], next_cursor: str | None, position: int) -> JSONResponse:
    return JSONResponse({"items": items, "next_cursor": next_cursor, "position": position})


@router.get("/tasks/{vtid}", response_model=shapes.Task)
async def show_task(vtid: VtidPath, given: Given, _: Viewer) -> JSONResponse:
    """The task with its spec and its run; ETag is the version that an edit names."""
    return _answer(given.presenter, await given.ledger.tasks.get(vtid))


@router.patch(
    "/tasks/{vtid}", response_model=shapes.Task, responses=documented(428, "No If-Match: read it first.")
)
async def change_task(
    vtid: VtidPath,
    body: TaskChanges,
    request: Request,
    given: Given,
    actor: Operator,
    if_match: IfMatch = None,
) -> JSONResponse:
    """Change fields of a task. If-Match must name the version that was read (or `*`)."""
    if if_match is None:
        raise Problem(
            "STALE_ETAG",
            "send If-Match with the ETag of the task that you read",
            status=428,
            title="an edit must name the version that was read",
            retryable=False,
        )
    changes = body.model_dump(exclude_unset=True)
    if nulls := sorted(name for name, value in changes.items() if value is None):
        raise Problem("VALIDATION", f"{nulls[0]}: must not be null")
    task = await given.ledger.tasks.get(vtid)
    check_target(
        given.environments,
        changes.get("environment", task.environment),
        changes.get("repository", task.repository),
        changes.get("services", task.services),
    )
    with fresh_on_stale(given.presenter):
        task = await given.ledger.tasks.change(
            vtid, expected_version=version_of(if_match), changes=changes, by=actor.name
        )
    await given.audit(request, actor, "task.change", vtid, **changes)
    return _answer(given.presenter, task)


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
    return _answer(given.presenter, task)


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
    return _answer(given.presenter, task, errors=list(findings.errors), warnings=list(findings.warnings))


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
    return _answer(given.presenter, task)


async def _check_version(given: Given, vtid: str, if_match: str | None) -> TaskRecord:
    task = await given.ledger.tasks.get(vtid)
    expected = version_of(if_match)
    if expected is not None and expected != task.version:
        raise _stale(given.presenter, task, expected)
    return task


def _check_four_eyes(environments: dict[str, Environment], task: TaskRecord, who: str) -> None:
    if task.spec is None:
        return
    if why := why_not_author(environments, task.environment, task.spec.author, who):
        raise Problem("FORBIDDEN", why, actual=who)


def _answer(
    presenter: Presenter, task: TaskRecord, *, status: int = 200, location: str | None = None, **more: Any
) -> JSONResponse:
    headers = {"ETag": etag(task.version)} | ({"Location": location} if location else {})
    return JSONResponse(presenter.task(task) | more, status, headers=headers)


@contextmanager
def fresh_on_stale(presenter: Presenter) -> Iterator[None]:
    """A lost race tells how the object stands now, so that the caller need not ask."""
    try:
        yield
    except Stale as stale:
        raise _stale(presenter, stale.fresh, None) from stale


def _stale(presenter: Presenter, task: TaskRecord, expected: int | None) -> Problem:
    return Problem(
        "STALE_ETAG",
        f"{task.vtid} changed meanwhile: it is at version {task.version}",
        expected=etag(expected) if expected is not None else None,
        actual=etag(task.version),
        headers={"ETag": etag(task.version)},
        fresh=presenter.task(task),
    )


def check_target(
    environments: dict[str, Environment], environment: str, repository: str, services: Any
) -> None:
    """Raise Problem VALIDATION, listing what is declared, unless environments.yaml knows this target."""
    declared = environments.get(environment)
    if declared is None:
        names = sorted(environments)
        raise _undeclared("environment", environment, names, f"declared are {', '.join(names)}")
    if not declared.declares(repository):
        places = sorted({each.repository for each in environments.values() if each.declares(repository)})
        hint = f"; {environment} declares {declared.repository}"
        raise _undeclared("repository", repository, [declared.repository, *places], hint.lstrip("; "))
    known = [service.name for service in declared.services]
    if unknown := [name for name in services if name not in known]:
        raise _undeclared(
            "services", unknown[0], known, f"{environment} declares {', '.join(known) or 'none'}"
        )


def _undeclared(field: str, value: str, allowed: list[str], hint: str) -> Problem:
    message = f"{value[:100]!r} is not declared: {hint}"
    return Problem(
        "VALIDATION",
        f"{field}: {message}",
        expected=allowed,
        actual=value,
        errors=({"field": field, "message": message},),
    )
