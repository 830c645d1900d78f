"""Refusals as old clients read them: they match the text, so the code stands in it as well."""

from typing import Any

_KEPT = ("expected", "actual", "errors", "request_id", "retryable", "stage")
_COMMON = {"type", "title", "status", "detail", "instance", "code", *_KEPT}


def refused(problem: dict[str, Any]) -> dict[str, Any]:
    """The body of a refusal, from the members of the problem that the other routes would answer."""
    code, detail = problem["code"], problem["detail"]
    text = detail if code in detail else f"{code}: {detail}"
    more = {name: value for name, value in problem.items() if name not in _COMMON}
    told = {name: problem[name] for name in _KEPT}
    return {"ok": False, "error": text, "error_code": code, "code": code, "message": detail} | told | more


_SAYS = {
    401: "No valid credentials, and no place from which calls without any are let in.",
    403: "The role does not allow it, or the emergency stop is on (`EXECUTION_DISARMED`).",
    404: "No such thing.",
    405: "This address does not take that method.",
    409: "The state does not allow it; `code` says which rule.",
    413: "The body is too large.",
    422: "A value is wrong; `errors` names it.",
    429: "Too large a backlog; see Retry-After.",
    503: "Temporal or the ledger is out of reach; trying again is safe.",
}
_SHAPE = {
    "type": "object",
    "required": ["ok", "error", "error_code", "code", "message"],
    "properties": {
        "ok": {"const": False},
        "error": {"type": "string"},
        "error_code": {"type": "string"},
        "code": {"type": "string"},
        "message": {"type": "string"},
    },
}
# For OpenAPI: what any of these routes may be refused with.
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": says, "content": {"application/json": {"schema": _SHAPE}}}
    for status, says in _SAYS.items()
}
