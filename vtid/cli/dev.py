"""`vtid dev`: the stack until somebody stops it."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vtid.cli.addresses import DirectoryBusy
from vtid.cli.console import tell_while_heard
from vtid.cli.exits import CommandFailed, Exit
from vtid.cli.ports import PortBusy
from vtid.cli.stack import Stack
from vtid.cli.supervisor import StackError
from vtid.configuration.settings import ConfigurationError
from vtid.configuration.temporal_dev import TemporalDevError

Work = Callable[[Stack], Awaitable[None]]


def run_stack(stack: Stack, work: Work) -> None:
    """Run the stack with `work` in it, until the work ends or a person stops it.

    The first signal stops everything in good order, the second kills it at once. Raises CommandFailed.
    """
    with explained():
        asyncio.run(_until_stopped(stack, work))


@contextmanager
def explained() -> Iterator[None]:
    """What can keep a stack from running, as one message with its exit code."""
    try:
        yield
    except (PortBusy, DirectoryBusy, TemporalDevError, ConfigurationError) as error:
        raise CommandFailed(str(error), Exit.USAGE) from error
    except StackError as error:
        raise CommandFailed(str(error)) from error


async def _until_stopped(stack: Stack, work: Work) -> None:
    running = asyncio.ensure_future(_run(stack, work))
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if stopping:
            stack.hurry()
            return
        stopping = True
        tell_while_heard("stopping; once more to kill at once")
        running.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    try:
        await running
    except asyncio.CancelledError:
        if not stopping:
            raise


async def _run(stack: Stack, work: Work) -> None:
    async with stack:
        working = asyncio.ensure_future(work(stack))
        broken = asyncio.ensure_future(stack.broken())
        try:
            await asyncio.wait((working, broken), return_when=asyncio.FIRST_COMPLETED)
            await (working if working.done() else broken)
        finally:
            for task in (working, broken):
                task.cancel()
            await asyncio.gather(working, broken, return_exceptions=True)


def dev(*, data_dir: Path, port: int, simulate: bool, simulate_worker: bool, as_json: bool) -> None:
    """Start the stack, say where it is, and keep it running."""

    async def wait(stack: Stack) -> None:
        if as_json:
            print(stack.addresses.ready_line(), flush=True)
        else:
            for line in welcome(stack):
                print(line, flush=True)
        await asyncio.Event().wait()

    stack = Stack(
        data_dir,
        simulate=simulate or simulate_worker,
        simulate_worker=simulate_worker,
        port=port,
        say=tell_while_heard,
    )
    run_stack(stack, wait)


def welcome(stack: Stack) -> list[str]:
    """Where a person finds what."""
    where = stack.addresses
    lines = [
        f"the page       {where.api}/",
        f"the API        {where.api}/api/v1, described at {where.api}/docs",
        f"Temporal       {where.temporal}, Web UI {where.temporal_ui}",
        f"metrics        {where.api}/metrics, of the worker {where.worker_metrics}",
        f"data and logs  {stack.data_dir}",
    ]
    if where.simulator:
        lines.insert(3, f"simulator      {where.simulator}")
    return [*lines, "Ctrl-C stops everything."]
