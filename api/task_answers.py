"""How a task is answered with: its version is the ETag, and a lost race shows how it stands now."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.responses import JSONResponse

from api.presenter import Presenter
from api.problems import Problem
from api.services import etag
from vtid.ledger import Stale
from vtid.ledger.records import TaskRecord


def answer(
    presenter: Presenter, task: TaskRecord, *, status: int = 200, location: str | None = None, **more: Any
) -> JSONResponse:
    headers = {"ETag": etag(task.version)} | ({"Location": location} if location else {})
    return JSONResponse(presenter.task(task) | more, status, headers=headers)


@contextmanager
def fresh_on_stale(presenter: Presenter) -> Iterator[None]:
    """A lost race tells how the object stands now, so that the caller need not ask."""
    try:
        yield
    except Stale as lost:
        raise stale(presenter, lost.fresh, None) from lost


def stale(presenter: Presenter, task: TaskRecord, expected: int | None) -> Problem:
    return Problem(
        "STALE_ETAG",
        f"{task.vtid} changed meanwhile: it is at version {task.version}",
        expected=etag(expected) if expected is not None else None,
        actual=etag(task.version),
        headers={"ETag": etag(task.version)},
        fresh=presenter.task(task),
    )
