"""Keeping what old workers tell, word for word: as events outside any run, which change nothing by themselves."""

import hashlib
import json
from datetime import UTC, datetime
from uuid import uuid4

from api.gateway.said import Said, bounded
from vtid.domain.events import OutsideEvent
from vtid.ledger import Ledger

_KIND = "worker.said"


async def keep(
    ledger: Ledger, topic: str, said: Said, *, vtid: str | None = None, key: str = "", once: bool = False
) -> str:
    """Keep it; the id of the event. The same `key`, or with `once` the same words, are kept once."""
    worker = said.worker or ""
    event_id = f"{_KIND}:{key or (_digest(topic, vtid, worker, said) if once else uuid4().hex)}"
    data = {
        "topic": topic,
        "service": said.text("service", "source"),
        "status": said.text("status", "outcome"),
        "message": said.text("message", "summary", most=2_000),
        "worker": worker,
        "details": bounded(said.fields),
    }
    actor = f"worker:{worker}" if worker else "worker"
    await ledger.events.append(OutsideEvent(event_id, _KIND, datetime.now(UTC), vtid, actor, data))
    return event_id


def _digest(topic: str, vtid: str | None, worker: str, said: Said) -> str:
    words = json.dumps([topic, vtid, worker, said.fields], sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()[:32]
