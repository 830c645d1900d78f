"""The work-order API and the simulated GitHub, as a worker calls them."""

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass
from typing import Any

import httpx

from vtid.simulator.worker.say import say

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 3.0
ONE_CALL_S = 15.0
LOOK_AGAIN_S = 0.2


class Refused(Exception):
    """The API said no: the same call again would get the same answer."""

    def __init__(self, call: str, response: httpx.Response) -> None:
        super().__init__(f"{call}: {response.status_code}")
        self.call = call
        self.status = response.status_code
        self.body = body_of(response)
        self.retry_after = float(response.headers.get("retry-after", 0) or 0)

    @property
    def code(self) -> str:
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""


class OutOfReach(Exception):
    """The API did not answer for as long as the lease could live."""


class ForgeFailed(Exception):
    """The place where commits go did not take them."""


@dataclass(frozen=True)
class Order:
    """What a claim answers."""

    order_id: str
    vtid: str
    run_id: str
    attempt: int
    lease: str
    repository: str
    base: str
    branch: str
    deadlines: dict[str, float]
    required_markers: list[str]
    files_hint: list[str]
    kind: str = "build"

    @classmethod
    def of(cls, body: dict[str, Any]) -> "Order":
        return cls(
            order_id=str(body["order_id"]),
            vtid=body["vtid"],
            run_id=body["run_id"],
            attempt=int(body["attempt"]),
            lease=body["lease"],
            repository=body["repository"],
            base=body["base"],
            branch=body["branch"],
            deadlines={key: float(value) for key, value in body["deadlines"].items() if value is not None},
            required_markers=list(body.get("required_markers") or []),
            files_hint=list(body.get("files_hint") or []),
            kind=body.get("kind") or "build",
        )

    def seconds(self, name: str, default: float) -> float:
        return self.deadlines.get(f"{name}_seconds", default)


class WorkOrders:
    def __init__(self, origin: str, token: str, chance: random.Random) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx.AsyncClient(
            base_url=f"{origin.rstrip('/')}/api/v1/work-orders", headers=headers, trust_env=False
        )
        self._chance = chance

    async def claim(self, worker_id: str, wait_s: float, vtid: str | None) -> Order | None:
        wish: dict[str, Any] = {"worker_id": worker_id, "wait_seconds": wait_s}
        if vtid:
            wish["vtid"] = vtid
        response = await self._call(
            "claim", "/claim", wish, patience_s=float("inf"), timeout_s=wait_s + ONE_CALL_S
        )
        return None if response.status_code == 204 else Order.of(response.json())

    async def tell(self, order: Order, verb: str, **facts: Any) -> Any:
        """heartbeat, evidence, fail or release, under the order's lease."""
        path = f"/{order.order_id}/{verb}"
        patience_s = order.seconds("cap", 1800)
        response = await self._call(verb, path, {"lease": order.lease, **facts}, patience_s=patience_s)
        return body_of(response)

    async def _call(
        self, name: str, path: str, body: dict[str, Any], *, patience_s: float, timeout_s: float = ONE_CALL_S
    ) -> httpx.Response:
        """The same call, until it is answered: the API may restart, and every call may be repeated."""
        give_up_at, pause_s = time.monotonic() + patience_s, FIRST_PAUSE_S
        while True:
            try:
                response = await self._client.post(path, json=body, timeout=timeout_s)
                problem = f"{response.status_code}" if response.status_code >= 500 else ""
            except httpx.TransportError as cause:
                problem = type(cause).__name__
            if not problem:
                if response.is_success:
                    return response
                raise Refused(name, response)
            if time.monotonic() + pause_s > give_up_at:
                raise OutOfReach(f"{name}: {problem}")
            say("retry", call=name, problem=problem, pause_s=round(pause_s, 2))
            await asyncio.sleep(pause_s * self._chance.uniform(0.7, 1.0))
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def close(self) -> None:
        await self._client.aclose()


@dataclass(frozen=True)
class Pull:
    number: int
    html_url: str
    head_sha: str
    branch: str


class Forge:
    """Where the worker's commits go. A real worker pushes by git; here the control plane makes the commits."""

    def __init__(self, origin: str) -> None:
        self.origin = origin.rstrip("/")
        self._client = httpx.AsyncClient(
            base_url=self.origin,
            headers={"Authorization": "Bearer worker"},
            timeout=ONE_CALL_S,
            trust_env=False,
        )

    async def open_pull(self, wish: dict[str, Any]) -> Pull:
        """One pull request for each branch: work on a branch that has one already is pushed to it."""
        branch = wish["head"]
        made = await self._post("/_sim/pulls", wish)
        if made.status_code == 422 and "number" in made.json():
            number = made.json()["number"]
            url = f"{self.origin}/{wish['repository']}/pull/{number}"
            return Pull(number, url, await self.push(wish["repository"], number, wish["files"]), branch)
        facts = self._facts(made)
        return Pull(facts["number"], facts["html_url"], facts["head_sha"], branch)

    async def push(self, repository: str, number: int, files: list[dict[str, str]]) -> str:
        pushed = await self._post(f"/_sim/pulls/{number}/push", {"repository": repository, "files": files})
        return str(self._facts(pushed)["head_sha"])

    async def await_checks(self, repository: str, sha: str) -> None:
        url = f"/api/v3/repos/{repository}/commits/{sha}/check-runs"
        while True:
            # Whatever goes wrong with a look, the next one may succeed.
            with contextlib.suppress(httpx.HTTPError, ValueError):
                checks = (await self._client.get(url)).json().get("check_runs", [])
                if checks and all(it["status"] == "completed" for it in checks):
                    return
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        try:
            return await self._client.post(path, json=body)
        except httpx.HTTPError as cause:
            raise ForgeFailed(f"{path}: {cause!r}") from cause

    def _facts(self, response: httpx.Response) -> dict[str, Any]:
        if not response.is_success:
            raise ForgeFailed(f"{response.status_code}: {response.text[:300]}")
        facts: dict[str, Any] = response.json()
        return facts

    async def close(self) -> None:
        await self._client.aclose()


def body_of(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return response.text[:500]
