"""The ground of the bench: a Temporal server as `vtid dev` starts it, a ledger, and the two worker processes."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from temporalio.client import Client

from tests.bench.bare import BARE_QUEUE
from tests.bench.hands import LEDGER
from vtid.cli.layout import ROOT, temporal_binary
from vtid.cli.ports import LOOPBACK, free_ports
from vtid.cli.probes import Probe, answering, polling, until
from vtid.cli.processes import Child, last_lines
from vtid.configuration.temporal_dev import load_temporal_dev
from vtid.ledger import Ledger
from vtid.ledger.migrate import migrate
from workflows.connection import TASK_QUEUE, VtidPlugin

READY_SECONDS = 30.0


@dataclass
class Ground:
    """What the measurements stand on."""

    client: Client
    ledger: Ledger
    ledger_file: Path
    temporal_file: Path
    processes: dict[str, psutil.Process] = field(default_factory=dict)

    def cpu_seconds(self, *names: str) -> float:
        """What these processes have used since they began; "driver" is this one."""
        return sum(sum(self.processes[name].cpu_times()[:2]) for name in names)


@asynccontextmanager
async def ground(data_dir: Path) -> AsyncIterator[Ground]:
    """Everything up, on free ports and fresh files in `data_dir`; gone at the end."""
    dev = load_temporal_dev(ROOT / "temporal-dev.yaml")
    port, ui_port, http_port = free_ports(3)
    http, address = f"http://{LOOPBACK}:{http_port}", f"{LOOPBACK}:{port}"
    ledger_file = data_dir / "ledger.db"
    url = f"sqlite+aiosqlite:///{ledger_file}"
    own = {key: value for key, value in os.environ.items() if not key.startswith(("TEMPORAL_", "VTID_"))}
    told = own | {"TEMPORAL_ADDRESS": address, "TEMPORAL_CONFIG_FILE": os.devnull, LEDGER: url}
    async with AsyncExitStack() as exits:
        flags = dev.flags(data_dir=data_dir, port=port, ui_port=ui_port, http_port=http_port)
        serves = answering(f"{http}/api/v1/namespaces/{dev.namespace}")
        server = await _started(exits, "temporal", (temporal_binary(), *flags), own, data_dir, serves)
        await asyncio.to_thread(migrate, url)
        pids = {"temporal": server.pid, "driver": os.getpid()}
        for whose, queue in (("ours", TASK_QUEUE), ("bare", BARE_QUEUE)):
            argv = (sys.executable, "-m", "tests.bench.hands", whose)
            serves = polling(http, dev.namespace, queue)
            pids[whose] = (await _started(exits, whose, argv, told, data_dir, serves)).pid
        ledger = await Ledger.open(url)
        exits.push_async_callback(ledger.close)
        client = await Client.connect(address, plugins=[VtidPlugin()])
        processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        yield Ground(client, ledger, ledger_file, data_dir / dev.database, processes)


async def _started(
    exits: AsyncExitStack,
    name: str,
    argv: tuple[str, ...],
    env: dict[str, str],
    data_dir: Path,
    serves: Probe,
) -> Child:
    """The process once it serves. Raises RuntimeError with the end of its log when it does not."""
    log = data_dir / "logs" / f"{name}.log"
    child = await Child.start(name, argv, {**env, "PYTHONPATH": str(ROOT)}, log)
    exits.push_async_callback(child.stop, 5.0)
    try:
        await asyncio.wait_for(until(serves), READY_SECONDS)
    except TimeoutError:
        raise RuntimeError(f"{name} does not serve:\n{last_lines(log)}") from None
    return child
