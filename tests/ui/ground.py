"""The real thing to look at: Temporal's dev server, worker, API, simulator and a simulated worker."""

import os
import signal
from pathlib import Path
from typing import Any, Self

import httpx

from tests.api.stage import SPEC
from vtid.cli.layout import ROOT
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.runner import ENVIRONMENT
from vtid.cli.stack import Stack
from vtid.configuration.environments import load_environments

Json = dict[str, Any]


class ApiProcess:
    """The API of the stack as a process that can be treated badly. Whoever freezes it thaws it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def kill(self) -> None:
        """SIGKILL. The stack starts it again by itself, on the same port."""
        self._stack.kill("api")

    async def restart(self) -> None:
        """Stop in good order, and wait until it serves again."""
        await self._stack.restart("api")

    async def serves(self) -> None:
        """Until it serves again."""
        await self._stack.wait_serving("api")

    def freeze(self) -> None:
        """SIGSTOP: it takes connections (the kernel does) and answers nothing."""
        os.killpg(self._stack.pid("api"), signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        os.killpg(self._stack.pid("api"), signal.SIGCONT)


class Ground:
    """One running stack, and what people do on it through the public API."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.api = ApiProcess(stack)

    @classmethod
    async def laid(cls, data_dir: Path) -> Self:
        """A stack that is not entered yet, with the drill's environment of short limits."""
        env = {
            "VTID_ENVIRONMENTS": str(ROOT / "environments.yaml"),
            "VTID_DATABASE_URL": f"sqlite+aiosqlite:///{data_dir / 'ledger.db'}",
        }
        return cls(Stack(data_dir, simulate=True, port=0, env=env))

    @property
    def url(self) -> str:
        return self.stack.api

    async def call(self, method: str, path: str, json: Any = None, *, if_match: str | None = None) -> Json:
        """A call as the administrator, which must succeed; `path` begins after /api/v1."""
        headers = {"Authorization": f"Bearer {self.stack.token}"} | (
            {"If-Match": if_match} if if_match else {}
        )
        async with httpx.AsyncClient(base_url=f"{self.url}/api/v1", headers=headers, timeout=20) as client:
            answer = await client.request(method, path, json=json)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        found: Json = answer.json() if answer.content else {}
        return found

    async def task(self, title: str = "Round prices to cents", *, spec: str | None = SPEC) -> str:
        """A task in `dev` with a draft spec. Gives its VTID."""
        body = {"title": title, "repository": "acme/shop", "environment": "dev", "spec": spec}
        return str((await self.call("POST", "/tasks", body))["vtid"])

    async def approved(self, title: str = "Round prices to cents") -> str:
        """A task whose spec is approved. Gives its VTID."""
        vtid = await self.task(title)
        spec = (await self.call("GET", f"/tasks/{vtid}"))["spec"]
        await self.call("POST", f"/tasks/{vtid}/spec/approve", {"hash": spec["hash"]})
        return vtid

    async def run(self, title: str = "Round prices to cents") -> str:
        """A started run that waits for a worker. Gives its VTID; `worker` sends one."""
        vtid = await self.approved(title)
        await self.call("POST", "/runs", {"vtid": vtid})
        return vtid

    async def worker(self, vtid: str, behaviour: str = "honest") -> None:
        """A simulated worker for this task alone, kept running by the stack."""
        await self.stack.add_worker(f"worker-of-{vtid.lower()}", "--vtid", vtid, "--behaviour", behaviour)

    def drill(self, name: str) -> Drill:
        """A task with a repository of its own and limits of a few seconds: `async with ground.drill("…") as drill`."""
        return Drill(self.stack, load_environments(ROOT / "environments.yaml")[ENVIRONMENT], name)
