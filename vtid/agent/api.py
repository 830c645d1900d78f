"""The work-order API as the agent calls it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from vtid.agent.order import Order

ONE_CALL_SECONDS = 15.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


class Unreachable(Exception):
    """The API did not answer, or said that it cannot now. The same call later may be answered."""


class Refused(Exception):
    """The API said no; `code` is stable, and the same call would get the same answer."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code

    @property
    def ends_the_lease(self) -> bool:
        """404: nobody knows the order (any more); 409: somebody else has it, or nobody."""
        return self.status in (404, 409)


@dataclass(frozen=True)
class Beat:
    """The answer to a heartbeat."""

    stop: bool
    reason: str


class WorkOrders:
    """The five calls of a worker. Each may be repeated: the same call gets the same answer."""

    def __init__(self, api: str, token: str | None) -> None:
        headers = {"User-Agent": "vtid-agent"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._client = httpx.AsyncClient(base_url=f"{api}/api/v1/work-orders", headers=headers)

    async def close(self) -> None:
        await self._client.aclose()

    async def claim(self, worker_id: str, wait_seconds: float, vtid: str | None) -> Order | None:
        """The next order, or None when there is none in this time. Raises Unreachable, Refused."""
        wish: dict[str, Any] = {"worker_id": worker_id, "wait_seconds": wait_seconds}
        answer = await self._post(
            "/claim", wish | ({"vtid": vtid} if vtid else {}), seconds=wait_seconds + ONE_CALL_SECONDS
        )
        return Order.of(answer) if answer else None

    async def beat(self, order: Order, progress: dict[str, Any] | None, seconds: float) -> Beat:
        """One heartbeat. Raises Unreachable, Refused."""
        body = {"lease": order.lease} | ({"progress": progress} if progress else {})
        answer = await self._post(_path(order, "heartbeat"), body, seconds=seconds)
        return Beat(answer["action"] == "stop", answer.get("reason") or "")

    async def evidence(self, order: Order, **facts: Any) -> None:
        """Hand in, however long it takes while the lease may live. Raises Unreachable, Refused."""
        await self._insist(order, "evidence", facts, order.cap_seconds)

    async def fail(self, order: Order, message: str, *, retryable: bool = True) -> None:
        """Tell that the attempt failed. Raises Unreachable, Refused."""
        await self._insist(order, "fail", {"message": message, "retryable": retryable}, order.lost_seconds)

    async def release(self, order: Order, reason: str, seconds: float) -> None:
        """Give the order back. Raises Unreachable, Refused."""
        await self._insist(order, "release", {"reason": reason}, seconds)

    async def _insist(self, order: Order, verb: str, facts: dict[str, Any], seconds: float) -> None:
        body = {"lease": order.lease, **facts}
        await insist(lambda: self._post(_path(order, verb), body), seconds)

    async def _post(self, path: str, body: dict[str, Any], seconds: float = ONE_CALL_SECONDS) -> Any:
        try:
            answer = await self._client.post(path, json=body, timeout=seconds)
        except httpx.HTTPError as error:
            raise Unreachable(f"{type(error).__name__} {error}".strip()) from error
        if answer.is_success:
            return answer.json() if answer.content else None
        code, detail = _problem(answer)
        if answer.status_code >= 500 or answer.status_code == 429:
            raise Unreachable(f"{code}: {detail}")
        raise Refused(answer.status_code, code, detail)


async def insist(call: Callable[[], Any], seconds: float) -> Any:
    """Repeat the call until it is answered, or the time is over. Raises Unreachable, and what the call raises."""
    give_up_at, pause = time.monotonic() + seconds, _FIRST_PAUSE
    while True:
        try:
            return await call()
        except Unreachable:
            if time.monotonic() + pause > give_up_at:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _path(order: Order, verb: str) -> str:
    return f"/{quote(order.order_id, safe='')}/{verb}"


def _problem(answer: httpx.Response) -> tuple[str, str]:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    return str(body.get("code") or f"HTTP {answer.status_code}"), str(
        body.get("detail") or answer.reason_phrase
    )
