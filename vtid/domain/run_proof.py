"""What a proof bundle says of a run: one in-toto Statement, made from the run's own events and nothing else.

The same events give the same statement, byte for byte: no clock and no version of ours stands in it. Whoever has the
event log can make it again (vtid.domain.proof_checks). Source: design of the product, row 44.

An event is meant as GET /events shows it: position, id, run_id, seq, vtid, type, stage, at, actor, data.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vtid.domain.canonical import sha256_of, sha256_of_lines
from vtid.domain.events import event_of
from vtid.domain.fold import fold_all
from vtid.domain.hosts import HOSTS
from vtid.domain.moment import moment
from vtid.domain.secret_shapes import masked
from vtid.domain.verdict import Answer
from vtid.domain.view import RunView

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:vtid:run-proof:v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"

Json = dict[str, Any]
EventShown = Mapping[str, Any]

# Who can tell each link; what only a host shows is told by the host.
_SOURCES = {
    "commit": "GitHub, history of the base branch",
    "actions_run": "GitHub Actions",
    "live_answer": "the service's own version endpoint",
    "migrations": "the database",
}
_TEXTS = frozenset({"title", "message", "note", "reason", "says"})  # words of people and outsides


@dataclass(frozen=True)
class EngineEnd:
    """How a run ended that somebody ended inside Temporal: its own events do not tell it."""

    status: str
    outcome: str
    failure: Mapping[str, Any]
    ended_at: datetime | str | None


def events_of_run(run_id: str, events: Iterable[EventShown]) -> list[EventShown]:
    """The events that this run told, in the order of the log."""
    return sorted(
        (each for each in events if each["run_id"] == run_id), key=lambda each: int(each["position"])
    )


def approval_of(spec_hash: str | None, events: Iterable[EventShown], before: int | None) -> EventShown | None:
    """The event by which this text was approved: the last one before the run told its first event."""
    given = [
        each
        for each in events
        if each["type"] == "spec.approved"
        and each["data"].get("hash") == spec_hash
        and (before is None or each["position"] < before)
    ]
    return max(given, key=lambda each: int(each["position"]), default=None)


def view_of(events: Sequence[EventShown]) -> RunView:
    """The run view as these events tell it. Raises ValueError when there are none."""
    if not events:
        raise ValueError("a run without an event")
    return fold_all(RunView(events[0]["vtid"], events[0]["run_id"]), map(event_of, events))


def statement_of(
    events: Sequence[EventShown], approval: EventShown | None, end: EngineEnd | None = None
) -> Json:
    """The statement about the run that told these events. `end`: where its events do not tell it."""
    view = view_of(events)
    status, outcome, failure, ended_at = view.status.value, view.outcome, view.failure, view.ended_at
    if end is not None:
        status, outcome, failure = end.status, end.outcome, dict(end.failure)
    predicate = without_secrets(
        {
            "vtid": view.vtid,
            "run_id": view.run_id,
            "title": view.title,
            "repository": view.repository,
            "environment": view.environment,
            "status": status,
            "outcome": outcome,
            "failure": _failure(failure),
            "note": view.note,
            "started_at": _time(view.started_at),
            "ended_at": _time(end.ended_at if end else ended_at),
            "ended_by": "engine" if end else "run" if outcome else None,
            "spec": {"sha256": view.spec_hash, "approval": _approval(approval)},
            "change": _change(view),
            "verdict": _verdict(view.verdict),
            "proof": _proof(view.proof),
            "services": _services(view.proof),
            "log": log_of(events),
        }
    )
    return {
        "_type": STATEMENT_TYPE,
        "subject": subjects_of(predicate),
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate,
    }


def subjects_of(predicate: Mapping[str, Any]) -> list[Json]:
    """What the statement is about: the merged commit, and each image that was proven to serve it; else the spec.

    An image of a run that is not proven is no subject: it may be somebody else's.
    """
    commit = predicate["change"]["merge_sha"]
    if commit is None:
        return [{"name": f"{predicate['vtid']}/spec", "digest": {"sha256": predicate["spec"]["sha256"]}}]
    subjects: list[Json] = [{"name": predicate["repository"], "digest": {"gitCommit": commit}}]
    if not (predicate["proof"] or {}).get("complete"):
        return subjects
    for each in predicate["services"]:
        kind, _, digest = (each["image_digest"] or "").partition(":")
        if kind == "sha256" and digest:
            name = f"{predicate['environment']}/{each['service']}/{each['revision']}"
            subjects.append({"name": name, "digest": {"sha256": digest}})
    return subjects


def log_of(events: Sequence[EventShown]) -> Json:
    """Which events of the ledger these are, and the hash over them."""
    return {
        "events": len(events),
        "first_position": events[0]["position"],
        "last_position": events[-1]["position"],
        "first_seq": events[0]["seq"],
        "last_seq": events[-1]["seq"],
        "sha256": sha256_of_lines(events),
    }


def without_secrets(value: Any, key: str = "") -> Any:
    """The same with secrets masked in every text that people or outsides wrote."""
    if isinstance(value, dict):
        return {name: without_secrets(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [without_secrets(each, key) for each in value]
    return masked(value) if isinstance(value, str) and key in _TEXTS else value


def _failure(failure: Mapping[str, Any] | None) -> Json | None:
    return None if failure is None else {key: failure[key] for key in ("code", "stage", "outcome", "message")}


def _approval(event: EventShown | None) -> Json | None:
    if event is None:
        return None
    reason = event["data"].get("reason")
    return {"by": event["actor"], "at": event["at"], "reason": reason, "position": event["position"]}


def _change(view: RunView) -> Json:
    observed = view.evidence.get("observed") or {}
    return {
        "pull_request": view.links.get("pr"),
        "head_sha": observed.get("head_sha"),
        "source": observed.get("source"),
        "merge_sha": view.merged,
    }


def _verdict(verdict: Mapping[str, Any] | None) -> Json | None:
    if verdict is None:
        return None
    keys = ("rule", "title", "answer", "reason", "by")
    return {
        "head_sha": verdict["head_sha"],
        "passed": verdict["passed"],
        "at": _time(verdict["at"]),
        "rules": [
            # A rule that holds has the code that its failure would mean; it would only frighten here.
            {key: rule.get(key) for key in keys}
            | {"code": rule.get("code") if rule["answer"] == Answer.FAIL else None}
            for rule in verdict["rules"]
        ],
    }


def _proof(proof: Mapping[str, Any] | None) -> Json | None:
    if proof is None:
        return None
    return {
        "complete": proof["complete"],
        "code": proof.get("code"),
        "at": _time(proof["at"]),
        "links": [_link(link) for link in proof["links"]],
    }


def _link(link: Mapping[str, Any]) -> Json:
    raw = link.get("raw") or {}
    return {
        "name": link["name"],
        "service": link.get("service"),
        "state": link["state"],
        "source": _SOURCES.get(link["name"], HOSTS["cloud_run"].title),
        "says": link["says"],
        "match": link.get("match"),
        "at": _time(link.get("at")),
        "code": link.get("code"),
        # Of the answer as the event keeps it, whose secrets were masked before it was kept.
        "raw_sha256": sha256_of(raw),
    }


def _services(proof: Mapping[str, Any] | None) -> list[Json]:
    """Each revision that was seen serving, with the image that it runs. Nothing where a host shows no revisions."""
    seen: list[Json] = []
    for link in (proof or {}).get("links", ()):
        if link["name"] == "image_digest":
            for revision, digest in (link.get("raw") or {}).get("digests", {}).items():
                seen.append({"service": link["service"], "revision": revision, "image_digest": digest})
    return seen


def _time(at: datetime | str | None) -> str | None:
    if at is None:
        return None
    return moment(datetime.fromisoformat(at) if isinstance(at, str) else at)
