"""One order from claim to end: prepare, run the command, push, open the pull request, hand in. Always tidy."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from vtid.agent.api import Refused, Unreachable, WorkOrders
from vtid.agent.command import Command
from vtid.agent.context import environment, secret_values, typed
from vtid.agent.git import Git, GitFailed
from vtid.agent.github import GitHub, GitHubRefused
from vtid.agent.moved import Movement
from vtid.agent.order import Order, Result
from vtid.agent.places import Places
from vtid.agent.pulse import End, Pulse
from vtid.agent.workspace import Source, Workspace
from vtid.domain.secret_shapes import masked

MAX_TAIL = 3_000  # characters of the command's output that a failure carries
MAX_SUMMARY = 8_000
_GOODBYE_SECONDS = 10.0  # for giving a lease back: it ends by itself, too

Say = Callable[..., None]


@dataclass(frozen=True)
class Tools:
    """What the work is done with. grace_seconds: between SIGTERM and SIGKILL. leash: see `Command.start`."""

    orders: WorkOrders
    github: GitHub
    git: Git
    places: Places
    source: Source
    command: str
    say: Say
    secrets: Sequence[str] = ()
    grace_seconds: float = 10.0
    leash: Sequence[str] = ()
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


class _Failed(Exception):
    """The attempt failed; the text is for the people who read it."""


class Work:
    """The work on one order."""

    def __init__(self, order: Order, tools: Tools) -> None:
        self._order, self._tools = order, tools
        self._workspace = Workspace(order, tools.source, tools.places, tools.git)
        self._moved: Movement | None = None
        self._pulse = Pulse(tools.orders, order, self._progress)

    async def run(self) -> Result:
        """Do it, report how it ended, and leave nothing behind."""
        beating = asyncio.create_task(self._pulse.run(), name=f"heartbeats of {self._order.order_id}")
        try:
            return await self._until_end(self._work(), beating)
        finally:
            await _cancelled(beating)
            await self._tidy()

    async def _progress(self) -> dict[str, Any] | None:
        return await self._moved.since_last() if self._moved else None

    async def _until_end(self, work: Coroutine[Any, Any, Result], beating: asyncio.Task[None]) -> Result:
        """The work's own result, unless something ends it: `stop`, a lost lease, or the end of the agent."""
        doing = asyncio.create_task(work, name=f"work on {self._order.order_id}")
        stops = asyncio.create_task(self._tools.stopping.wait())
        try:
            await asyncio.wait([doing, beating, stops], return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                return doing.result()
            if beating.done():
                beating.result()  # a fault of ours must not leave the work without heartbeats, unseen
            end = self._pulse.end or End(Result.STOPPED, "the agent was stopped")
            await _cancelled(doing)  # ends the command, or the push that is under way
            return await self._give_back(end)
        finally:
            await _cancelled(doing)
            stops.cancel()

    async def _give_back(self, end: End) -> Result:
        self._tools.say(end.result.value, order=self._order, reason=end.reason)
        if end.result is Result.STOPPED:
            await self._told(self._tools.orders.release(self._order, end.reason, _GOODBYE_SECONDS))
        return end.result

    async def _told(self, call: Coroutine[Any, Any, None]) -> None:
        """Say it if anybody listens; a lease that nobody gives back ends by its silence."""
        try:
            await call
        except (Refused, Unreachable) as error:
            self._tools.say("unheard", order=self._order, reason=str(error))

    # ---------------------------------------------------------------- the work

    async def _work(self) -> Result:
        try:
            await self._workspace.prepare()
            await self._run_command()
            await self._hand_in()
        except (_Failed, GitFailed, GitHubRefused, Unreachable, OSError) as error:
            message = self._masked(str(error)) or type(error).__name__
            self._tools.say("failed", order=self._order, reason=message)
            await self._told(self._tools.orders.fail(self._order, message))
            return Result.FAILED
        except Refused as refused:
            self._tools.say("refused", order=self._order, reason=str(refused))
            return Result.LOST if refused.ends_the_lease else Result.FAILED
        return Result.DONE

    async def _run_command(self) -> None:
        command = await Command.start(
            self._tools.command,
            typed=typed(self._order),
            env=environment(self._order, self._workspace),
            cwd=self._workspace.tree,
            log=self._workspace.output,
            leash=self._tools.leash,
        )
        self._tools.say("started", order=self._order, reason=self._tools.command)
        self._moved = Movement(self._workspace, command)
        try:
            code = await command.wait()
        except asyncio.CancelledError:
            await command.stop(self._tools.grace_seconds)
            raise
        if code != 0:
            how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise _Failed(f"the command {how}. The end of its output:\n{command.tail(MAX_TAIL)}")

    async def _hand_in(self) -> None:
        workspace, order = self._workspace, self._order
        await workspace.commit_rest(order.title)
        if not await workspace.is_new():
            raise _Failed("the command ended well and changed nothing")
        await self._still_ours()
        await workspace.push()
        head, files = await workspace.head(), await workspace.changed()
        self._tools.say("pushed", order=order, reason=f"{head[:10]} on {order.branch}")
        summary = self._summary()
        pr_url = order.pr_url if order.mends and order.pr_url else await self._pull_request(summary)
        facts: dict[str, Any] = {
            "pr_url": pr_url,
            "head_sha": head,
            "branch": order.branch,
            "files": files[:5_000],
        }
        await self._tools.orders.evidence(order, **facts, summary=summary)
        self._tools.say("handed_in", order=order, reason=pr_url)

    async def _still_ours(self) -> None:
        """Return once a heartbeat says that the work may go on: nothing is pushed under a lease that is lost."""
        while True:
            heard = await self._pulse.beat()
            if self._pulse.end is not None:
                await asyncio.get_running_loop().create_future()  # what ended it cancels us
            if heard:
                return
            await asyncio.sleep(1)

    async def _pull_request(self, summary: str) -> str:
        order = self._order
        return await self._tools.github.open_pull(
            order.repository,
            head=order.branch,
            base=order.base,
            title=order.title[:200],
            body=f"{summary}\n\n{' '.join(order.markers)} · attempt {order.attempt} · run {order.run_id}".strip(),
        )

    def _summary(self) -> str:
        """What the command says of its work, if it does."""
        try:
            said = self._workspace.summary.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return self._masked(said.strip())[:MAX_SUMMARY]

    def _masked(self, text: str) -> str:
        for value in (*self._tools.secrets, *secret_values(), self._order.lease):
            text = text.replace(value, "[masked]")
        return masked(text).replace("\0", "")[-8_000:]

    async def _tidy(self) -> None:
        try:
            await self._workspace.remove()
        except (GitFailed, OSError) as error:
            self._tools.say("untidy", order=self._order, reason=str(error))


async def _cancelled(task: asyncio.Task[Any]) -> None:
    """End a task and wait for its clean-up."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
