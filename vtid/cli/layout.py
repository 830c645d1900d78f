"""What the stack consists of: the port, the command line and the environment of each process."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vtid.cli.addresses import Addresses
from vtid.cli.ports import LOOPBACK, claim, free_ports
from vtid.cli.probes import answering, polling
from vtid.cli.seed import seed
from vtid.cli.supervisor import Service, StackError
from vtid.configuration.environments import load_environments
from vtid.configuration.settings import Settings
from vtid.configuration.temporal_dev import TemporalDev

ROOT = Path(__file__).resolve().parents[2]
SEEDED = "dev"  # the section of environments.yaml that the simulator starts with
SIMULATOR_OFFSET = 10  # the simulator's port beside the API's
SIMULATED_TOKEN = "simulated"  # noqa: S105 - of the simulated GitHub, which takes any
_OUR_APP = "VTID_GITHUB_APP_"


@dataclass(frozen=True)
class Ports:
    """The ports of all processes, fixed for the life of the stack: who is started again comes back to its own."""

    api: int
    simulator: int
    temporal: int
    temporal_ui: int
    temporal_http: int
    worker_metrics: int

    @classmethod
    def chosen(cls, api: int, dev: TemporalDev, *, simulate: bool, simulator: int = 0) -> "Ports":
        """Port 0: free ones for all, but for the simulator's where it is given. Raises PortBusy, naming port and user."""
        if api == 0:
            api, free, *rest = free_ports(6)
            return cls(api, simulator or free, *rest)
        stop = "stop what uses it, or take"
        simulator = api + SIMULATOR_OFFSET
        claim(api, "the API", f"{stop} another with --port (0: free ports for all)")
        if simulate:
            claim(simulator, "the simulator", f"{stop} another with --port (0: free ports for all)")
        claim(dev.port, "Temporal", f"{stop} free ports for all with --port 0")
        claim(dev.ui_port, "Temporal's Web UI", f"{stop} free ports for all with --port 0")
        return cls(api, simulator, dev.port, dev.ui_port, *free_ports(2))


@dataclass(frozen=True)
class Layout:
    """The services of one stack.

    The environment of a process is the caller's, then what the stack says, then `overrides`: a stack that
    simulates must not reach the real GitHub because somebody exported a token, but a test may ask for it.
    """

    data_dir: Path
    settings: Settings
    ports: Ports
    dev: TemporalDev
    keys: Mapping[str, str]
    simulate: bool
    overrides: Mapping[str, str]

    def addresses(self, pids: dict[str, int]) -> Addresses:
        """Where everything is."""
        ports = self.ports
        return Addresses(
            api=_http(ports.api),
            temporal=f"{LOOPBACK}:{ports.temporal}",
            temporal_ui=_http(ports.temporal_ui),
            simulator=_http(ports.simulator) if self.simulate else None,
            token=self.keys["token"],
            worker_metrics=f"http://{self._worker_metrics}/metrics",
            namespace=self.dev.namespace,
            supervisor=os.getpid(),
            pids=pids,
        )

    def environment(self) -> dict[str, str]:
        """What every process of ours is given."""
        where = self.addresses({})
        said = {
            "VTID_ENV": "dev",
            "VTID_DATA_DIR": str(self.data_dir),
            "VTID_DATABASE_URL": self.settings.database_url,
            "VTID_BOOTSTRAP_TOKEN": self.keys["token"],
            "VTID_LEASE_KEY": self.keys["lease_key"],
            "VTID_GITHUB_WEBHOOK_SECRET": self.webhook_secret,
            "VTID_PAGE_URL": where.api,
            "VTID_TEMPORAL_UI_URL": where.temporal_ui,
            "VTID_WORKER_METRICS_ADDRESS": self._worker_metrics,
            "VTID_WORKER_VERSIONING": "off",  # one worker, started anew at each change of the code
            "TEMPORAL_ADDRESS": where.temporal,
            "TEMPORAL_NAMESPACE": where.namespace,
            "TEMPORAL_CONFIG_FILE": os.devnull,  # a profile of the machine's owner must not win
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
            "PYTHONSAFEPATH": "1",  # `-m api` must not find another `api` in the caller's directory
            "PYTHONUNBUFFERED": "1",
        }
        if where.simulator:
            said |= {
                "VTID_GITHUB_API_URL": f"{where.simulator}/api/v3",
                "VTID_GITHUB_TOKEN": SIMULATED_TOKEN,
                "VTID_CLOUD_RUN_URL": where.simulator,
                # As Google's own library names them: where ID tokens come from.
                "GCE_METADATA_HOST": f"{LOOPBACK}:{self.ports.simulator}",
                "GCE_METADATA_IP": f"{LOOPBACK}:{self.ports.simulator}",
            }
        # Another Temporal, or who we are on the real GitHub, is nothing to a stack of this machine.
        inherited = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("TEMPORAL_") and not (where.simulator and key.startswith(_OUR_APP))
        }
        told = said | dict(self.overrides)
        return {
            key: value for key, value in inherited.items() if key.removesuffix("_FILE") not in told
        } | told

    @property
    def _worker_metrics(self) -> str:
        return self.settings.worker_metrics_address or f"{LOOPBACK}:{self.ports.worker_metrics}"

    @property
    def webhook_secret(self) -> str:
        """What GitHub signs its webhooks with: the caller's secret, or one of this data directory."""
        given = self.settings.github_webhook_secret
        return given.get_secret_value() if given else self.keys["webhook_secret"]

    def temporal(self) -> Service:
        """Temporal's development server, on a database file of the data directory."""
        ports = self.ports
        flags = self.dev.flags(
            data_dir=self.data_dir,
            port=ports.temporal,
            ui_port=ports.temporal_ui,
            http_port=ports.temporal_http,
        )
        serves = answering(f"{_http(ports.temporal_http)}/api/v1/namespaces/{self.dev.namespace}")
        return Service("temporal", (temporal_binary(), *flags), _inherited(), serves)

    def simulator(self) -> Service:
        """GitHub and Cloud Run. Its world is in memory, so it is seeded each time that it starts."""
        url = _http(self.ports.simulator)
        environment = load_environments(self.settings.environments_file).get(SEEDED)
        argv = _python("-m", "vtid.simulator", "world", "--port", str(self.ports.simulator))
        furnish = partial(seed, url, environment) if environment else None
        return Service("simulator", argv, self.environment(), answering(f"{url}/_sim/journal"), furnish)

    def worker(self) -> Service:
        """The Temporal worker."""
        serves = polling(_http(self.ports.temporal_http), self.dev.namespace, self.dev.task_queues.runs)
        return Service("worker", _python(str(ROOT / "worker.py")), self.environment(), serves)

    def api(self) -> Service:
        """The HTTP API with the page."""
        url = _http(self.ports.api)
        argv = _python("-m", "api", "--host", LOOPBACK, "--port", str(self.ports.api))
        return Service("api", argv, self.environment(), answering(f"{url}/healthz"))

    def simulated_worker(self, worker_id: str, *options: str) -> Service:
        """A coding worker that speaks to the API and to the simulated GitHub as a real one would."""
        where = self.addresses({})
        if where.simulator is None:
            raise StackError("a simulated worker needs the simulator: add --simulate")
        to = ("--api", where.api, "--simulator", where.simulator)
        argv = _python("-m", "vtid.simulator", "worker", *to, "--worker-id", worker_id, *options)
        return Service(worker_id, argv, self.environment() | {"VTID_API_TOKEN": where.token})

    def migrate(self) -> None:
        """Bring the ledger to its newest form. Raises StackError when its database cannot be asked."""
        # SQLAlchemy and Alembic take their time to import.
        from vtid.ledger.errors import LedgerUnavailable
        from vtid.ledger.migrate import migrate

        try:
            migrate(self.settings.database_url)
        except LedgerUnavailable as error:
            raise StackError(str(error)) from error


def temporal_binary() -> str:
    """The `temporal` program: beside our Python, else on the PATH. Raises StackError when there is none."""
    beside = Path(sys.executable).parent
    found = shutil.which("temporal", path=str(beside)) or shutil.which("temporal")
    if found is None:
        raise StackError("the program `temporal` is not installed; run `make setup`")
    return found


def _inherited() -> dict[str, str]:
    """The caller's environment, without what points to another Temporal."""
    return {key: value for key, value in os.environ.items() if not key.startswith("TEMPORAL_")}


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, *arguments)


def _http(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"
