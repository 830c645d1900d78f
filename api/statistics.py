"""How runs went, in figures for people."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from api.problems import Problem
from api.services import Services
from vtid.domain.limits import LIMITS
from vtid.domain.moment import moment
from vtid.domain.stages import Stage
from vtid.ledger.statistics import StatisticsRecord

USUAL = timedelta(days=30)
LONGEST = timedelta(days=366)
_KINDS = ("started", "blocked", "completed", "rejected", "cancelled")


class Detection(NamedTuple):
    """What a fault is, and the limit by which it must be named."""

    says: str
    limit: str


DETECTIONS = {
    "not_picked_up": Detection("from an offer to the alarm that nobody took it", "pickup"),
    "worker_lost": Detection("from a worker's last heartbeat to the event that tells its loss", "hold_lease"),
    "claim_refuted": Detection("from a claim to the event that GitHub does not bear it out", "find_evidence"),
    "checks_red": Detection("from the evidence to a run blocked by red checks", "await_checks"),
    "deploy_unproven": Detection("from the merge to a run blocked in DEPLOY", "prove_deployment"),
}


async def read(given: Services, environment: str | None, since: datetime | None) -> dict[str, Any]:
    """The statistics since a moment. Raises Problem VALIDATION."""
    now = datetime.now(UTC)
    start = since or now - USUAL
    if not now - LONGEST <= start <= now:
        raise _invalid("since", f"must lie within the last {LONGEST.days} days")
    if environment is not None and environment not in given.environments:
        raise _invalid("environment", f"declared are {', '.join(sorted(given.environments))}")
    record = await given.ledger.statistics.read(since=start, environment=environment)
    return {
        "since": moment(start),
        "until": moment(now),
        "environment": environment,
        "runs": sum(each.count for each in record.endings),
        "truncated": record.truncated,
        "stages": [
            {"stage": name, **_times(record.stages.get(name, []))}
            for name in (*(s.value for s in Stage), "run")
        ],
        "outcomes": [
            {"status": each.status, "outcome": each.outcome, "code": each.code, "count": each.count}
            for each in record.endings
        ],
        "detection": [_detection(name, record.detections[name]) for name in DETECTIONS],
        "days": _days(record, start, now),
    }


def _detection(name: str, seconds: list[float]) -> dict[str, Any]:
    kind = DETECTIONS[name]
    limit = LIMITS[kind.limit]
    bound = limit.heartbeat or limit.budget or limit.one_try
    return {
        "name": name,
        "says": kind.says,
        **_times(seconds),
        "limit": kind.limit,
        "limit_seconds": bound.total_seconds() if bound else None,
    }


def _times(seconds: list[float]) -> dict[str, Any]:
    ordered = sorted(seconds)
    return {
        "count": len(ordered),
        "p50_seconds": _quantile(ordered, 0.5),
        "p95_seconds": _quantile(ordered, 0.95),
    }


def _quantile(ordered: list[float], share: float) -> float | None:
    """Between the two values around the place; None of nothing."""
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return round(ordered[low] + (ordered[high] - ordered[low]) * (place - low), 3)


def _days(record: StatisticsRecord, start: datetime, now: datetime) -> list[dict[str, Any]]:
    """Every day of the span, in UTC, also those on which nothing happened."""
    first = start.astimezone(UTC).date()
    days = [first + timedelta(days=n) for n in range((now.date() - first).days + 1)]
    return [
        {"day": day.isoformat(), **{kind: record.days.get((day, kind), 0) for kind in _KINDS}} for day in days
    ]


def _invalid(field: str, message: str) -> Problem:
    return Problem("VALIDATION", f"{field}: {message}", errors=({"field": field, "message": message},))
