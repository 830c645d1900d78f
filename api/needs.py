"""What waits for a person, as the caller sees it."""

from datetime import UTC, datetime
from typing import Any

from api.approvals import why_not_approve
from api.auth import Principal
from api.plain import plain
from api.services import Services
from vtid.domain.failures import FAILURES
from vtid.domain.limits import LIMITS
from vtid.domain.moment import moment
from vtid.ledger.needs import Approval, Blocked
from vtid.ledger.records import RunRecord

_MOST_ORDERS = 500


async def read(given: Services, actor: Principal, limit: int) -> dict[str, Any]:
    """Every section with its count and its oldest entries."""
    found = await given.ledger.needs.read(limit=limit)
    suspects, unclaimed = await _suspects(given), await _unclaimed(given)
    sections = {
        "approvals": (
            found.approvals.count,
            [_approval(given, actor, each) for each in found.approvals.items],
        ),
        "blocked": (found.blocked.count, [_blocked(each) for each in found.blocked.items]),
        "merges": (found.merges.count, [_merge(each) for each in found.merges.items]),
        "suspects": (len(suspects), suspects[:limit]),
        "unclaimed": (len(unclaimed), unclaimed[:limit]),
        "serving": (found.serving.count, [_serving(each) for each in found.serving.items]),
        "stuck": (found.stuck.count, [_stuck(each) for each in found.stuck.items]),
    }
    return {
        "total": sum(count for count, _ in sections.values()),
        **{name: {"count": count, "items": items} for name, (count, items) in sections.items()},
        "position": found.position,
        "as_of": moment(datetime.now(UTC)),
    }


def _approval(given: Services, actor: Principal, each: Approval) -> dict[str, Any]:
    why = why_not_approve(actor, given.environments, each.environment, each.spec.author)
    shown: dict[str, Any] = plain(each)
    return shown | {"you_may": why is None, "why_not": why}


def _blocked(each: Blocked) -> dict[str, Any]:
    shown: dict[str, Any] = plain(each)
    return shown | {"says": FAILURES[each.code].says if each.code in FAILURES else each.message}


def _serving(run: RunRecord) -> dict[str, Any]:
    return {"vtid": run.vtid, "title": run.view.title, **plain(run.serving)}


def _merge(run: RunRecord) -> dict[str, Any]:
    view = run.view
    return {
        "vtid": run.vtid,
        "title": view.title,
        "waiting": plain(view.waiting),
        "pr": view.links.get("pr"),
    }


def _stuck(run: RunRecord) -> dict[str, Any]:
    return {
        "vtid": run.vtid,
        "title": run.view.title,
        "engine": run.engine,
        "since": moment(run.updated_at),
    }


async def _suspects(given: Services) -> list[dict[str, Any]]:
    """Workers that should have beaten by now, the longest silent first."""
    held = await given.ledger.orders.list(state="claimed", limit=_MOST_ORDERS)
    clocks = [(order.vtid, given.presenter.lease(order)) for order in held]
    silent = [
        {
            "vtid": vtid,
            "worker": lease["worker"],
            "order_id": lease["order_id"],
            "attempt": lease["attempt"],
            "last_beat_at": lease["last_beat_at"],
            "last_beat_age_seconds": lease["last_beat_age_seconds"],
            "lost_seconds": lease["lost_seconds"],
        }
        for vtid, lease in clocks
        if lease["suspect"]
    ]
    return sorted(silent, key=lambda each: -each["last_beat_age_seconds"])


async def _unclaimed(given: Services) -> list[dict[str, Any]]:
    """Orders that lie there for longer than a pickup should take, the oldest first."""
    pickup, now = LIMITS["pickup"].one_try, datetime.now(UTC)
    assert pickup is not None  # a row of the table
    offered = await given.ledger.orders.list(state="offered", limit=_MOST_ORDERS)
    late = [order for order in offered if now - order.created_at > pickup]
    return [
        {"vtid": each.vtid, "order_id": each.order_id, "since": moment(each.created_at)}
        for each in sorted(late, key=lambda order: order.created_at)
    ]
