"""Tasks."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse

from api import board_shapes, shapes
from api.asked import Asked
from api.cards import card
from api.declared import check_target
from api.problems import Problem, documented
from api.services import (
    PREFIX,
    Body,
    Given,
    IfMatch,
    Limit,
    Operator,
    Text,
    Viewer,
    Vtid,
    VtidPath,
    Words,
    version_of,
)
from api.spec_text import Markdown
from api.task_answers import answer, fresh_on_stale

router = APIRouter(prefix=PREFIX, tags=["tasks"])

Title = Annotated[Words, Field(min_length=1, max_length=300)]
Priority = Annotated[int, Field(ge=1, le=5, description="1 is taken first, 5 last")]
Name = Annotated[Text, Field(min_length=1, max_length=200)]


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
    return answer(given.presenter, task, status=201, location=f"/api/v1/tasks/{task.vtid}")


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
    return answer(given.presenter, await given.ledger.tasks.get(vtid))


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
    return answer(given.presenter, task)
