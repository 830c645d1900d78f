"""One order in the hands of the worker: its lease, its heart, and the steps that behaviours are made of."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any

from vtid.simulator.worker.api import Forge, Order, OutOfReach, Pull, Refused, WorkOrders
from vtid.simulator.worker.say import say

STEPS = ("reading the spec", "writing the code", "running the tests", "opening the pull request")


class Stopped(Exception):
    """The API told the worker to stop."""


class Job:
    def __init__(
        self, order: Order, api: WorkOrders, forge: Forge, work_s: float, chance: random.Random
    ) -> None:
        self.order = order
        self.forge = forge
        self.work_s = work_s
        self._api = api
        self._chance = chance
        self._marker = 0
        self._ended_by: Exception | None = None
        self._handing_in = False

    def luck(self, weights: dict[str, int]) -> str:
        """One of these, as often as it weighs."""
        return self._chance.choices(list(weights), list(weights.values()))[0]

    @property
    def beat_s(self) -> float:
        return self.order.seconds("heartbeat", 30)

    async def beat(self, step: str | None = None) -> None:
        """A sign of life; with a step, of progress too."""
        facts: dict[str, Any] = {}
        if step is not None:
            self._marker += 1
            facts = {"progress": {"step": step, "marker": self._marker}}
        told = await self._api.tell(self.order, "heartbeat", **facts)
        say("heartbeat", vtid=self.order.vtid, action=told.get("action"), **facts)
        if told.get("action") == "stop":
            raise Stopped(str(told.get("reason") or "told to stop"))

    @contextlib.asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """The heart beats beside the work; what the heart learns ends the work."""
        work = asyncio.current_task()

        async def heart() -> None:
            try:
                while True:
                    await asyncio.sleep(self.beat_s)
                    await self.beat()
            except (Stopped, Refused, OutOfReach) as told:
                if self._handing_in:
                    # Accepted evidence closes the lease, perhaps before its answer has reached us.
                    return
                self._ended_by = told
                if work is not None:
                    work.cancel()

        beats = asyncio.create_task(heart())
        try:
            yield
        except asyncio.CancelledError:
            if self._ended_by is None or work is None:
                raise
            work.uncancel()
            raise self._ended_by from None
        finally:
            beats.cancel()

    async def work(self) -> None:
        """All steps, with progress told between them, so that even long work is seen to move."""
        pause_s = self.work_s / len(STEPS)
        # Progress at least as often as the heart beats: a slow worker is not a stuck one.
        rounds = max(1, int(pause_s / max(self.beat_s, 0.01)))
        for step in STEPS:
            for _ in range(rounds):
                await self.beat(step)
                await asyncio.sleep(pause_s / rounds)

    async def open_pull(self, **changes: Any) -> Pull:
        pull = await self.forge.open_pull({**self.wish(), **changes})
        say(
            "pull-opened", vtid=self.order.vtid, number=pull.number, url=pull.html_url, head_sha=pull.head_sha
        )
        return pull

    def wish(self) -> dict[str, Any]:
        order = self.order
        body = "\n".join([f"{order.vtid}, attempt {order.attempt}.", *order.required_markers])
        return {
            "repository": order.repository,
            "head": order.branch,
            "base": order.base,
            "title": f"{order.vtid}: simulated change",
            "body": body,
            "files": self.files(),
        }

    def files(self) -> list[dict[str, str]]:
        order = self.order
        name = order.repository.split("/")[1]
        paths = order.files_hint or [f"services/{name}/{order.vtid.lower().replace('-', '_')}.py"]
        # Different each time: the same content again would be an empty change.
        line = f"ANSWER = {self._chance.randrange(10**9)}  # {order.vtid}, attempt {order.attempt}\n"
        return [{"path": path, "content": line} for path in paths]

    async def hand_in(self, pull: Pull, files: list[str] | None = None) -> None:
        self._handing_in = True
        told = await self._api.tell(
            self.order,
            "evidence",
            pr_url=pull.html_url,
            head_sha=pull.head_sha,
            branch=pull.branch,
            files=[it["path"] for it in self.files()] if files is None else files,
            summary=f"{self.order.vtid}: done, says the worker.",
        )
        say(
            "evidence-accepted", vtid=self.order.vtid, pr_url=pull.html_url, head_sha=pull.head_sha, body=told
        )

    async def fail(self, message: str) -> None:
        told = await self._api.tell(self.order, "fail", message=message, retryable=True)
        say("failed", vtid=self.order.vtid, message=message, body=told)

    async def release(self, reason: str) -> None:
        told = await self._api.tell(self.order, "release", reason=reason)
        say("released", vtid=self.order.vtid, reason=reason, body=told)
