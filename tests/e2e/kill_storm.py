"""Many runs at once while worker, API and Temporal are killed with -9 at random moments.

`python -m tests.e2e.kill_storm --runs 20 --kills 20 [--seed N]` prints the figures; the same seed gives the
same kills at the same moments. Every run must end completed, each merged and dispatched exactly once, and
the ledger must hold every event of every run once.
"""

import argparse
import asyncio
import random
import secrets
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import yaml

from vtid.cli.console import print_json, tell
from vtid.cli.scenarios.calls import NotSeen
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.hired import Hired
from vtid.cli.scenarios.runner import ENVIRONMENT, ENVIRONMENTS
from vtid.cli.scenarios.seen import Seen, log_is_whole, offered_once_each
from vtid.cli.stack import Stack
from vtid.configuration.environments import load_environments

VICTIMS = ("worker", "api", "temporal")
PAUSES_SECONDS = (0.5, 6.0)  # between two kills: some before the last victim is back, some with work between
WORKERS = 6
OVER_WITHIN_SECONDS = 240.0

# A storm takes every lease, offer and step of a few seconds several times. How often, and how long in all, a
# thing is tried is meant for an outside that fails, not for a ground that shakes: here it is plenty.
PLENTY: dict[str, Any] = {"attempts": 50, "pickup": {"one_try": "1.5s", "tries": 50, "back_off": ["1s"]}}
PLENTY_OF_TIME = "90s"
STEPS = (
    "find_merged_change",
    "find_evidence",
    "gather_facts",
    "await_checks",
    "merge_pull_request",
    "dispatch_deploy",
    "await_deploy_run",
    "prove_deployment",
)


@dataclass(frozen=True)
class Figures:
    """What a storm did, and what was left after it. `wrong` is empty when everything held."""

    seed: int
    runs: int
    kills: dict[str, int]
    seconds: float
    merged_under_fire: int  # before the last kill
    completed: int
    merges: int
    dispatches: int
    attempts: int
    events: int
    wrong: tuple[str, ...]


async def storm(data_dir: Path, *, runs: int, kills: int, seed: int) -> Figures:
    """Let the storm pass over a fresh stack in `data_dir`, and count."""
    began = monotonic()
    environments = _environments(data_dir)
    chance = random.Random(seed)
    async with AsyncExitStack() as exits:
        stack = Stack(data_dir, simulate=True, port=0, env={"VTID_ENVIRONMENTS": str(environments)}, say=tell)
        await exits.enter_async_context(stack)
        environment = load_environments(environments)[ENVIRONMENT]
        drills = [
            await exits.enter_async_context(Drill(stack, environment, f"storm-{n}")) for n in range(runs)
        ]
        for drill in drills:
            await drill.world.behave({"deploy": {"event": "workflow_dispatch"}})
            await drill.create()
        for n in range(WORKERS):
            worker = await Hired.start(stack, f"storm-worker-{n}", "--work-seconds", "1", news=lambda: None)
            exits.push_async_callback(worker.dismiss)
        await asyncio.gather(*(drill.begin() for drill in drills))
        struck = await _strike(stack, chance, kills)
        under_fire = sum((drill.run or {}).get("merged") is not None for drill in drills)
        for victim in VICTIMS:
            await stack.wait_serving(victim)
        await stack.wait_ready()
        ended = await asyncio.gather(*(_ended(drill) for drill in drills))
        seen = [await drill.look() for drill in drills]
    wrong = [each for each in ended if each] + [problem for each in seen for problem in _wrong(each)]
    return Figures(
        seed=seed,
        runs=runs,
        kills=struck,
        seconds=round(monotonic() - began, 1),
        merged_under_fire=under_fire,
        completed=sum(each.status == "completed" for each in seen),
        merges=sum(each.effects["merge"] for each in seen),
        dispatches=sum(each.effects["dispatch"] for each in seen),
        attempts=sum(each.count("work_order.claimed") for each in seen),
        events=sum(len(each.events) for each in seen),
        wrong=tuple(wrong),
    )


async def _strike(stack: Stack, chance: random.Random, kills: int) -> dict[str, int]:
    victims = [VICTIMS[n % len(VICTIMS)] for n in range(kills)]
    chance.shuffle(victims)  # each has its share, in any order
    for victim in victims:
        await asyncio.sleep(chance.uniform(*PAUSES_SECONDS))
        stack.kill(victim)
    return {victim: victims.count(victim) for victim in VICTIMS}


async def _ended(drill: Drill) -> str | None:
    """Why the run did not end in time, or None."""
    try:
        await drill.until_decided(OVER_WITHIN_SECONDS)
    except NotSeen as error:
        return f"{drill.name}: {error}"
    return None


def _wrong(seen: Seen) -> list[str]:
    vtid = (seen.task or {})["vtid"]
    holds = {
        f"is not completed: {seen.sentence}": seen.status == "completed",
        f"{seen.effects['merge']} merges": seen.effects["merge"] == 1,
        f"{seen.effects['dispatch']} dispatches": seen.effects["dispatch"] == 1,
        "its events are not whole": log_is_whole(seen),
        "an offer was told twice, or never": offered_once_each(seen),
    }
    return [f"{vtid}: {problem}" for problem, held in holds.items() if not held]


def _environments(data_dir: Path) -> Path:
    """The shipped drill, but the deploy workflow is started by us: a second start would be seen."""
    drill = yaml.safe_load(ENVIRONMENTS.read_text(encoding="utf-8"))[ENVIRONMENT]
    drill["deploy"]["event"] = "workflow_dispatch"
    for step in STEPS:
        drill["limits"][step] |= {"budget": PLENTY_OF_TIME, "tries": 100}
    drill["limits"] |= PLENTY
    file = data_dir / "environments.yaml"
    file.write_text(yaml.safe_dump({ENVIRONMENT: drill}), encoding="utf-8")
    return file


def main() -> int:
    """Let one storm pass; 0 when everything held."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    chosen = parser.parse_args()
    tell(f"seed {chosen.seed}")
    with tempfile.TemporaryDirectory() as directory:
        figures = asyncio.run(storm(Path(directory), runs=chosen.runs, kills=chosen.kills, seed=chosen.seed))
    print_json(asdict(figures))
    return 1 if figures.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
