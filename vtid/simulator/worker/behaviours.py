"""Every way in which a worker has been seen to work, or not to."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import NoReturn

from vtid.simulator.worker.api import Pull
from vtid.simulator.worker.job import Job
from vtid.simulator.worker.say import say

Behaviour = Callable[[Job], Awaitable[None]]


async def honest(job: Job) -> None:
    async with job.beating():
        await job.work()
        pull = await job.open_pull()
        await job.hand_in(pull)


def die(job: Job) -> NoReturn:
    say("died", vtid=job.order.vtid)
    # No exception, no release, no goodbye: what the out-of-memory killer leaves behind.
    os._exit(1)


async def dies(job: Job) -> None:
    await job.beat("reading the spec")
    die(job)


async def half_done(job: Job) -> None:
    await job.beat("reading the spec")
    await job.open_pull()
    die(job)


async def zombie(job: Job) -> None:
    """Silent until the lease is surely lost, and then it has a result after all."""
    await asyncio.sleep(job.order.seconds("lost", 90) * SURELY_LOST)
    say("woke", vtid=job.order.vtid)
    await job.hand_in(await job.open_pull())


async def hung(job: Job) -> None:
    async with job.beating():
        await job.work()
        await job.open_pull()
        await forever()


async def beats_only(job: Job) -> None:
    async with job.beating():
        await job.beat()
        await forever()


async def fails(job: Job) -> None:
    await job.beat("reading the spec")
    await job.fail("the simulated worker could not do it")


async def lies(job: Job) -> None:
    """A pull request that nobody ever opened."""
    async with job.beating():
        await job.work()
        url = f"{job.forge.origin}/{job.order.repository}/pull/999999"
        await job.hand_in(Pull(999999, url, "d" * 40, job.order.branch))


async def empty_diff(job: Job) -> None:
    async with job.beating():
        await job.work()
        await job.hand_in(await job.open_pull(files=[]), files=[])


async def wrong_vtid(job: Job) -> None:
    other = "VTID-99999"
    async with job.beating():
        await job.work()
        pull = await job.open_pull(
            title=f"{other}: simulated change",
            body=f"This is {other}.",
            head=f"claude/{other.lower()}-{job.order.run_id[-6:]}",
        )
        await job.hand_in(pull)


async def denied_path(job: Job) -> None:
    files = [*job.files(), {"path": "secrets/prod.env", "content": "MODE=production\n"}]
    async with job.beating():
        await job.work()
        await job.hand_in(await job.open_pull(files=files), files=[it["path"] for it in files])


async def from_fork(job: Job) -> None:
    async with job.beating():
        await job.work()
        await job.hand_in(await job.open_pull(fork=True))


async def draft(job: Job) -> None:
    async with job.beating():
        await job.work()
        await job.hand_in(await job.open_pull(draft=True))


async def careless(job: Job) -> None:
    """Builds what cannot pass; mends it when it is asked to."""
    slip = "" if job.order.kind == "repair" else f"  # {SLIP}"
    files = [{**it, "content": it["content"].rstrip() + f"{slip}\n"} for it in job.files()]
    async with job.beating():
        await job.work()
        await job.hand_in(await job.open_pull(files=files))


async def moves_head(job: Job) -> None:
    """One more commit after the checks have spoken: the verdict must not be carried over to it."""
    async with job.beating():
        await job.work()
        pull = await job.open_pull()
        await job.hand_in(pull)
    await job.forge.await_checks(job.order.repository, pull.head_sha)
    sha = await job.forge.push(job.order.repository, pull.number, job.files())
    say("head-moved", vtid=job.order.vtid, number=pull.number, head_sha=sha)


async def silent(job: Job) -> None:
    """Takes the order and is not heard of again; its process lives and takes another one later."""
    await asyncio.sleep(job.order.seconds("lost", 90) * SURELY_LOST)


async def forgets(job: Job) -> None:
    """Opens its pull request, and forgets to say so."""
    await job.beat("reading the spec")
    await job.open_pull()
    await silent(job)


async def says_twice(job: Job) -> None:
    """Honest, and each of its calls arrives twice at once."""
    async with job.beating():
        await job.work()
        pull = await job.open_pull()
        await asyncio.gather(job.beat("done"), job.beat("done"))
        await asyncio.gather(job.hand_in(pull), job.hand_in(pull))


async def moody(job: Job) -> None:
    """Another behaviour for each order, by the luck of its seed."""
    mood = job.luck(MOODS)
    say("mood", vtid=job.order.vtid, order_id=job.order.order_id, behaviour=mood)
    await BEHAVIOURS[mood](job)


async def forever() -> None:
    await asyncio.Event().wait()


BEHAVIOURS: dict[str, Behaviour] = {
    "honest": honest,
    "slow": honest,
    "dies": dies,
    "half-done": half_done,
    "zombie": zombie,
    "hung": hung,
    "beats-only": beats_only,
    "fails": fails,
    "lies": lies,
    "empty-diff": empty_diff,
    "wrong-vtid": wrong_vtid,
    "denied-path": denied_path,
    "from-fork": from_fork,
    "draft": draft,
    "careless": careless,
    "silent": silent,
    "forgets": forgets,
    "says-twice": says_twice,
    "moody": moody,
    "moves-head": moves_head,
}
MOODS = {
    "honest": 55,
    "says-twice": 12,
    "silent": 8,
    "zombie": 8,
    "beats-only": 5,
    "forgets": 5,
    "fails": 4,
    "lies": 3,
}
"""How often of a hundred; none of them ends the process, which others may share."""
SURELY_LOST = 1.5
"""Times the silence that loses a lease."""
SLIP = "FIXME"  # what a check can be told to fail on
NEVER = "never"
"""Does not even claim."""
WORK_S = {"slow": 5.0}
USUAL_WORK_S = 0.4
