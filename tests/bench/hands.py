"""A worker process of the bench: `python -m tests.bench.hands ours|bare`. Both have worker.py's settings.

TEMPORAL_ADDRESS and BENCH_LEDGER say where. GitHub's pace, which would hold both at four runs a second, is lifted.
"""

import asyncio
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import worker
from tests.bench.bare import BARE_GITHUB_QUEUE, BARE_QUEUE, BareRun, bare_steps
from tests.bench.instant import InstantGitHub, Staff, StaffedOrders
from tests.workflows.world import CloudRun, Databases
from vtid.ledger import Ledger
from workflows.connection import connect

NO_PACE = 100_000.0
LEDGER = "BENCH_LEDGER"


async def our_workers(threads: ThreadPoolExecutor, running: AsyncExitStack) -> list[Worker]:
    """The real workflow, activities and ledger; GitHub and Cloud Run answer from memory."""
    ledger = await Ledger.open(os.environ[LEDGER])
    running.push_async_callback(ledger.close)
    client = await connect()
    github, cloud_run = InstantGitHub(), CloudRun()
    orders = StaffedOrders(ledger.orders, Staff(client, github).take)
    steps = worker.steps(ledger.journal, orders, github, cloud_run, cloud_run, Databases())
    return worker.workers(client, steps, threads, github_steps_per_second=NO_PACE)


async def bare_workers(threads: ThreadPoolExecutor) -> list[Worker]:
    """The yardstick, with the settings of worker.workers."""
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"], data_converter=pydantic_data_converter)
    own, github = bare_steps(Staff(client).take_bare)
    runs = Worker(
        client,
        task_queue=BARE_QUEUE,
        workflows=[BareRun],
        activities=own,
        activity_executor=threads,
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_workflow_task_polls=20,
        max_cached_workflows=1000,
        sticky_queue_schedule_to_start_timeout=worker.STICKY_TIMEOUT,
        graceful_shutdown_timeout=worker.GRACE,
    )
    paced = Worker(
        client,
        task_queue=BARE_GITHUB_QUEUE,
        activities=github,
        activity_executor=threads,
        max_task_queue_activities_per_second=NO_PACE,
        graceful_shutdown_timeout=worker.GRACE,
    )
    return [runs, paced]


async def main(whose: str) -> None:
    """Work until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with AsyncExitStack() as running:
        threads = running.enter_context(ThreadPoolExecutor(worker.GITHUB_THREADS))
        made = await (our_workers(threads, running) if whose == "ours" else bare_workers(threads))
        for each in made:
            await running.enter_async_context(each)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
    os._exit(0)  # the SDK may abort in the interpreter's own shutdown (its issue 300)
