"""The worker's life: claim, do as the behaviour says, claim again."""

import argparse
import asyncio
import contextlib
import random
import signal
import threading

from vtid.simulator.worker.api import Forge, ForgeFailed, OutOfReach, Refused, WorkOrders
from vtid.simulator.worker.behaviours import BEHAVIOURS, NEVER, USUAL_WORK_S, WORK_S
from vtid.simulator.worker.job import Job, Stopped
from vtid.simulator.worker.say import say

CLAIM_WAIT_S = 10
REFUSED_PAUSE_S = 1.0
RELEASE_WITHIN_S = 2.0
SIGNALS = (signal.SIGTERM, signal.SIGINT)
NO_SUCH_BEHAVIOUR, NOT_SIGNED_IN = 2, 8


class Worker:
    def __init__(self, chosen: argparse.Namespace, worker_id: str, seed: str | int | None) -> None:
        self._chosen = chosen
        self._worker_id = worker_id
        self._chance = random.Random(seed)
        self._api = WorkOrders(chosen.api, chosen.token, self._chance)
        self._forge = Forge(chosen.simulator)
        self._job: Job | None = None

    async def live(self) -> int:
        say("started", worker_id=self._worker_id, behaviour=self._chosen.behaviour)
        try:
            return await self._take_orders()
        except asyncio.CancelledError:
            await self._say_goodbye()
            return 0
        finally:
            await self._api.close()
            await self._forge.close()

    async def _take_orders(self) -> int:
        while True:
            try:
                order = await self._api.claim(self._worker_id, CLAIM_WAIT_S, self._chosen.vtid)
            except Refused as refused:
                say("refused", call="claim", status=refused.status, body=refused.body)
                if refused.status == 401:
                    return NOT_SIGNED_IN
                await asyncio.sleep(max(refused.retry_after, REFUSED_PAUSE_S))
                continue
            if order is None:
                continue
            say(
                "claimed",
                worker_id=self._worker_id,
                vtid=order.vtid,
                order_id=order.order_id,
                run_id=order.run_id,
                attempt=order.attempt,
            )
            work_s = self._chosen.work_seconds
            if work_s is None:
                work_s = WORK_S.get(self._chosen.behaviour, USUAL_WORK_S)
            self._job = Job(order, self._api, self._forge, work_s, self._chance)
            await self._do(self._job)
            self._job = None
            if self._chosen.once:
                return 0

    async def _do(self, job: Job) -> None:
        vtid = job.order.vtid
        try:
            await BEHAVIOURS[self._chosen.behaviour](job)
        except Stopped as told:
            say("told-to-stop", vtid=vtid, reason=str(told))
            await self._release(job, str(told))
        except Refused as refused:
            event = "lease-lost" if refused.code == "LEASE_LOST" else "refused"
            say(event, vtid=vtid, call=refused.call, status=refused.status, body=refused.body)
        except OutOfReach as gone:
            say("out-of-reach", vtid=vtid, reason=str(gone))
        except ForgeFailed as failed:
            say("forge-failed", vtid=vtid, reason=str(failed))
            with contextlib.suppress(Refused, OutOfReach):
                await job.fail(str(failed))

    async def _release(self, job: Job, reason: str) -> None:
        try:
            await job.release(reason)
        except Refused as refused:
            say("refused", vtid=job.order.vtid, call="release", status=refused.status, body=refused.body)
        except OutOfReach as gone:
            say("out-of-reach", vtid=job.order.vtid, reason=str(gone))

    async def _say_goodbye(self) -> None:
        if self._job is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RELEASE_WITHIN_S):
                    await self._release(self._job, "the worker was told to end")
        say("ended", worker_id=self._worker_id)


def run(chosen: argparse.Namespace) -> int:
    if chosen.behaviour == NEVER:
        say("never", worker_id=chosen.worker_id)
        return 0
    if chosen.behaviour not in BEHAVIOURS:
        say("unknown-behaviour", behaviour=chosen.behaviour, known=[*BEHAVIOURS, NEVER])
        return NO_SUCH_BEHAVIOUR
    return asyncio.run(until_signal(workers(chosen)))


def workers(chosen: argparse.Namespace) -> list[Worker]:
    """One worker of this name, or several that share a process and its death; each with luck of its own."""
    if chosen.workers == 1:
        return [Worker(chosen, chosen.worker_id, chosen.seed)]
    names = [f"{chosen.worker_id}-{number}" for number in range(1, chosen.workers + 1)]
    return [
        Worker(chosen, name, f"{chosen.seed}/{name}" if chosen.seed is not None else None) for name in names
    ]


async def until_signal(team: list[Worker]) -> int:
    """Until all of them have ended; the worst of their exit codes."""
    lives = [asyncio.create_task(worker.live()) for worker in team]

    def end() -> None:
        for life in lives:
            life.cancel()  # each says its own goodbye

    loop = asyncio.get_running_loop()
    for number in SIGNALS if threading.current_thread() is threading.main_thread() else ():
        loop.add_signal_handler(number, end)
    return max(await asyncio.gather(*lives))
