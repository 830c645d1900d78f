"""Deploying a merged commit, proving it, and going back: what a run asks, and the answers."""

from dataclasses import dataclass
from datetime import datetime

from vtid.domain.change import DeployRun
from vtid.domain.deployment import Link
from vtid.domain.environment import Environment, Service
from vtid.domain.migrations import Migrations


@dataclass(frozen=True)
class DispatchDeploy:
    """Start the deploy workflow once. `nonce` finds a dispatch whose answer was lost."""

    vtid: str
    repository: str
    environment: Environment
    commit: str
    nonce: str
    since: datetime


@dataclass(frozen=True)
class AwaitDeployRun:
    repository: str
    environment: Environment
    commit: str
    missing_after_seconds: float
    since: datetime
    run_id: int | None = None  # of the run that we dispatched


@dataclass(frozen=True)
class VerifyMigrations:
    """Hold the migrations of this commit against the environment's database."""

    repository: str
    commit: str
    base: str
    migrations: Migrations


@dataclass(frozen=True)
class ProveDeployment:
    repository: str
    environment: Environment
    services: tuple[Service, ...]
    commit: str
    base: str
    deploy_run: DeployRun | None  # None: nothing is deployed, only the commit is proven


@dataclass(frozen=True)
class ReadServing:
    """See what serves before anything of ours is merged: it is what a rollback goes back to."""

    repository: str
    environment: Environment
    services: tuple[Service, ...]


@dataclass(frozen=True)
class ServedBefore:
    """A revision that had all traffic of a service (by its name on the host), and its commit."""

    service: str
    revision: str
    commit: str


@dataclass(frozen=True)
class RollBack:
    """Shift all traffic of one service back, if our commit alone serves and nobody pinned it."""

    repository: str
    environment: Environment
    service: Service
    commit: str
    before: ServedBefore


@dataclass(frozen=True)
class RolledBack:
    """How a rollback ended. `held`: why traffic stayed as it was; else `to` serves, `proven` or not."""

    service: str
    to: ServedBefore
    held: str = ""
    proven: bool = False
    links: tuple[Link, ...] = ()
