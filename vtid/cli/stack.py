"""The development stack: Temporal's dev server, the simulator, worker and API, kept running together.

async with Stack(data_dir, simulate=True, port=0) as stack:
    stack.api, stack.token, stack.temporal, stack.simulator
    stack.kill("worker")            # SIGKILL; the supervisor starts it again
    await stack.restart("temporal") # in good order, on the same ports and files
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from vtid.cli.addresses import Addresses, dev_json, keys, lock, write_addresses
from vtid.cli.layout import ROOT, Layout, Ports
from vtid.cli.probes import answering, until
from vtid.cli.supervisor import STOP_GRACE_SECONDS, Kept, Service, StackError
from vtid.configuration.settings import Settings
from vtid.configuration.temporal_dev import load_temporal_dev

READY_SECONDS = 60.0
T = TypeVar("T")


def _silent(_line: str) -> None:
    """Nobody is told."""


class Stack:
    """A running stack, as an asynchronous context: entered when it is ready, left when every process is gone.

    `port` is the API's; 0 takes free ports for all processes, but `simulator_port` where one is given. `env` is laid over the environment that the
    processes get. `say` is told one line for each thing that a person should see. Entering raises PortBusy,
    DirectoryBusy, StackError, or what is wrong with the configuration. Enter it in a thread that lives as
    long as the stack: Linux ends the processes together with the thread that started them.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        simulate: bool = False,
        simulate_worker: bool = False,
        port: int = 8700,
        simulator_port: int = 0,
        env: Mapping[str, str] | None = None,
        say: Callable[[str], None] = _silent,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self._simulate, self._simulate_worker = simulate, simulate_worker
        self._port, self._simulator_port = port, simulator_port
        self._overrides = dict(env or {})
        self._say = say
        self._kept: dict[str, Kept] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._hurried = False
        self._exits = ExitStack()

    # --- where it is

    @property
    def addresses(self) -> Addresses:
        """Every address, the key, and the processes as they are now."""
        pids = {kept.name: kept.child.pid for kept in self._kept.values() if kept.child}
        return self._layout.addresses(pids)

    @property
    def api(self) -> str:
        return self.addresses.api

    @property
    def token(self) -> str:
        return self.addresses.token

    @property
    def temporal(self) -> str:
        return self.addresses.temporal

    @property
    def temporal_ui(self) -> str:
        return self.addresses.temporal_ui

    @property
    def simulator(self) -> str:
        """Raises StackError when the stack runs without one."""
        if self.addresses.simulator is None:
            raise StackError("this stack has no simulator")
        return self.addresses.simulator

    @property
    def webhook_secret(self) -> str:
        """What GitHub, or the simulator, signs its webhooks with."""
        return self._layout.webhook_secret

    def pid(self, name: str) -> int:
        """The process that runs as `temporal`, `simulator`, `worker` or `api` now."""
        return self.addresses.pids[name]

    def starts(self, name: str) -> int:
        """How often it was started, the first time included."""
        return self._kept[name].starts

    def log(self, name: str) -> Path:
        """Where its output goes."""
        return self.data_dir / "logs" / f"{name}.log"

    # --- what can be done to it

    def kill(self, name: str) -> None:
        """SIGKILL, as a crash would. It is started again at once; `wait_serving` waits for that."""
        self._kept[name].kill()

    async def restart(self, name: str) -> None:
        """Stop it in good order and wait until it serves again, on the same ports and files."""
        await self._kept[name].restart()
        await self.wait_serving(name)

    async def wait_serving(self, name: str) -> None:
        """Until the process answers. Raises StackError when the stack breaks meanwhile."""
        await self._unless_broken(self._kept[name].serving.wait())

    async def wait_ready(self) -> None:
        """Until the API says that database, Temporal and worker are there. Raises StackError when they are not."""

        try:
            await self._unless_broken(asyncio.wait_for(until(answering(f"{self.api}/readyz")), READY_SECONDS))
        except TimeoutError as error:
            raise StackError(
                f"{self.api}/readyz is not 200 after {READY_SECONDS:.0f} s; see {self.log('api')}"
            ) from error

    async def broken(self) -> None:
        """Until a process cannot be kept running; raises its StackError."""
        await self._unless_broken(asyncio.Event().wait())

    async def add_worker(self, worker_id: str, *options: str) -> None:
        """One more simulated worker, with options such as `--vtid`, `VTID-00001`, `--behaviour`, `lies`."""
        self._start(self._layout.simulated_worker(worker_id, *options))
        await self.wait_serving(worker_id)

    def hurry(self) -> None:
        """Do not wait for anybody any longer: SIGKILL to all. For a person who pressed Ctrl-C twice."""
        self._hurried = True
        for kept in self._kept.values():
            if kept.child:
                kept.child.kill()

    # --- from start to stop

    async def __aenter__(self) -> Self:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        try:
            self._exits.enter_context(lock(self.data_dir))
            self._exits.callback(dev_json(self.data_dir).unlink, missing_ok=True)
            here = {"VTID_DATA_DIR": str(self.data_dir)}
            settings = Settings.load({**os.environ, **here, **self._overrides})
            dev = load_temporal_dev(ROOT / "temporal-dev.yaml")
            ports = Ports.chosen(self._port, dev, simulate=self._simulate, simulator=self._simulator_port)
            secrets = keys(self.data_dir)
            self._layout = Layout(
                self.data_dir, settings, ports, dev, secrets, self._simulate, self._overrides
            )
            await self._start_all()
        except BaseException:
            await self._stop_all()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stop_all()

    async def _start_all(self) -> None:
        layout = self._layout
        self._say("starting Temporal")
        self._start(layout.temporal())
        if self._simulate:
            self._start(layout.simulator())
        await self._unless_broken(asyncio.to_thread(layout.migrate))
        await self.wait_serving("temporal")
        self._say("starting worker and API")
        for service in (layout.worker(), layout.api()):
            self._start(service)
        for name in tuple(self._kept):
            await self.wait_serving(name)
        await self.wait_ready()
        if self._simulate_worker:
            await self.add_worker("simulated-worker")

    def _start(self, service: Service) -> None:
        kept = Kept(service, self.log(service.name), self._say, self._write_addresses)
        self._kept[service.name] = kept
        self._keepers[service.name] = asyncio.create_task(kept.keep(), name=service.name)

    def _write_addresses(self) -> None:
        write_addresses(self.data_dir, self.addresses)

    async def _unless_broken(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives; or the error of the process that could not be kept running meanwhile."""
        working = asyncio.ensure_future(work)
        try:
            await asyncio.wait((working, *self._keepers.values()), return_when=asyncio.FIRST_COMPLETED)
            for keeper in self._keepers.values():
                if keeper.done():
                    keeper.result()
            return await working
        finally:
            working.cancel()
            await asyncio.wait((working,))

    async def _stop_all(self) -> None:
        """Workers and API first: what they still write needs Temporal and the simulator."""
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)
        needed = [kept for kept in self._kept.values() if kept.name in ("temporal", "simulator")]
        for wave in ([kept for kept in self._kept.values() if kept not in needed], needed):
            await asyncio.gather(*(self._stop(kept) for kept in wave))
        self._exits.pop_all().close()

    async def _stop(self, kept: Kept) -> None:
        if kept.child:
            await kept.child.stop(0 if self._hurried else STOP_GRACE_SECONDS)
