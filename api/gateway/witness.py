"""What GitHub shows of what a worker names, read at receipt and with a deadline."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TypeVar

from api.gateway.named import Named
from vtid.domain.change import PullRequest
from vtid.domain.environment import Environment
from vtid.domain.errors import Unavailable
from vtid.domain.ports import CodeHost

LOOK_SECONDS = 8.0  # of one look; the client waits meanwhile
_THREADS = 4
_SLACK = timedelta(days=1)  # for clocks that differ

Answer = TypeVar("Answer")


class Witness:
    """Asks the code host, which blocks, in threads. Raises OutsideError; Unavailable after the deadline."""

    def __init__(self, code_host: CodeHost, *, seconds: float = LOOK_SECONDS) -> None:
        self._code_host = code_host
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(_THREADS, "witness")

    async def pull_request(self, repository: str, number: int) -> PullRequest | None:
        return await self._ask(lambda: self._code_host.pull_request(repository, number))

    async def with_head(
        self, repository: str, vtid: str, environment: Environment, named: Named, created_at: datetime
    ) -> PullRequest | None:
        """The one open pull request of this VTID whose head is the commit; None when none or several are."""
        pulls = await self._ask(
            lambda: self._code_host.find_pull_requests(repository, vtid, environment, created_at - _SLACK)
        )
        heads = [pull for pull in pulls if pull.is_open and pull.head_sha.startswith(named.sha or "-")]
        return heads[0] if len(heads) == 1 else None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, question: Callable[[], Answer]) -> Answer:
        answer = asyncio.get_running_loop().run_in_executor(self._threads, question)
        try:
            async with asyncio.timeout(self._seconds):
                return await answer
        except TimeoutError:
            raise Unavailable("GITHUB", f"no answer within {self._seconds:g} s") from None
