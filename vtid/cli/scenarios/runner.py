"""Run scenarios on a stack of their own, several at a time, and tell what was promised and what was seen."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
from rich.console import Console

from vtid.cli.addresses import lock
from vtid.cli.dev import explained
from vtid.cli.exits import CommandFailed, Exit
from vtid.cli.layout import ROOT
from vtid.cli.ports import LOOPBACK, free_ports
from vtid.cli.scenarios.calls import NotSeen
from vtid.cli.scenarios.catalogue import CATALOGUE
from vtid.cli.scenarios.credentials import GITHUB_TOKEN
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import Result, Scenario, compare
from vtid.cli.scenarios.report import Report
from vtid.cli.scenarios.seen import Seen
from vtid.cli.stack import Stack
from vtid.configuration.environments import load_environments
from vtid.domain.environment import Environment

AT_ONCE = 6
ENVIRONMENT = "drill"  # the section of environments.yaml with limits of a few seconds
ENVIRONMENTS = ROOT / "environments.yaml"
DECLARED_SIMULATOR = "http://127.0.0.1:8710"  # where that file says that services without a host to ask are


async def run_scenarios(names: list[str], *, data_dir: Path, json_output: bool, console: Console) -> int:
    """Run these scenarios on a fresh stack below `data_dir`; 0 when all promises were kept, else 1.

    `console` is told the progress; what was promised and seen goes to standard output. Raises CommandFailed
    for a name that is not in the catalogue, or when no stack can run.
    """
    if unknown := [name for name in names if name not in CATALOGUE]:
        raise CommandFailed(f"no scenario {unknown[0]!r}; see `vtid simulate list`", Exit.NOT_FOUND)
    report = Report(console, json_output=json_output)
    began = monotonic()
    with explained():
        async with scenario_stack(data_dir, report.progress) as stack:
            chosen = [CATALOGUE[name] for name in names]
            results = await _unless_broken(stack, perform(stack, chosen, report.finished))
    report.all_finished(results, monotonic() - began)
    return Exit.OK if all(result.agree for result in results) else Exit.FAILED


def scenario_stack(data_dir: Path, say: Callable[[str], None]) -> Stack:
    """A simulated stack on a ledger without a past: old runs would be busy workers to new ones.

    It takes nothing from the caller's configuration that could lead it to a real ledger or environment.
    """
    own = (data_dir / "scenarios").absolute()
    own.mkdir(parents=True, exist_ok=True)
    with lock(own):
        for file in (file for name in ("ledger.db", "temporal.db") for file in own.glob(f"{name}*")):
            file.unlink()
    simulator = free_ports(1)[0]
    declared = ENVIRONMENTS.read_text(encoding="utf-8")
    here = declared.replace(DECLARED_SIMULATOR, f"http://{LOOPBACK}:{simulator}")
    environments_of(own).write_text(here, encoding="utf-8")
    env = {
        "VTID_ENVIRONMENTS": str(environments_of(own)),
        "VTID_GITHUB_TOKEN": GITHUB_TOKEN,
        "VTID_DATABASE_URL": f"sqlite+aiosqlite:///{own / 'ledger.db'}",
    }
    return Stack(own, simulate=True, port=0, simulator_port=simulator, env=env, say=say)


def environments_of(data_dir: Path) -> Path:
    """The declared environments of a scenario stack: the shipped ones, with its own simulator's address."""
    return data_dir / "environments.yaml"


async def perform(
    stack: Stack,
    scenarios: Sequence[Scenario],
    finished: Callable[[Result], None] = lambda _: None,
    *,
    at_once: int = AT_ONCE,
) -> list[Result]:
    """Run them, several at a time, then one by one those that need the stack to themselves."""
    environments = load_environments(environments_of(stack.data_dir))
    gate = asyncio.Semaphore(at_once)

    async def one(scenario: Scenario) -> Result:
        async with gate:
            result = await play(stack, environments[scenario.environment], scenario)
            finished(result)
            return result

    together = [scenario for scenario in scenarios if not scenario.alone]
    results = await asyncio.gather(*(one(scenario) for scenario in together))
    for scenario in scenarios:
        if scenario.alone:
            results.append(await one(scenario))
    return results


async def _unless_broken(stack: Stack, work: Coroutine[Any, Any, list[Result]]) -> list[Result]:
    """What the work gives. Raises StackError as soon as a process of the stack cannot be kept running."""
    working, broken = asyncio.ensure_future(work), asyncio.ensure_future(stack.broken())
    try:
        await asyncio.wait((working, broken), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            await broken
        return await working
    finally:
        for task in (working, broken):
            task.cancel()
        await asyncio.gather(working, broken, return_exceptions=True)


async def play(stack: Stack, environment: Environment, scenario: Scenario) -> Result:
    """Run one scenario to its end and hold its promise against what is seen then."""
    began = monotonic()
    problem: str | None = None
    seen = Seen()
    try:
        async with Drill(stack, environment, scenario.name) as drill:
            try:
                await scenario.course(drill)
            except (NotSeen, CommandFailed) as error:
                problem = str(error)
            seen = await drill.look()
    except (NotSeen, httpx.HTTPError) as error:  # the world or the API is gone
        problem = problem or f"{type(error).__name__}: {error}"
    return compare(scenario, seen, problem, monotonic() - began)
