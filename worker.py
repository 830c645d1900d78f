"""The Temporal worker: the only place where the steps of a run meet the adapters of the outside."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import Worker, WorkerDeploymentConfig

from activities.bookkeeping import Bookkeeping, WorkOrders
from activities.counting import CountedErrors
from activities.deployments import Deployments
from activities.errors import SortedErrors
from activities.leases import Leases
from activities.migrations import MigrationChecks
from activities.pull_requests import PullRequests
from activities.reports import Reports
from activities.rollbacks import Rollbacks
from activities.sentinels import Sentinels
from activities.validation import Validation
from vtid.configuration.build import BUILD, Build
from vtid.configuration.settings import ConfigurationError, Settings
from vtid.domain.limits import LIMITS, Lane
from vtid.domain.ports import CodeHost, Journal, MigrationsHost, OrderBook, TrafficHost, VersionProbe
from vtid.ledger import Ledger, LedgerUnavailable, NotMigrated
from workflows.connection import DEPLOYMENT, GITHUB_QUEUE, TASK_QUEUE, TemporalAway, connect
from workflows.first_build import NotMadeCurrent, make_first_current
from workflows.sentinel import Sentinel, SentinelOfEveryBuild
from workflows.vtid_run import VtidRun

GITHUB_THREADS = 16
GITHUB_STEPS_PER_SECOND = 20.0  # for the whole queue, over all workers: the server enforces it
GRACE = timedelta(seconds=5)
STICKY_TIMEOUT = timedelta(seconds=2)  # the first task after a crash waits this long for the dead worker


def steps(
    journal: Journal,
    orders: OrderBook,
    code_host: CodeHost,
    service_host: TrafficHost,
    probe: VersionProbe,
    databases: MigrationsHost,
) -> list[Callable[..., Any]]:
    """Every activity of the limits table, bound to the given ports."""
    groups = (
        Bookkeeping(journal),
        WorkOrders(orders, journal),
        Leases(),
        Validation(journal),
        PullRequests(code_host),
        Deployments(code_host, service_host, probe),
        MigrationChecks(code_host, databases),
        Reports(code_host),
        Rollbacks(code_host, service_host, probe),
        Sentinels(code_host, service_host, probe),
    )
    names = (name for name, limit in LIMITS.items() if limit.lane is not Lane.TIMER)
    return [next(getattr(group, name) for group in groups if hasattr(group, name)) for name in names]


def workers(
    client: Client,
    activities: list[Callable[..., Any]],
    threads: ThreadPoolExecutor,
    *,
    github_steps_per_second: float = GITHUB_STEPS_PER_SECOND,
    secrets: Iterable[str] = (),
    build: str | None = None,
) -> list[Worker]:
    """One worker for the runs' own queue, and one for the paced queue of GitHub.

    secrets: values that must stand in no error that is kept. build: the runs that this worker begins stay with workers
    of the same build, and no others come to it; None: it takes every run.
    """
    version = build and WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=DEPLOYMENT, build_id=build),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )
    interceptors = [CountedErrors(), SortedErrors(secrets)]  # from the outside in: sorted, then counted

    def lane_of(step: Callable[..., Any]) -> Lane:
        return LIMITS[step.__name__].lane

    runs = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[VtidRun, SentinelOfEveryBuild if version else Sentinel],
        # Bookkeeping falls back to ordinary activities on this queue.
        activities=[step for step in activities if lane_of(step) is not Lane.GITHUB],
        activity_executor=threads,
        deployment_config=version or None,
        interceptors=interceptors,
        max_concurrent_workflow_task_polls=20,
        max_cached_workflows=1000,
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        graceful_shutdown_timeout=GRACE,
    )
    github = Worker(
        client,
        task_queue=GITHUB_QUEUE,
        activities=[step for step in activities if lane_of(step) is Lane.GITHUB],
        activity_executor=threads,
        deployment_config=version or None,
        interceptors=interceptors,
        max_task_queue_activities_per_second=github_steps_per_second,
        graceful_shutdown_timeout=GRACE,
    )
    return [runs, github]


def runtime(metrics_address: str | None = None) -> Runtime:
    """What runs the SDK; with an address (IP:PORT) it also answers `/metrics` there. One for each process.

    Raises ConfigurationError when nobody can listen at that address.
    """
    # Names end in their unit and durations are seconds, as Prometheus and Temporal's own dashboards have it.
    metrics = metrics_address and PrometheusConfig(
        metrics_address, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
    )
    telemetry = TelemetryConfig(metrics=metrics or None, attach_service_name=False)
    try:
        return Runtime(telemetry=telemetry, worker_heartbeat_interval=timedelta(seconds=10))
    except ValueError as error:  # all that the SDK says of an address that is taken, or not of this machine
        raise ConfigurationError(f"VTID_WORKER_METRICS_ADDRESS={metrics_address}: {error}") from error


def build_of(settings: Settings, built: Build = BUILD) -> str | None:
    """The commit that runs are pinned to; None where they are not. Raises ConfigurationError when nothing tells it."""
    if not settings.pins_runs:
        return None
    if built.commit is None:
        raise ConfigurationError(
            "runs are pinned to the commit that their worker was built from, and nothing tells it: "
            "set GIT_COMMIT_SHA, or VTID_WORKER_VERSIONING=off"
        )
    return built.commit


async def main() -> None:
    """Work until SIGTERM or SIGINT; then let running steps end within the grace period."""
    from vtid.adapters.github import GitHub
    from vtid.adapters.hosts import service_hosts
    from vtid.adapters.http_probe import HttpProbe
    from vtid.adapters.postgres_migrations import PostgresMigrations

    settings = Settings.load()
    build = build_of(settings)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    ledger = await Ledger.open(settings.database_url)
    code_host = GitHub(settings.github_api_url, settings.github_credentials)
    probe, databases = HttpProbe(), PostgresMigrations(os.environ)
    hosts = service_hosts(settings.cloud_run_url, probe)
    activities = steps(ledger.journal, ledger.orders, code_host, hosts, probe, databases)
    client = await connect(runtime=runtime(settings.worker_metrics_address))
    async with AsyncExitStack() as running:
        threads = running.enter_context(ThreadPoolExecutor(GITHUB_THREADS))
        running.push_async_callback(ledger.close)
        for worker in workers(client, activities, threads, secrets=settings.secret_values, build=build):
            await running.enter_async_context(worker)
        print('{"event":"ready"}', flush=True)  # noqa: T201 - the supervisor reads it
        async with asyncio.TaskGroup() as beside:
            beginning = beside.create_task(_begin_if_first(client, build))
            await stop.wait()
            beginning.cancel()


async def _begin_if_first(client: Client, build: str | None) -> None:
    try:
        if build and await make_first_current(client, build):
            _say(f"build {build[:12]} is the first: new runs go to it")
    except NotMadeCurrent as error:
        _say(
            f"no build takes new runs, and this one could not be made current: {error}; /readyz has the command"
        )


def _say(text: str) -> None:
    sys.stderr.write(f"worker: {text}\n")
    sys.stderr.flush()


def _refused(error: Exception) -> int:
    """Say in one line why the worker cannot begin; the exit code: 2 wrong configuration, 9 out of reach."""
    _say(str(error))
    return 9 if isinstance(error, LedgerUnavailable | TemporalAway) else 2


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (ConfigurationError, NotMigrated, LedgerUnavailable, TemporalAway) as error:
        os._exit(_refused(error))
    # The SDK may abort in the interpreter's own shutdown after all work is done (its issue 300).
    sys.stdout.flush()
    os._exit(0)
