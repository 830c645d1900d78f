"""GitHub's GraphQL face, for what REST has no words for. Its errors come under a 200, and are sorted here."""

from typing import Any

from vtid.adapters.errors import reading, shortened
from vtid.adapters.github_answers import SYSTEM, pause_in
from vtid.adapters.github_wire import GitHubWire
from vtid.domain.errors import Conflict, Denied, Missing, OutsideError, Refused, Unavailable

_DENIED = {"FORBIDDEN", "INSUFFICIENT_SCOPES", "SAML_PROTECTED"}
_PASSING = {"RATE_LIMITED", "RATE_LIMIT", "SERVICE_UNAVAILABLE", "INTERNAL", "MAX_NODE_LIMIT_EXCEEDED"}
# Without a type: what GitHub says when its own machinery failed, which may or may not have done what was asked.
_OWN_FAULT = ("something went wrong", "timeout", "timed out")


def ask(wire: GitHubWire, what: str, query: str, **variables: Any) -> Any:
    """The data that one question or deed gives. `what` names it in errors. Raises the errors of vtid.domain.errors."""
    headers, answer = wire.graphql(query, variables)
    with reading(SYSTEM, what):
        errors = answer.get("errors") or []
        if errors:
            raise _error_of(what, errors[0], headers)
        data = answer["data"]
        if not isinstance(data, dict):
            raise TypeError("no data")
        return data


def _error_of(what: str, error: Any, headers: dict[str, str]) -> OutsideError:
    kind, message = str(error.get("type") or ""), str(error.get("message") or "no reason given")
    text = f"{SYSTEM} answered {kind or 'an error'}: {shortened(message)} ({what})"
    passing = kind in _PASSING or (not kind and any(words in message.lower() for words in _OWN_FAULT))
    if passing:
        return Unavailable(SYSTEM, text, status=200, retry_after=pause_in(headers))
    if kind in _DENIED:
        return Denied(SYSTEM, text, status=200)
    if kind == "NOT_FOUND":
        return Missing(SYSTEM, text, status=200)
    if kind in ("UNPROCESSABLE", "STALE_DATA"):
        return Conflict(SYSTEM, text, status=200)
    return Refused(SYSTEM, text, status=200)
