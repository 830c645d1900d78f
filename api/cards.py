"""A task as a board shows it: what fits on a card, and no more."""

from typing import Any

from api.plain import plain
from api.presenter import Presenter, waiting_of
from vtid.domain.moment import moment
from vtid.ledger.board import COLUMN_OF, BoardRecord
from vtid.ledger.records import CardRecord, RunRecord

_LONGEST_MESSAGE = 300


def board(record: BoardRecord, presenter: Presenter) -> dict[str, Any]:
    """The columns with their first cards; a count is of all that match."""
    columns = [
        {
            "column": column.value,
            "count": sum(count for status, count in record.counts.items() if COLUMN_OF[status] is column),
            "items": [card(each, presenter) for each in page.items],
            "next_cursor": page.next_cursor,
        }
        for column, page in record.columns.items()
    ]
    return {"columns": columns, "counts": plain(record.counts), "position": record.position}


def card(record: CardRecord, presenter: Presenter) -> dict[str, Any]:
    """A task without the text of its spec, with the head of its run."""
    return {
        "vtid": record.vtid,
        "title": record.title,
        "status": record.status.value,
        "column": COLUMN_OF[record.status].value,
        "repository": record.repository,
        "environment": record.environment,
        "services": list(record.services),
        "priority": record.priority,
        "version": record.version,
        "position": record.position,
        "created_by": record.created_by,
        "created_at": moment(record.created_at),
        "updated_at": moment(record.updated_at),
        "spec": plain(record.spec),
        "run": None if record.run is None else _run(record.run, presenter),
    }


def _run(record: RunRecord, presenter: Presenter) -> dict[str, Any]:
    view = record.view
    return {
        "run_id": record.run_id,
        "state": record.state,
        "status": view.status.value,
        "outcome": view.outcome,
        "stage": view.stage.value,
        "engine": presenter.engine_of(record),
        "attempt": view.attempt,
        "worker": view.worker,
        "waiting": waiting_of(view, moment(record.updated_at)),
        "stages": [{"stage": each.stage.value, "status": each.status.value} for each in view.stages],
        "failure": _failure(view.failure),
        "moves": [each["move"] for each in view.moves],
        "note": view.note,
        "started_at": plain(view.started_at),
        "ended_at": plain(view.ended_at),
        "position": record.position,
        "serving": plain(record.serving),
    }


def _failure(failure: dict[str, Any] | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {
        "code": failure["code"],
        "outcome": failure.get("outcome", ""),
        "message": failure.get("message", "")[:_LONGEST_MESSAGE],
        "advice": failure.get("advice", ""),
        "since": failure.get("since"),
    }
