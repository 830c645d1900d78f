"""What somebody outside is told, when, and how often it is tried: the tables behind docs/notifications.md.

A message is made once, from an event of the ledger, and then stays as it is: a repeat carries the same id and text.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from vtid.domain.moment import moment
from vtid.domain.task import TaskStatus


class Kind(StrEnum):
    """What a subscriber may be told of. Part of the interface: never renamed."""

    RUN_BLOCKED = "run.blocked"
    RUN_COMPLETED = "run.completed"
    RUN_FAILED = "run.failed"
    RUN_CANCELLED = "run.cancelled"
    RUN_STUCK = "run.stuck"
    WORKER_MISSING = "worker.missing"
    TEST = "notification.test"


class Format(StrEnum):
    """The shape of a body. The signature is the same for both."""

    STANDARD = "standard"
    SLACK = "slack"


# fmt: off
SAYS: dict[Kind, str] = {
    Kind.RUN_BLOCKED:    "a run waits for a person's decision",
    Kind.RUN_COMPLETED:  "the change is proven in production",
    Kind.RUN_FAILED:     "a run is over and did not reach its goal; also when somebody ended it inside Temporal",
    Kind.RUN_CANCELLED:  "a run was cancelled",
    Kind.RUN_STUCK:      "a run's workflow task keeps failing in Temporal, or the ledger keeps refusing its events (a fault of ours), or no worker of its build is there",
    Kind.WORKER_MISSING: "an order lies ready, and nobody who could take it is there or takes it",
    Kind.TEST:           "somebody asked for a test message",
}
# fmt: on
SUBSCRIBABLE = tuple(kind for kind in Kind if kind is not Kind.TEST)

_SECOND, _MINUTE, _HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# After the first try, as the Standard Webhooks specification proposes: ten tries over three days.
PAUSES = (
    5 * _SECOND, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR,
)  # fmt: skip
TRY_SECONDS = 15.0  # one try, from the name's lookup to the end of the answer
KEPT_FOR = timedelta(days=30)  # a delivery, after it ended
OLD_SECRET_FOR = 24 * _HOUR  # after a new one was made, both sign
_GONE = 410  # "do not send me anything any more"


@dataclass(frozen=True)
class Told:
    """An event of the ledger, as far as a message is made from it."""

    type: str
    at: datetime
    vtid: str | None
    position: int
    data: dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """The run that a message is about, as it stands when the message is made."""

    run_id: str | None = None
    title: str = ""
    environment: str | None = None
    repository: str | None = None
    stage: str | None = None
    links: dict[str, str] | None = None


def kind_of(event_type: str, data: dict[str, Any]) -> Kind | None:
    """What this event is to a subscriber; None when it is nothing to tell."""
    match event_type:
        case "run.blocked":
            return Kind.RUN_BLOCKED
        case "run.finished":
            return _ENDS.get(data.get("status", ""))
        case "engine.terminated":
            cancelled = str(data.get("status", "")).upper() in ("CANCELED", "CANCELLED")
            return Kind.RUN_CANCELLED if cancelled else Kind.RUN_FAILED
        case "engine.stuck":
            return Kind.RUN_STUCK
        case "work_order.unclaimed":
            only_busy = data.get("busy") and not data.get("free")
            return None if only_busy else Kind.WORKER_MISSING
    return None


SOURCES = ("run.blocked", "run.finished", "engine.terminated", "engine.stuck", "work_order.unclaimed")
_ENDS = {
    TaskStatus.COMPLETED: Kind.RUN_COMPLETED,
    TaskStatus.REJECTED: Kind.RUN_FAILED,
    TaskStatus.CANCELLED: Kind.RUN_CANCELLED,
}


def message(kind: Kind, event: Told, subject: Subject, page_url: str) -> dict[str, Any]:
    """The body in the shape of Standard Webhooks: type, timestamp, data."""
    failure: dict[str, Any] = event.data.get("failure") or {}
    return {
        "type": kind.value,
        "timestamp": moment(event.at),
        "data": {
            "says": SAYS[kind],
            "vtid": event.vtid,
            "run_id": subject.run_id,
            "title": subject.title,
            "environment": subject.environment,
            "repository": subject.repository,
            "stage": failure.get("stage") or subject.stage,
            "outcome": event.data.get("outcome") or failure.get("outcome"),
            "code": failure.get("code") or _CODES.get(kind),
            "message": failure.get("message") or event.data.get("message") or event.data.get("note"),
            "advice": failure.get("advice"),
            "moves": failure.get("moves", []),
            "until": event.data.get("until"),
            "links": _links(event.vtid, subject, page_url),
            "position": event.position,
        },
    }


# Events of the engine carry no failure of their own; the run's row has this code.
_CODES = {Kind.RUN_FAILED: "ENGINE_TERMINATED", Kind.RUN_CANCELLED: "CANCELLED"}


def _links(vtid: str | None, subject: Subject, page_url: str) -> dict[str, str]:
    links = {name: url for name, url in (subject.links or {}).items() if url.startswith("http")}
    return links | ({"page": f"{page_url}/#{vtid}"} if page_url and vtid else {})


_HEADLINES = {
    Kind.RUN_BLOCKED: "is blocked and needs a decision",
    Kind.RUN_COMPLETED: "is completed: proven in production",
    Kind.RUN_FAILED: "failed",
    Kind.RUN_CANCELLED: "was cancelled",
    Kind.RUN_STUCK: "is stuck in Temporal",
    Kind.WORKER_MISSING: "waits for a worker, and nobody takes it",
}
_LONGEST = 1_500  # characters; Slack refuses a section of more than 3,000


def slack(body: dict[str, Any]) -> dict[str, Any]:
    """The same for Slack's incoming webhooks: one plain line, and a section with what to do."""
    kind, data = Kind(body["type"]), body["data"]
    if kind is Kind.TEST:
        return {"text": "A test message of VTID. It works."}
    title = f" ({data['title']})" if data["title"] else ""
    line = f"{data['vtid']}{title} {_HEADLINES[kind]}"
    reason = ": ".join(filter(None, (data["code"], data["message"])))
    told = [f"*{_escaped(line)}*", _escaped(reason)[:_LONGEST]]
    if data["advice"]:
        told.append(f"→ {_escaped(data['advice'])[:_LONGEST]}")
    if data["moves"]:
        told.append(f"`vtid run rescue {data['vtid']} {' | '.join(data['moves'])}`")
    told += [f"<{url}|{name.replace('_', ' ')}>" for name, url in data["links"].items() if ">" not in url]
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(filter(None, told))[:2_900]}}
    return {"text": _escaped(line), "blocks": [section]}


def _escaped(text: str) -> str:
    """Slack's own three: without them a title could name people or make links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@dataclass(frozen=True)
class Answer:
    """What came back from one try. `status` None: no answer, and `error` says why."""

    status: int | None
    error: str | None = None
    excerpt: str = ""
    seconds: float = 0.0
    retry_after: timedelta | None = None

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def unwanted(self) -> bool:
        """The receiver asks never to be called again."""
        return self.status == _GONE


def pause_after(tries: int, answer: Answer, spread: float) -> timedelta | None:
    """How long to wait after so many tries; None when that was the last one.

    spread: 0 to 1; up to a tenth is added, so that many deliveries do not come back at the same moment.
    """
    if tries > len(PAUSES):
        return None
    pause = PAUSES[tries - 1] * (1 + 0.1 * spread)
    return max(pause, answer.retry_after) if answer.retry_after else pause
