"""What Prometheus is told about this API process."""

from collections import Counter as Count
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """The numbers of one app. Each app has its own registry."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "vtid_http_requests_total", "Answers by route", ["route", "method", "status"], registry=registry
        )
        self._seconds = Histogram(
            "vtid_http_request_seconds", "Time to the end of the answer", ["route"], registry=registry
        )
        self._counts: dict[tuple[str, str, int], Counter] = {}
        self._runs = Gauge("vtid_runs", "Unfinished runs by status", ["status"], registry=registry)
        self._engine = Gauge(
            "vtid_runs_engine", "Unfinished runs by engine state", ["engine"], registry=registry
        )
        self._streams = Gauge("vtid_sse_clients", "Open live streams", registry=registry)
        self._claims = Counter("vtid_order_claims_total", "Claims by result", ["result"], registry=registry)
        self._beats = Counter("vtid_heartbeats_total", "Heartbeats by answer", ["action"], registry=registry)
        self._webhooks = Counter(
            "vtid_webhooks_total",
            "Signed webhooks by event and answer",
            ["event", "state"],
            registry=registry,
        )
        self._reconciled = Gauge(
            "vtid_reconciler_last_pass_timestamp_seconds",
            "When all runs were last compared",
            registry=registry,
        )
        self._reconciler_errors = Counter(
            "vtid_reconciler_errors_total",
            "Runs, or whole passes, that could not be compared",
            registry=registry,
        )

        self._notified = Counter(
            "vtid_notification_tries_total",
            "Tries to tell a subscriber, by how the delivery stands after it",
            ["state"],
            registry=registry,
        )
        self._notifier_errors = Counter(
            "vtid_notifier_errors_total", "Faults of ours while telling subscribers", registry=registry
        )

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        count = self._counts.get((route, method, status))
        if count is None:  # finding a series by its labels costs more than counting in it
            count = self._counts[route, method, status] = self._requests.labels(route, method, str(status))
        count.inc()
        if not route.endswith("/stream"):
            self._seconds.labels(route).observe(seconds)

    def runs_are(self, statuses: Iterable[str], engines: Iterable[str]) -> None:
        """All unfinished runs, as the reconciler has just seen them."""
        for gauge, values in ((self._runs, statuses), (self._engine, engines)):
            gauge.clear()
            for value, number in Count(values).items():
                gauge.labels(value).set(number)
        self._reconciled.set_to_current_time()

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

    def beat(self, action: str) -> None:
        self._beats.labels(action).inc()

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self._registry)
