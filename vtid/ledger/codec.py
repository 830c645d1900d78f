"""Domain objects as compact JSON: what is at its default is left out, since every run stores these texts."""

from typing import Any

from pydantic import TypeAdapter

from vtid.domain.commands.run import RunRequest
from vtid.domain.commands.work_orders import OfferWorkOrder
from vtid.domain.failures import Failure
from vtid.domain.view import RunView

_VIEW: TypeAdapter[RunView] = TypeAdapter(RunView)
_REQUEST: TypeAdapter[RunRequest] = TypeAdapter(RunRequest)
_FAILURE: TypeAdapter[Failure] = TypeAdapter(Failure)
_ORDER: TypeAdapter[OfferWorkOrder] = TypeAdapter(OfferWorkOrder)


def view_to_json(view: RunView) -> str:
    return _VIEW.dump_json(view, exclude_defaults=True).decode()


def view_from_json(text: str) -> RunView:
    return _VIEW.validate_json(text)


def request_to_json(request: RunRequest) -> str:
    return _REQUEST.dump_json(request, exclude_defaults=True).decode()


def request_from_json(text: str) -> RunRequest:
    return _REQUEST.validate_json(text)


def order_to_json(command: OfferWorkOrder) -> str:
    return _ORDER.dump_json(command, exclude_defaults=True).decode()


def order_from_json(text: str) -> OfferWorkOrder:
    return _ORDER.validate_json(text)


def failure_to_data(failure: Failure) -> dict[str, Any]:
    """A failure as an event's data has it."""
    data: dict[str, Any] = _FAILURE.dump_python(failure, mode="json")
    return data
