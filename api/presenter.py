"""Records as the API shows them: the shapes of design 4.2, each made in one place."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from api.grants import Grant, asked_for, deadlines
from api.plain import plain
from vtid.domain.limits import LIMITS, SUSPECT_AFTER_SHARE
from vtid.domain.moment import moment
from vtid.domain.view import RunView
from vtid.ledger.records import (
    LoggedEvent,
    OrderRecord,
    RunRecord,
    TaskRecord,
    WorkerRecord,
)

_FREE_SECONDS = (LIMITS["pickup"].one_try or timedelta(minutes=1)).total_seconds()


def utc_now() -> datetime:
    return datetime.now(UTC)


class Presenter:
    """Turns records into JSON. temporal_ui: where Temporal's web UI is, if anywhere."""

    def __init__(
        self,
        *,
        temporal_ui: str | None = None,
        namespace: str = "default",
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._temporal = f"{temporal_ui.rstrip('/')}/namespaces/{quote(namespace)}" if temporal_ui else None
        self.now = now
        # Set by the reconciler while Temporal does not answer: then nothing can be said about open runs.
        self.engine_unreachable = False

    # --- runs

    def view(
        self,
        view: RunView,
        *,
        position: int,
        as_of: datetime | None = None,
        engine: str | None = None,
        lease: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The run view. `as_of` is the moment for which it holds, `position` the last event in it."""
        shown: dict[str, Any] = plain(view)
        if engine is not None:
            shown["engine"] = engine
        shown["as_of"] = moment(as_of or self.now())
        shown["links"] = self._links(view) | shown["links"]
        shown["waiting"] = waiting_of(view, shown["as_of"])
        shown["lease"] = lease
        shown["position"] = position
        shown["fresh"] = False
        return shown

    def run(self, record: RunRecord, holder: OrderRecord | None = None) -> dict[str, Any]:
        """A run as the ledger has it, with the clocks of the lease that is held."""
        lease = self.lease(holder) if holder is not None else None
        engine = self.engine_of(record)
        shown = self.view(record.view, position=record.position, engine=engine, lease=lease)
        return shown | {"serving": plain(record.serving)}  # told after the run, and no part of it

    def engine_of(self, record: RunRecord) -> str:
        """How Temporal sees the run; nothing can be said of an open one while Temporal does not answer."""
        away = self.engine_unreachable and record.state != "closed"
        return "unreachable" if away else record.engine

    def _links(self, view: RunView) -> dict[str, str]:
        links = {"self": f"/api/v1/runs/{view.vtid}", "events": f"/api/v1/events?vtid={view.vtid}"}
        if self._temporal and view.run_id:
            links["temporal"] = f"{self._temporal}/workflows/{quote(view.vtid)}/{view.run_id}/history"
        return links

    # --- tasks

    def task(self, record: TaskRecord) -> dict[str, Any]:
        return {
            "vtid": record.vtid,
            "title": record.title,
            "status": record.status.value,
            "repository": record.repository,
            "environment": record.environment,
            "services": list(record.services),
            "priority": record.priority,
            "spec": plain(record.spec),
            "run": self.run(record.run) if record.run is not None else None,
            "version": record.version,
            "position": record.position,
            "created_by": record.created_by,
            "created_at": moment(record.created_at),
            "updated_at": moment(record.updated_at),
        }

    # --- work orders

    def order(self, record: OrderRecord) -> dict[str, Any]:
        command = record.command
        return {
            "order_id": record.order_id,
            "vtid": record.vtid,
            "run_id": record.run_id,
            "state": record.state,
            "offer": record.offer,
            "attempt": record.attempt,
            "repository": command.repository,
            "base": command.base,
            "branch": command.branch,
            "priority": command.priority,
            "kind": command.kind,
            "round": command.repair.round if command.repair else None,
            "requires": list(command.requires),
            "note": command.note,
            "created_at": moment(record.created_at),
            "ended_reason": record.ended_reason,
            "lease": self.lease(record) if record.state == "claimed" else None,
        }

    def lease(self, order: OrderRecord) -> dict[str, Any]:
        """The lease clocks: suspect is derived on reading, so nothing must run for it to be true."""
        command, now = order.command, self.now()
        last = order.last_beat_at or order.lease_opened_at or order.claimed_at
        age = (now - last).total_seconds() if last else None
        suspect_after = command.lost_seconds * SUSPECT_AFTER_SHARE
        return {
            "order_id": order.order_id,
            "worker": order.worker,
            "attempt": order.attempt,
            "mode": order.mode,
            "claimed_at": plain(order.claimed_at),
            "last_beat_at": plain(order.last_beat_at),
            "last_beat_age_seconds": _age(last, now),
            "last_progress_at": plain(order.last_progress_at),
            "last_progress_age_seconds": _age(order.last_progress_at, now),
            "progress": order.progress,
            "suspect": order.mode != "unattended" and age is not None and age >= suspect_after,
            "heartbeat_seconds": command.heartbeat_seconds,
            "suspect_after_seconds": suspect_after,
            "lost_seconds": command.lost_seconds,
        }

    def grant(self, grant: Grant) -> dict[str, Any]:
        """A claimed order as its worker gets it. The lease token stands nowhere else."""
        command = grant.order.command
        return {
            "order_id": grant.order.order_id,
            "vtid": grant.lease.vtid,
            "run_id": grant.lease.run_id,
            "attempt": grant.lease.attempt,
            "worker_id": grant.lease.worker,
            "mode": grant.lease.mode,
            "lease": grant.token,
            "expires_at": moment(grant.lease.expires_at(self.now())),
            "deadlines": deadlines(grant),
            "spec": grant.spec,
            "spec_hash": command.spec_hash,
            "repository": command.repository,
            "base": command.base,
            "branch": command.branch,
            "required_markers": [grant.lease.vtid],
            "note": command.note,
            **asked_for(command),
            "environment": grant.environment,
        }

    def worker(self, record: WorkerRecord) -> dict[str, Any]:
        """Gone is who was not seen for as long as an order lies ready: a run counts nobody as free then, either."""
        age = (self.now() - record.last_seen).total_seconds()
        state = "busy" if record.holding else "free" if age <= _FREE_SECONDS else "gone"
        shown: dict[str, Any] = plain(record)
        return shown | {"state": state, "last_seen_age_seconds": round(age, 1)}

    # --- the rest

    def event(self, event: LoggedEvent) -> dict[str, Any]:
        shown: dict[str, Any] = plain(event)
        return shown


def waiting_of(view: RunView, as_of: str) -> dict[str, Any] | None:
    """What the run waits for: every open one waits for something."""
    if view.outcome is None and view.waiting is None:
        return _between_steps(view, as_of)
    waiting: dict[str, Any] | None = plain(view.waiting)
    return waiting


def _between_steps(view: RunView, as_of: str) -> dict[str, Any]:
    """What an open run waits for that told of no wait: our own worker, which has the next step in hand.

    No deadline: such a run is late only when no worker polls, which /readyz and `engine` tell.
    """
    stage = view.of(view.stage)
    since = stage.started_at or view.started_at
    what = "the run's next step" if view.started_at else "a Temporal worker to begin the run"
    return {"for": what, "since": moment(since) if since else as_of, "until": None, "who": "Temporal worker"}


def _age(since: datetime | None, now: datetime) -> float | None:
    return round((now - since).total_seconds(), 1) if since is not None else None
