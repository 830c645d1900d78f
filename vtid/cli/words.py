"""Times, waits and events of a run in words: what both the terminal's live view and a plain log say."""

from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

# Of an event's data, what a reader of one line wants to know, in this order.
_TOLD = (
    "step",
    "for",
    "worker",
    "attempt",
    "status",
    "outcome",
    "code",
    "message",
    "move",
    "reason",
    "pr_url",
)
_TOLD_LATER = ("conclusion", "passed", "sha", "head_sha", "complete", "state", "hash", "by", "title", "why")


def moment(value: str | None) -> datetime | None:
    """An RFC 3339 time, or None."""
    return datetime.fromisoformat(value.replace("Z", "+00:00")) if value else None


def now_utc() -> datetime:
    return datetime.now(UTC)


def span(seconds: float) -> str:
    """A duration as people say it: `8 s`, `2 min 05 s`, `3 h 20 min`, `2 d 4 h`."""
    whole = max(0, round(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86_400
    if whole < 60:
        return f"{whole} s"
    if minutes < 60:
        return f"{minutes} min {whole % 60:02} s"
    if hours < 48:
        return f"{hours} h {minutes % 60:02} min"
    return f"{days} d {hours % 24} h"


def elapsed(stage: Json, now: datetime) -> str:
    """How long a stage has been running, or ran."""
    started = moment(stage.get("started_at"))
    if started is None:
        return ""
    return span(((moment(stage.get("ended_at")) or now) - started).total_seconds())


def waiting_sentence(waiting: Json | None, now: datetime) -> str:
    """Waiting for what, since when, until when, and who can move it; empty when it waits for nothing."""
    if not waiting:
        return ""
    parts = [f"waits for {waiting.get('for')}"]
    if since := moment(waiting.get("since")):
        parts.append(f"for {span((now - since).total_seconds())}")
    if until := moment(waiting.get("until")):
        left = (until - now).total_seconds()
        parts.append(f"{span(left)} left" if left > 0 else "its time is up")
    if who := waiting.get("who"):
        parts.append(f"moved by {who}")
    return " · ".join(parts)


def failure_sentence(failure: Json) -> str:
    """What went wrong and what to do about it."""
    advice = failure.get("advice")
    return f"{failure.get('code')}: {failure.get('message')}" + (f" → {advice}" if advice else "")


def event_line(event: Json) -> str:
    """One event as one plain line of a log."""
    at = moment(event.get("at"))
    clock = at.astimezone().strftime("%H:%M:%S") if at else "--:--:--"
    line = f"{clock}  {event.get('stage') or '':<9}  {event['type']:<22}  {event_words(event)}"
    return line.rstrip()


def event_words(event: Json) -> str:
    """The telling part of an event's data."""
    data = event.get("data") or {}
    if failure := data.get("failure"):
        return failure_sentence(failure)
    told = [
        f"{key.replace('_', ' ')} {_short(data[key])}" for key in (*_TOLD, *_TOLD_LATER) if _has(data, key)
    ]
    return ", ".join(told[:4])


def _has(data: Json, key: str) -> bool:
    return data.get(key) not in (None, "", [], {})


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(str(value).split())
    if len(text) == 40 and all(each in "0123456789abcdef" for each in text):
        return text[:10]
    return text if len(text) <= 100 else text[:99] + "…"
