"""The hands of a scenario: its task, its workers, its corner of the simulated world, and its eyes on the run."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import httpx

from vtid.cli.client import CALL_SECONDS, headers
from vtid.cli.scenarios.calls import Json, NotSeen, accepted
from vtid.cli.scenarios.hired import Hired
from vtid.cli.scenarios.seen import Seen
from vtid.cli.scenarios.world import World
from vtid.cli.seed import seed
from vtid.cli.session import Session
from vtid.cli.stack import Stack
from vtid.cli.stream import Happened, follow
from vtid.domain.environment import Environment

AWAITED_SECONDS = 60.0  # the longest that any state of a run with limits of a few seconds is waited for

# A world that is quick, so that thirty scenarios take minutes; a scenario says only what it changes.
QUICK: Json = {"checks": {"after_s": 0.5}, "deploy": {"after_s": 0.8}, "reconcile_s": 0.3}


class Drill:
    """One scenario on a running stack, with a repository and a service of its own.

    async with Drill(stack, environment, "worker-lies-no-pr") as drill:
        await drill.hire("liar", "lies")
        await drill.start()
        await drill.until_decided()
        seen = await drill.look()
    """

    def __init__(self, stack: Stack, environment: Environment, name: str) -> None:
        self.stack = stack
        self.name = name
        self.vtid = ""
        self.world: World
        self.run: Json | None = None  # as the stream showed it last
        self.events: list[Json] = []
        self.notes: dict[str, Any] = {}
        self._environment = replace(environment, repository=environment.repository.replace("*", name))
        self._session = Session(stack.api, stack.token, stack.data_dir, True)
        self._hired: dict[str, Hired] = {}
        self._news = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        api = httpx.AsyncClient(base_url=self.stack.api, headers=headers(self._session), timeout=CALL_SECONDS)
        somebody = {"Authorization": "Bearer somebody-else"}
        github = httpx.AsyncClient(base_url=self.stack.simulator, timeout=10, headers=somebody)
        self._api = await self._exits.enter_async_context(api)
        self.world = World(await self._exits.enter_async_context(github), self._environment.repository)
        await seed(self.stack.simulator, self._environment)
        await self.world.behave(QUICK)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._following is not None:
            self._following.cancel()
        await asyncio.gather(*(hired.dismiss() for hired in self._hired.values()))
        await self._exits.aclose()

    # --- the task and its run, through the public API

    async def create(self, **more: Any) -> None:
        """A task with its approved spec; from now on everything that happens to it is followed."""
        self.vtid = await self.another_task(**more)
        self._following = asyncio.create_task(self._follow(), name=f"{self.name} follows")

    async def another_task(self, **more: Any) -> str:
        """A task with its approved spec, which is not followed; gives its VTID."""
        wish = {
            "title": self.name.replace("-", " ").capitalize(),
            "environment": self._environment.name,
            "repository": self._environment.repository,
            "spec": self._spec,
            **more,
        }
        task = await self.call("POST", "/api/v1/tasks", wish)
        vtid = str(task["vtid"])
        await self.call("POST", f"/api/v1/tasks/{vtid}/spec/approve", {"hash": task["spec"]["hash"]})
        return vtid

    @property
    def _spec(self) -> str:
        scope = f"services/{self.world.service}"
        return f"# {self.name}\n\n## Goal\n\nA drill.\n\n## Scope\n\n{scope}\n\n## Acceptance Criteria\n\n- it is told what happened\n"

    async def edit_spec(self, *, approve: bool = False) -> None:
        """Another text than the approved one."""
        address = f"/api/v1/tasks/{self.vtid}/spec"
        task = await self.call("PUT", address, {"markdown": f"{self._spec}- and more\n"})
        if approve:
            await self.call("POST", f"{address}/approve", {"hash": task["spec"]["hash"]})

    async def begin(self) -> Json:
        """Start the run of the task; gives the answer."""
        run: Json = await self.call("POST", "/api/v1/runs", {"vtid": self.vtid})
        return run

    async def start(self) -> None:
        """Create the task and start its run."""
        if not self.vtid:
            await self.create()
        await self.begin()

    async def rescue(self, move: str, **given: str) -> None:
        """Decide about the blocked run."""
        await self.call("POST", f"/api/v1/runs/{self.vtid}/rescue", {"move": move, **given})

    async def cancel(self, reason: str) -> None:
        """Ask the run to end."""
        await self.call("POST", f"/api/v1/runs/{self.vtid}/cancel", {"reason": reason})

    async def ask(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        """A call of the public API whose refusal is part of the scenario."""
        return await self._api.request(method, path, json=body)

    async def call(self, method: str, path: str, body: Json | None = None) -> Any:
        """A call of the public API that must succeed. Raises NotSeen with the refusal otherwise."""
        return accepted(await self.ask(method, path, body))

    async def dead_letters(self) -> list[Json]:
        """The entries of this run, resolved ones too."""
        letters = (await self.call("GET", "/api/v1/dead-letters?state=all&limit=200"))["items"]
        return [letter for letter in letters if letter["vtid"] == self.vtid]

    @property
    def webhook_url(self) -> str:
        """Where GitHub tells what happened."""
        return f"{self.stack.api}/webhooks/github"

    async def deliveries(self) -> list[Json]:
        """The webhooks about this repository that were believed."""
        listed = (await self.call("GET", "/api/v1/webhooks/deliveries?limit=200"))["items"]
        return [each for each in listed if each["repository"] == self.world.repository]

    async def count_workflows(self) -> int:
        """How many workflows of this VTID Temporal knows, open or closed."""
        client = await self._temporal()
        return int((await client.count_workflows(f"WorkflowId = '{self.vtid}'")).count)

    async def history(self) -> str:
        """Everything that Temporal keeps of the run, as text."""
        history = await (await self._temporal()).get_workflow_handle(self.vtid).fetch_history()
        return "\n".join(str(event) for event in history.events)

    async def _temporal(self) -> Any:
        from temporalio.client import Client  # heavy, and only few questions need it

        where = self.stack.addresses
        return await Client.connect(where.temporal, namespace=where.namespace)

    # --- workers

    async def hire(
        self, worker: str, behaviour: str = "honest", *options: str, for_any: bool = False
    ) -> Hired:
        """A worker for this task alone, or for any; gives it once it is about to claim."""
        if not self.vtid:
            await self.create()
        to = (*(() if for_any else ("--vtid", self.vtid)), "--behaviour", behaviour, *options)
        hired = await Hired.start(self.stack, f"{self.name}-{worker}", *to, news=self._news.set)
        self._hired[worker] = hired
        await self.until(lambda: hired.has_said("started"), f"worker {worker} to start")
        return hired

    # --- waiting

    async def until(self, holds: Callable[[], bool], what: str, seconds: float = AWAITED_SECONDS) -> None:
        """Until it holds, asked after each event of the task and each line of a worker. Raises NotSeen."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self._news.clear()
                    if holds():
                        return
                    await self._unless_blind(self._news.wait())
        except TimeoutError as error:
            raise NotSeen(f"waited {seconds:.0f} s for {what}") from error

    async def until_event(self, kind: str, times: int = 1, **data: Any) -> Json:
        """Until the task has so many events of this type with this data; gives the data of the last."""

        def those() -> list[Json]:
            return [e["data"] for e in self.events if e["type"] == kind and data.items() <= e["data"].items()]

        await self.until(lambda: len(those()) >= times, f"event {kind}")
        return those()[-1]

    async def until_decided(self, seconds: float = AWAITED_SECONDS) -> None:
        """Until the run is over or waits for a person, and GitHub was told that it does."""
        await self.until(
            lambda: self.is_over or ((self.run or {}).get("status") == "blocked" and self._is_told),
            "the run to end or to block",
            seconds,
        )

    @property
    def _is_told(self) -> bool:
        """Whether GitHub has heard of the last block; a run without evidence has no place to tell it."""
        kinds = [event["type"] for event in self.events]
        since = kinds[::-1].index("run.blocked")
        spoken = {"report.written", "report.failed"} & set(kinds[len(kinds) - since :])
        return "evidence.observed" not in kinds or bool(spoken)

    def steps(self) -> list[str]:
        """The steps that the run has told to begin, in order."""
        return [event["data"]["step"] for event in self.events if event["type"] == "step.started"]

    @property
    def is_over(self) -> bool:
        """Whether the run has ended."""
        return self.run is not None and bool(self.run["outcome"])

    async def until_over(self) -> None:
        """Until the run is over."""
        await self.until(lambda: self.is_over, "the run to end")

    async def _follow(self) -> None:
        async for told in follow(self._session, self.vtid, after="0"):
            if isinstance(told, Happened):
                self.events.append(told.event)
                self.run = told.run or self.run
                self._news.set()

    async def _unless_blind(self, work: Coroutine[Any, Any, Any]) -> None:
        """Wait for it, but not after the stream of events was refused for good."""
        waiting = asyncio.ensure_future(work)
        watched = [task for task in (self._following,) if task is not None]
        try:
            await asyncio.wait((waiting, *watched), return_when=asyncio.FIRST_COMPLETED)
            for task in watched:
                if task.done():
                    task.result()
        finally:
            waiting.cancel()

    # --- looking back

    async def look(self) -> Seen:
        """Everything that can be seen of the scenario now, read anew."""
        task = await self.call("GET", f"/api/v1/tasks/{self.vtid}") if self.vtid else None
        answer = await self.ask("GET", f"/api/v1/runs/{self.vtid}") if self.vtid else None
        there_is_none = answer is None or answer.status_code == httpx.codes.NOT_FOUND
        return Seen(
            task=task,
            run=None if answer is None or there_is_none else accepted(answer),
            events=await self._all_events(),
            journal=await self.world.journal(),
            said={name: tuple(hired.said) for name, hired in self._hired.items()},
            notes=dict(self.notes),
        )

    async def _all_events(self) -> list[Json]:
        events: list[Json] = []
        after: str | None = "0" if self.vtid else None
        while after is not None:
            page = await self.call("GET", f"/api/v1/events?vtid={self.vtid}&after={after}&limit=500")
            events += page["items"]
            after = page["next_cursor"]
        return events
