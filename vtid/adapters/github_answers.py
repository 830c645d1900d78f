"""How GitHub's answers are read: pages, pauses, and every error sorted in one place."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from github.Requester import Requester

from vtid.adapters.errors import error_of_status, pause_asked_for, pause_until, shortened
from vtid.domain.errors import OutsideError, Unavailable

SYSTEM = "GITHUB"
_SECONDARY_PAUSE = timedelta(minutes=1)  # GitHub's advice where a secondary limit names no pause


def next_page(headers: dict[str, str]) -> str | None:
    """The address of the page that follows, if one does."""
    links = requests.utils.parse_header_links(headers.get("link", ""))
    return next((link["url"] for link in links if link.get("rel") == "next"), None)


def json_of(verb: str, path: str, status: int, text: str) -> Any:
    """The JSON of an answer; None for an empty one to a write. Raises Unavailable when it is none."""
    if not text and verb != "GET":
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as cause:
        raise Unavailable(SYSTEM, f"{verb} {path}: the answer is no JSON", status=status) from cause


def error_of(what: str, status: int, headers: dict[str, str], text: str) -> OutsideError:
    """The error that an answer with this status means. text: its body, without secrets of ours."""
    message = _message_in(text)
    said = f"{message} ({what})"
    pause = pause_in(headers)
    secondary = re.search(r"secondary rate limit|abuse detection", message, re.IGNORECASE)
    if pause is None and secondary:
        pause = _SECONDARY_PAUSE
    limited = pause is not None or Requester.isRateLimitError(message)
    if status == 403 and limited:
        return Unavailable(
            SYSTEM, f"GitHub limits our rate: {shortened(said)}", status=status, retry_after=pause
        )
    return error_of_status(SYSTEM, status, said, retry_after=pause)


def pause_in(headers: dict[str, str]) -> timedelta | None:
    """The pause that an answer asks for: by its own words, or because nothing is left of our rate."""
    now = datetime.now(UTC)
    asked_for = pause_asked_for(headers, now)
    if asked_for is None and headers.get("x-ratelimit-remaining") == "0":
        return _pause_until_reset(headers, now)
    return asked_for


def _pause_until_reset(headers: dict[str, str], now: datetime) -> timedelta | None:
    reset = headers.get("x-ratelimit-reset", "")
    if not re.fullmatch(r"\d{1,11}", reset):
        return None
    return pause_until(datetime.fromtimestamp(int(reset), UTC), now)


def _message_in(text: str) -> str:
    """GitHub's own words for an error: `message`, and the details under `errors`."""
    try:
        body = json.loads(text)
    except ValueError:
        return text or "no reason given"
    if not isinstance(body, dict):
        return text
    details = body.get("errors")
    words = [body.get("message"), *(_detail_in(each) for each in details or [] if isinstance(details, list))]
    return "; ".join(str(word) for word in words if word) or "no reason given"


def _detail_in(detail: Any) -> Any:
    return detail.get("message") or detail.get("code") if isinstance(detail, dict) else detail
