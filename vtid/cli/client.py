"""The HTTP API as the command sees it: answers are plain JSON, refusals are one line and an exit code."""

import json
import re
from typing import Any

import httpx

from vtid.cli.exits import CommandFailed, Exit, exit_for
from vtid.cli.session import Session
from vtid.cli.tables import text
from vtid.domain.failures import FAILURES

CALL_SECONDS = 70.0  # a claim may wait for 30 s, and the answer to a completion for 60 s

# What to do about the codes that are no failures of a run; those carry their own advice.
_ADVICE = {
    "UNAUTHENTICATED": "give an API key with --api-token or VTID_API_TOKEN",
    "FORBIDDEN": "use a key whose role allows it",
    "EXECUTION_DISARMED": "somebody must arm the system again",
    "LEASE_LOST": "stop working on it and claim again",
    "ALREADY_CLAIMED": "another worker has it; claim another order",
    "MOVE_NOT_OFFERED": "see the offered moves with `vtid run show`",
    "PROOF_KEY_MISSING": "whoever runs the API must give it a key, see docs/proofs.md",
    "STALE_ETAG": "read it again, then repeat the change",
    "RATE_LIMITED": "wait a little, then repeat",
    "LEDGER_UNAVAILABLE": "repeat in a moment, or see `vtid doctor`",
    "TEMPORAL_UNAVAILABLE": "repeat in a moment, or see `vtid doctor`",
}


def headers(session: Session) -> dict[str, str]:
    """What every request carries."""
    token = session.token
    return {"User-Agent": "vtid-cli"} | ({"Authorization": f"Bearer {token}"} if token else {})


def call(session: Session, method: str, path: str, **request: Any) -> Any:
    """One call; the answer's JSON, or None for an empty one. Raises CommandFailed with the right exit code."""
    try:
        with httpx.Client(base_url=session.api, headers=headers(session), timeout=CALL_SECONDS) as client:
            answer = client.request(method, path, **request)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise unreachable(session, error) from error
    if answer.is_success:
        return _json(answer) if answer.content else None
    raise refused(answer)


def every(session: Session, path: str, **params: Any) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    items: list[dict[str, Any]] = []
    asked = {key: value for key, value in params.items() if value is not None}
    while True:
        page = call(session, "GET", path, params=asked)
        if isinstance(page, list):
            return page
        items += page["items"]
        if not page.get("next_cursor"):
            return items
        asked["cursor"] = page["next_cursor"]


def unreachable(session: Session, error: Exception) -> CommandFailed:
    """Nobody answers, or not in time."""
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return CommandFailed(
            f"{session.api} did not answer in time; repeat, or see `vtid doctor`", Exit.TIMED_OUT
        )
    reason = str(error) or type(error).__name__
    return CommandFailed(
        f"no API at {session.api} ({reason}); start it with `vtid dev`, or name it with --api-url",
        Exit.UNREACHABLE,
    )


def refused(answer: httpx.Response) -> CommandFailed:
    """An API problem as one line: code, what happened, what to do."""
    try:
        problem = answer.json()
    except json.JSONDecodeError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    code = str(problem.get("code") or f"HTTP {answer.status_code}")
    detail = problem.get("detail") or problem.get("message") or answer.reason_phrase
    told = " ".join(str(detail).split()).removeprefix(f"{code}: ")  # some texts carry it, for clients of old
    advice = FAILURES[code].advice if code in FAILURES else _ADVICE.get(code, "")
    if code == "NOT_FOUND" and "VTID-" in told:
        advice = "see `vtid task list`"
    values = {key: text(problem.get(key)) for key in ("expected", "actual")}
    compared = [f"{key} {value}" for key, value in values.items() if value and not _says(told, value)]
    happened = ", ".join([told, *compared])
    return CommandFailed(
        "; ".join(filter(None, (f"{code}: {happened}", advice))), exit_for(answer.status_code, code)
    )


def _says(told: str, value: str) -> bool:
    """Whether the text has this value as words of its own."""
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", told) is not None


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except json.JSONDecodeError as error:
        raise CommandFailed(
            f"{answer.url} answered with something that is no JSON; is this our API?"
        ) from error
