"""Problem details (RFC 9457): every refusal and every error of the API in one shape, mapped in one place."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from api.engine import EngineUnavailable, RunOver
from api.gateway.paths import is_gateway
from api.gateway.refusals import refused
from api.plain import plain
from api.wrong_shape import field_and_message, known_fields
from vtid.domain.failures import API_CODES, FAILURES
from vtid.ledger import LedgerUnavailable, Refusal, Unknown

MEDIA_TYPE = "application/problem+json"
# Codes that only carry an HTTP status; no client needs to tell them apart further.
_PLAIN = {
    "METHOD_NOT_ALLOWED": (405, "this address does not take that method"),
    "INTERNAL": (500, "something went wrong on our side"),
}
_RETRYABLE = {"RATE_LIMITED", "LEDGER_UNAVAILABLE", "TEMPORAL_UNAVAILABLE", "STALE_ETAG", "INTERNAL"}


class Problem(Exception):
    """A refusal of the API. `code` is stable; status, title and retryable follow from it unless told."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int | None = None,
        title: str | None = None,
        retryable: bool | None = None,
        expected: Any = None,
        actual: Any = None,
        stage: str | None = None,
        errors: tuple[dict[str, Any], ...] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        usual, says = _status_and_title(code)
        self.code = code
        self.detail = detail
        self.status = status or usual
        self.title = title or says
        self.retryable = code in _RETRYABLE if retryable is None else retryable
        self.expected = expected
        self.actual = actual
        self.stage = stage or _stage_of(code)
        self.errors = errors
        self.headers = dict(headers or {})
        self.more = more

    def body(self, scope: Scope | None = None) -> dict[str, Any]:
        """The members of the problem; with the request that met it, when there is one."""
        return {
            "type": f"/api/v1/failure-codes#{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": scope["path"] if scope else None,
            "code": self.code,
            "stage": self.stage,
            "retryable": self.retryable,
            "expected": plain(self.expected),
            "actual": plain(self.actual),
            "request_id": request_id(scope) if scope else None,
            "errors": list(self.errors),
            **plain(self.more),
        }


class ProblemBody(BaseModel):
    """How every refusal looks. Further members may stand beside these, such as `fresh` on a 412."""

    type: str = Field(examples=["/api/v1/failure-codes#LEASE_LOST"])
    title: str
    status: int
    detail: str
    instance: str | None
    code: str = Field(examples=["LEASE_LOST"])
    stage: str | None
    retryable: bool
    expected: Any = None
    actual: Any = None
    request_id: str | None
    errors: list[dict[str, Any]] = Field(description="One entry for each wrong field: field, message.")


def _status_and_title(code: str) -> tuple[int, str]:
    if code in API_CODES:
        return API_CODES[code].status, API_CODES[code].says
    if code in _PLAIN:
        return _PLAIN[code]
    return 409, FAILURES[code].says if code in FAILURES else "the run refuses it"


def _stage_of(code: str) -> str | None:
    failure = FAILURES.get(code)
    return failure.stage.value if failure and failure.stage else None


def request_id(scope: Scope) -> str | None:
    """The id that stands in X-Request-Id of this request's answer."""
    value: str | None = scope.get("state", {}).get("request_id")
    return value


# What a route may raise; each has an answer of its own. Anything else is a fault of ours.
EXPECTED = (Problem, Refusal, Unknown, LedgerUnavailable, EngineUnavailable, RunOver)


def problem_of(error: Exception, known: list[str] | None = None) -> Problem:
    """The problem that an expected error means. Anything unknown is INTERNAL and tells nothing.

    known: the fields that the request's body may have.
    """
    match error:
        case Problem():
            return error
        case Refusal():
            return _refused(error)
        case Unknown():
            return Problem("NOT_FOUND", f"there is no {error.what}")
        case LedgerUnavailable():
            return Problem(
                "LEDGER_UNAVAILABLE", "the ledger is out of reach; try again", headers={"Retry-After": "2"}
            )
        case EngineUnavailable():
            return Problem("TEMPORAL_UNAVAILABLE", str(error), headers={"Retry-After": "2"})
        case RunOver():
            return Problem("ILLEGAL_TRANSITION", "the run is over")
        case RequestValidationError():
            return _wrong_shape(error, known or [])
        case HTTPException():
            return _of_http(error)
    return Problem("INTERNAL", "something went wrong on our side; the log has it under this request id")


def _refused(error: Refusal) -> Problem:
    more: dict[str, Any] = {"run_id": error.run_id} if error.run_id else {}
    return Problem(error.code, error.message, expected=error.expected, actual=error.actual, **more)


def _wrong_shape(error: RequestValidationError, known: list[str]) -> Problem:
    errors = tuple(field_and_message(each, known) for each in error.errors())
    first = errors[0] if errors else {"field": "body", "message": "malformed"}
    return Problem("VALIDATION", f"{first['field']}: {first['message']}", errors=errors)


_HTTP_CODES = {
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "TOO_LARGE",
}


def _of_http(error: HTTPException) -> Problem:
    if error.status_code >= 500:
        return Problem("INTERNAL", "something went wrong on our side", status=error.status_code)
    if error.status_code == 400:  # FastAPI's, of a body that its parser could not even begin with
        why = "is not UTF-8 text" if isinstance(error.__cause__, UnicodeError) else "cannot be read as JSON"
        return Problem("VALIDATION", f"body: {why}", errors=({"field": "body", "message": why},))
    code = _HTTP_CODES.get(error.status_code, "VALIDATION")
    detail = "nothing is at this address" if code == "NOT_FOUND" else str(error.detail)
    return Problem(code, detail, headers=error.headers)


def problem_response(error: Exception, scope: Scope) -> Response:
    """The answer for an error, whichever layer met it."""
    problem = problem_of(error, known_fields(scope))
    if is_gateway(scope["path"]):
        return JSONResponse(refused(problem.body(scope)), problem.status, headers=problem.headers)
    return JSONResponse(problem.body(scope), problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


async def _answer(request: Request, error: Exception) -> Response:
    return problem_response(error, request.scope)


def install(app: FastAPI) -> None:
    """Answer every error with a problem."""
    for kind in (*EXPECTED, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _answer)


_SAYS = {
    401: "No valid credentials.",
    403: "The role does not allow it, or the emergency stop is on (`EXECUTION_DISARMED`).",
    404: "No such thing.",
    409: "The state does not allow it; `code` says which rule.",
    412: "The object changed meanwhile; `fresh` is how it stands now.",
    413: "The body is too large.",
    422: "The shape or a value is wrong; `errors` names each field.",
    429: "Too large a backlog; see Retry-After.",
    503: "Temporal or the ledger is out of reach; trying again is safe.",
}


def documented(status: int, says: str) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: a problem that a route may answer with."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {status: {"description": says, "content": {MEDIA_TYPE: {"schema": schema}}}}


# The problems that any route under /api/v1 may answer with.
RESPONSES: dict[int | str, dict[str, Any]] = {}
for _status, _text in _SAYS.items():
    RESPONSES |= documented(_status, _text)
