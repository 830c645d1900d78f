"""What Prometheus is told about this API process."""

from collections import Counter as Count
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from math import nan

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from api.readiness import Finding
from vtid.domain.failures import FAILURES
from vtid.domain.task import TaskStatus
from vtid.ledger.records import OutboxBacklog, RunRecord

# A series that appears with its first event has no increase for Prometheus: what is counted rarely begins at 0.
_REFUSALS = ("UNAUTHENTICATED", "VALIDATION", "TOO_LARGE", "LEDGER_UNAVAILABLE")
_DELIVERY_STATES = ("delivered", "pending", "failed")


class Metrics:
    """The numbers of one app. Each app has its own registry."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        gauge = partial(Gauge, registry=self._registry)
        counter = partial(Counter, registry=self._registry)
        # fmt: off
        # --- answers
        self._requests = counter("vtid_http_requests_total", "Answers by route", ["route", "method", "status"])
        self._seconds = Histogram("vtid_http_request_seconds", "Time to the end of the answer", ["route"], registry=self._registry)
        self._counts: dict[tuple[str, str, int], Counter] = {}
        self._streams = gauge("vtid_sse_clients", "Open live streams")
        self._claims = counter("vtid_order_claims_total", "Claims by result", ["result"])
        self._beats = counter("vtid_heartbeats_total", "Heartbeats by answer", ["action"])
        self._webhooks = counter("vtid_webhooks_total", "Signed webhooks by event and answer", ["event", "state"])
        self._webhooks_refused = counter("vtid_webhooks_refused_total", "Webhooks that were not taken, by code", ["code"])
        # --- runs
        self._runs = gauge("vtid_runs", "Unfinished runs by status", ["status"])
        self._engine = gauge("vtid_runs_engine", "Unfinished runs by engine state", ["engine"])
        self._blocked = gauge("vtid_runs_blocked", "Runs that wait for a person's decision, by failure code and its outcome", ["code", "outcome"])
        self._blocked_since = gauge("vtid_runs_blocked_oldest_timestamp_seconds", "Since when the longest waiting of them waits", ["code", "outcome"])
        # --- our own parts
        self._ready = gauge("vtid_ready", "1: the part answers (worker: one polls), as /readyz says; no sample: it could not be asked", ["part"])
        self._reconciled = gauge("vtid_reconciler_last_pass_timestamp_seconds", "When all runs were last compared")
        self._reconciler_errors = counter("vtid_reconciler_errors_total", "Runs, or whole passes, that could not be compared")
        self._notified = counter("vtid_notification_tries_total", "Tries to tell a subscriber, by how the delivery stands after it", ["state"])
        self._notifications = gauge("vtid_notifications_pending", "Deliveries that wait for a try; NaN: not known")
        self._notifications_lag = gauge("vtid_notifications_lag_seconds", "How long the oldest message that should be on its way waits; NaN: not known")
        self._notifier_errors = counter("vtid_notifier_errors_total", "Faults of ours while telling subscribers")
        # fmt: on
        for code in _REFUSALS:
            self._webhooks_refused.labels(code)
        for state in _DELIVERY_STATES:
            self._notified.labels(state)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        count = self._counts.get((route, method, status))
        if count is None:  # finding a series by its labels costs more than counting in it
            count = self._counts[route, method, status] = self._requests.labels(route, method, str(status))
        count.inc()
        if not route.endswith("/stream"):
            self._seconds.labels(route).observe(seconds)

    def runs_are(self, records: Sequence[RunRecord]) -> None:
        """All unfinished runs, as the reconciler has just seen them."""
        statuses, engines = (r.view.status.value for r in records), (r.engine for r in records)
        for gauge, values in ((self._runs, statuses), (self._engine, engines)):
            gauge.clear()
            for value, number in Count(values).items():
                gauge.labels(value).set(number)
        self._blocked_are([record for record in records if record.view.status is TaskStatus.BLOCKED])
        self._reconciled.set_to_current_time()

    def _blocked_are(self, records: Sequence[RunRecord]) -> None:
        self._blocked.clear()
        self._blocked_since.clear()
        since: dict[tuple[str, str], list[float]] = {}
        for record in records:
            code, waiting = record.code or "", record.view.waiting or {}
            outcome = FAILURES[code].outcome.value if code in FAILURES else ""
            at = datetime.fromisoformat(waiting["since"]) if "since" in waiting else record.updated_at
            since.setdefault((code, outcome), []).append(at.timestamp())
        for labels, moments in since.items():
            self._blocked.labels(*labels).set(len(moments))
            self._blocked_since.labels(*labels).set(min(moments))

    def ready_is(self, findings: Mapping[str, Finding]) -> None:
        """What `Readiness` found just now. Of the worker nothing is known while Temporal does not answer."""
        self._ready.clear()
        for part, finding in findings.items():
            if part != "worker" or findings["temporal"].ok:
                self._ready.labels(part).set(finding.ok)

    def outbox_is(self, backlog: OutboxBacklog | None) -> None:
        """None: the ledger could not be asked."""
        self._notifications.set(nan if backlog is None else backlog.pending)
        since = backlog.due_since if backlog else None
        lag = (datetime.now(UTC) - since).total_seconds() if since else 0.0
        self._notifications_lag.set(nan if backlog is None else lag)

    def reconciler_failed(self) -> None:
        """An error of ours; Temporal or the ledger being out of reach is none."""
        self._reconciler_errors.inc()

    def notified(self, state: str) -> None:
        """pending: it failed and comes again."""
        self._notified.labels(state).inc()

    def notifier_failed(self) -> None:
        """A ledger out of reach is none."""
        self._notifier_errors.inc()

    @contextmanager
    def streaming(self) -> Iterator[None]:
        with self._streams.track_inprogress():
            yield

    def claimed(self, result: str) -> None:
        self._claims.labels(result).inc()

    def webhook(self, event: str, state: str) -> None:
        self._webhooks.labels(event, state).inc()

    def webhook_refused(self, code: str) -> None:
        self._webhooks_refused.labels(code).inc()

    def beat(self, action: str) -> None:
        self._beats.labels(action).inc()

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self._registry)
