"""Many workers against many orders: they die, hang, lie, repeat themselves and answer late, and the API restarts.

`python -m tests.e2e.worker_storm --orders 200 --workers 50 [--seed N]` prints the figures; the seed decides what
each worker does and whom the storm strikes when. Every order must be accepted exactly once, every lost attempt
must be an event, and no order may wait longer than its limits allow.
"""

import argparse
import asyncio
import random
import secrets
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import yaml

from vtid.cli.client import CALL_SECONDS, headers
from vtid.cli.console import print_json, tell
from vtid.cli.scenarios.hired import Hired
from vtid.cli.scenarios.runner import ENVIRONMENT, ENVIRONMENTS
from vtid.cli.session import Session
from vtid.cli.stack import Stack
from vtid.domain.limits import MORE_WINDOWS

Json = dict[str, Any]

IN_ONE_PROCESS = 5  # workers that die together, as those of one machine do
PAUSES_SECONDS = (3.0, 9.0)  # between two strikes
API_EVERY = 4  # of so many strikes, one takes the API
LOOK_EVERY_SECONDS = 1.0
AT_ONCE = 20  # starts under way
SPEC = (
    "# A storm\n\n## Goal\n\nA drill.\n\n## Scope\n\nservices/\n\n## Acceptance Criteria\n\n- accepted once\n"
)

WINDOW_SECONDS = 3  # of an offer until its alarm
CAP_SECONDS = 20  # of an attempt
LOOK_SECONDS = 60  # on GitHub, before an attempt without progress is given up
# The limits of the drill, 1 to 3 s, but with plenty of attempts: the storm takes several of each order.
LIMITS: Json = {
    "attempts": 50,
    "pickup": {"one_try": f"{WINDOW_SECONDS}s", "tries": 50, "back_off": ["1s"]},
    "busy_workers": {"one_try": "3s"},
    "hold_lease": {"one_try": f"{CAP_SECONDS}s", "budget": f"{CAP_SECONDS}s", "tries": 1, "heartbeat": "3s"},
    "progress": "3s",
    "find_evidence": {"one_try": "5s", "budget": f"{LOOK_SECONDS}s", "tries": 1, "back_off": ["1s"]},
}
STEPS = ("find_merged_change", "gather_facts", "await_checks", "merge_pull_request", "prove_deployment")

# The longest that the limits allow. A window that ended late was not a fair one and is granted again; and a
# machine that is busy with everything else adds its own.
GRACE_SECONDS = 30.0
LONGEST_SILENT_OFFER = (1 + MORE_WINDOWS) * WINDOW_SECONDS + GRACE_SECONDS
LONGEST_ATTEMPT = CAP_SECONDS + LOOK_SECONDS + GRACE_SECONDS


@dataclass(frozen=True)
class Figures:
    """What a storm did, and what was left after it. `wrong` is empty when everything held."""

    seed: int
    orders: int
    workers: int
    seconds: float
    deaths: int  # processes of workers that were killed, each with all of its workers
    api_restarts: int
    completed: int
    attempts: int
    lost: dict[str, int]  # how attempts ended that brought nothing, by code
    late_claims: int
    found: int  # evidence that nobody had handed in
    contradictions: int
    longest_offer_seconds: float
    longest_attempt_seconds: float
    wrong: tuple[str, ...]


class Storm:
    """One stack, its orders, and the workers that come and go."""

    def __init__(self, stack: Stack, api: httpx.AsyncClient, chance: random.Random, workers: int) -> None:
        self._stack = stack
        self._api = api
        self._chance = chance
        self._machines = max(1, workers // IN_ONE_PROCESS)
        self._in_each = workers // self._machines
        self._hired: list[Hired] = []
        self._came = 0
        self.said: list[Json] = []
        self.deaths = self.api_restarts = 0

    async def ask(self, method: str, path: str, body: Json | None = None) -> Any:
        """A call that is made until it is answered: the API restarts under it."""
        while True:
            try:
                answer = await self._api.request(method, f"/api/v1{path}", json=body)
                if answer.status_code < 500:
                    return answer.raise_for_status().json()
            except httpx.TransportError:
                pass
            await asyncio.sleep(LOOK_EVERY_SECONDS / 2)

    # --- orders

    async def start_all(self, orders: int) -> list[str]:
        """So many runs under way, each for a repository of its own; gives their VTIDs."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def start(number: int) -> str:
            async with gate:
                repository = f"acme/drill-storm-{number}"
                await self._world("POST", "/_sim/repos", {"full_name": repository})
                wish = {"title": f"Storm {number}", "environment": ENVIRONMENT, "repository": repository}
                task = await self.ask("POST", "/tasks", wish | {"spec": SPEC})
                vtid = str(task["vtid"])
                await self.ask("POST", f"/tasks/{vtid}/spec/approve", {"hash": task["spec"]["hash"]})
                await self.ask("POST", "/runs", {"vtid": vtid})
                return vtid

        return await asyncio.gather(*(start(number) for number in range(orders)))

    async def calm(self) -> None:
        """The world's own pace: checks take a moment."""
        await self._world("PUT", "/_sim/behaviour", {"checks": {"after_s": 0.3}})

    async def _world(self, method: str, path: str, body: Json) -> None:
        async with httpx.AsyncClient(base_url=self._stack.simulator, timeout=10) as world:
            (await world.request(method, path, json=body)).raise_for_status()

    # --- workers

    async def come(self) -> None:
        """One more process of workers."""
        self._came += 1
        options = ("--behaviour", "moody", "--work-seconds", "0.5", "--workers", str(self._in_each))
        seed = ("--seed", str(self._chance.randrange(10**6)))
        self._hired.append(
            await Hired.start(self._stack, f"storm-{self._came}", *options, *seed, news=lambda: None)
        )

    async def all_come(self) -> None:
        for _ in range(self._machines):
            await self.come()

    async def all_go(self) -> None:
        await asyncio.gather(*(hired.dismiss() for hired in self._hired))
        for hired in self._hired:
            self.said += hired.said
        self._hired.clear()

    async def strike(self, pauses: tuple[float, float]) -> None:
        """Kill with -9 at random moments until cancelled; who dies is followed by somebody new."""
        nth = 0
        while True:
            await asyncio.sleep(self._chance.uniform(*pauses))
            nth += 1
            if nth % API_EVERY == 0:
                self._stack.kill("api")
                self.api_restarts += 1
                await self._stack.wait_serving("api")
                continue
            victim = self._hired.pop(self._chance.randrange(len(self._hired)))
            await victim.kill()
            self.said += victim.said
            self.deaths += 1
            await self.come()

    # --- the end

    async def until_over(self, orders: int, seconds: float) -> None:
        """Until every run has ended or blocked. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                open_runs = 0
                for status in ("scheduled", "in_progress", "validating"):
                    open_runs += len((await self.ask("GET", f"/runs?status={status}&limit=200"))["items"])
                if not open_runs:
                    return
                await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def events_of(self, vtid: str) -> list[Json]:
        events: list[Json] = []
        after: str | None = "0"
        while after is not None:
            page = await self.ask("GET", f"/events?vtid={vtid}&after={after}&limit=500")
            events += page["items"]
            after = page["next_cursor"]
        return events


@dataclass(frozen=True)
class Course:
    """What became of one order, by its events."""

    vtid: str
    events: Sequence[Json]

    def of(self, kind: str) -> list[Json]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def status(self) -> str:
        ended = self.of("run.finished")
        return str(ended[-1]["data"]["status"]) if ended else "open"

    @property
    def failure(self) -> str:
        """The last one that blocked it, in a word."""
        blocked = self.of("run.blocked")
        return str(blocked[-1]["data"]["failure"]["message"])[:200] if blocked else "none"

    def offers(self) -> list[tuple[float, bool]]:
        """(how long it lay ready, whether an alarm rang) of each offer."""
        found = []
        for offer in self.of("work_order.offered"):
            order = offer["data"]["order_id"]
            ends = [
                event
                for event in self.events
                if event["type"] in ("work_order.claimed", "work_order.withdrawn")
                and event["data"]["order_id"] == order
            ]
            alarm = any(each["data"]["order_id"] == order for each in self.of("work_order.unclaimed"))
            found.append((_between(offer, ends[0]) if ends else float("inf"), alarm))
        return found

    def attempts(self) -> list[float]:
        """How long each attempt took, until it was lost, its evidence was handed in or was found."""
        found = []
        for claim in self.of("work_order.claimed"):
            ends = [
                event
                for event in self.events
                if event["seq"] is not None
                and event["seq"] > claim["seq"]
                and event["type"] in ("attempt.ended", "evidence.claimed", "evidence.observed")
            ]
            found.append(_between(claim, ends[0]) if ends else float("inf"))
        return found

    def wrong(self) -> list[str]:
        """Every promise that was not kept."""
        claimed, ended = self.of("work_order.claimed"), self.of("attempt.ended")
        observed = self.of("evidence.observed")
        numbers = [event["data"]["attempt"] for event in claimed]
        own = [event["seq"] for event in self.events if event["seq"] is not None]
        # The last attempt brought the evidence, or the evidence of a lost one was found.
        brought = (
            0 if observed and observed[-1]["data"]["source"] == "found" and len(ended) == len(claimed) else 1
        )
        holds = {
            f"ended {self.status}: {self.failure}": self.status == "completed",
            f"{len(observed)} pieces of evidence were taken": len(observed) == 1,
            f"{len(self.of('change.merged'))} merges": len(self.of("change.merged")) == 1,
            f"attempts {numbers}": numbers == list(range(1, len(numbers) + 1)),
            f"{len(claimed)} attempts, {len(ended)} told as lost": len(claimed) == len(ended) + brought,
            "its events are not whole": own == list(range(1, len(own) + 1)),
            "an offer lay longer than its window without an alarm": all(
                alarm or seconds <= LONGEST_SILENT_OFFER for seconds, alarm in self.offers()
            ),
            "an attempt took longer than its cap": all(
                seconds <= LONGEST_ATTEMPT for seconds in self.attempts()
            ),
        }
        return [f"{self.vtid}: {problem}" for problem, held in holds.items() if not held]


def claimed_by_two(said: Sequence[Json]) -> list[str]:
    """Orders that two workers were told they had won."""
    winners: dict[str, set[str]] = {}
    for line in said:
        if line["event"] == "claimed":
            winners.setdefault(line["order_id"], set()).add(line["worker_id"])
    return [f"{order} was given to {sorted(who)}" for order, who in winners.items() if len(who) > 1]


def _between(one: Json, other: Json) -> float:
    return (datetime.fromisoformat(other["at"]) - datetime.fromisoformat(one["at"])).total_seconds()


async def storm(
    data_dir: Path,
    *,
    orders: int,
    workers: int,
    seed: int,
    seconds: float,
    pauses: tuple[float, float] = PAUSES_SECONDS,
) -> Figures:
    """Let the storm pass over a fresh stack in `data_dir`, and count. `seconds`: the longest that it may last."""
    chance = random.Random(seed)
    async with AsyncExitStack() as exits:
        env = {"VTID_ENVIRONMENTS": str(_environments(data_dir))}
        stack = await exits.enter_async_context(Stack(data_dir, simulate=True, port=0, env=env, say=tell))
        session = Session(stack.api, stack.token, stack.data_dir, True)
        client = httpx.AsyncClient(base_url=stack.api, headers=headers(session), timeout=CALL_SECONDS)
        weather = Storm(stack, await exits.enter_async_context(client), chance, workers)
        exits.push_async_callback(weather.all_go)
        await weather.calm()
        began = monotonic()
        vtids, _ = await asyncio.gather(weather.start_all(orders), weather.all_come())
        striking = asyncio.create_task(weather.strike(pauses))
        try:
            await weather.until_over(orders, seconds)
            late = None
        except TimeoutError:
            late = f"not over after {seconds:.0f} s"
        striking.cancel()
        lasted = monotonic() - began
        await asyncio.gather(striking, return_exceptions=True)
        courses = [Course(vtid, await weather.events_of(vtid)) for vtid in vtids]
        await weather.all_go()
    wrong = [*filter(None, [late]), *claimed_by_two(weather.said)]
    for course in courses:
        wrong += course.wrong()
    return Figures(
        seed=seed,
        orders=orders,
        workers=workers,
        seconds=round(lasted, 1),
        deaths=weather.deaths,
        api_restarts=weather.api_restarts,
        completed=sum(course.status == "completed" for course in courses),
        attempts=sum(len(course.of("work_order.claimed")) for course in courses),
        lost=dict(Counter(e["data"]["code"] for course in courses for e in course.of("attempt.ended"))),
        late_claims=sum(len(course.of("claim.late")) for course in courses),
        found=sum(e["data"]["source"] == "found" for c in courses for e in c.of("evidence.observed")),
        contradictions=sum(len(course.of("evidence.contradicted")) for course in courses),
        longest_offer_seconds=round(max((s for c in courses for s, _ in c.offers()), default=0), 1),
        longest_attempt_seconds=round(max((s for c in courses for s in c.attempts()), default=0), 1),
        wrong=tuple(wrong),
    )


def _environments(data_dir: Path) -> Path:
    """The shipped drill with the storm's limits; its service is touched by no order, so nothing is deployed."""
    drill = yaml.safe_load(ENVIRONMENTS.read_text(encoding="utf-8"))[ENVIRONMENT]
    drill["services"]["drill"]["paths"] = ["never/**"]
    drill["limits"] |= LIMITS
    for step in STEPS:
        drill["limits"][step] |= {"budget": "180s"}
    file = data_dir / "environments.yaml"
    file.write_text(yaml.safe_dump({ENVIRONMENT: drill}), encoding="utf-8")
    return file


def main() -> int:
    """Let one storm pass; 0 when everything held."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--workers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=600, help="the longest that it may last")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    chosen = parser.parse_args()
    tell(f"seed {chosen.seed}")
    with tempfile.TemporaryDirectory() as directory:
        figures = asyncio.run(
            storm(
                Path(directory),
                orders=chosen.orders,
                workers=chosen.workers,
                seed=chosen.seed,
                seconds=chosen.seconds,
            )
        )
    print_json(asdict(figures))
    return 1 if figures.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
