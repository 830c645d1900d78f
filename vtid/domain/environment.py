"""An environment as a run sees it: declared once, in environments.yaml, and copied into the run's input."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from vtid.domain.hosts import HOSTS, Host
from vtid.domain.limits import Limit
from vtid.domain.migrations import Migrations
from vtid.domain.vtid import digits_of, short_run

_REPOSITORY_NAME = "{repository_name}"


@dataclass(frozen=True)
class Service:
    """One deployable. `cloud_run` and `url` may hold `{repository_name}`, the part of the repository after the slash.

    host: a name in HOSTS. cloud_run: its name there, on Cloud Run. url: its address, where no host can tell it.
    version_auth: how its version endpoint is asked, `none` or `id_token` (Google's, for this address).
    required_env and required_secrets hold the names of env and secrets, too. env: name -> value, where it is
    declared. secrets: name -> `secret:version`.
    """

    name: str
    cloud_run: str = ""
    paths: tuple[str, ...] = ("**",)
    health_path: str = "/healthz"
    version_path: str = "/version"
    required_env: tuple[str, ...] = ()
    required_secrets: tuple[str, ...] = ()
    sha_witnesses: tuple[str, ...] = ("env", "label", "image_tag")
    requires: tuple[str, ...] = ()  # capabilities of a worker
    env: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    host: str = "cloud_run"
    url: str | None = None
    version_auth: str = "none"

    @property
    def runs_on(self) -> Host:
        return HOSTS[self.host]

    @property
    def is_named_after_repository(self) -> bool:
        return _REPOSITORY_NAME in self.cloud_run + (self.url or "")

    def binding_of(self, secret: str) -> str:
        """`secret:version` of a required secret; one that declares none is bound under its own name."""
        return self.secrets.get(secret, f"{secret}:latest")

    def cloud_run_name(self, repository: str) -> str:
        return _named_after(repository, self.cloud_run)

    def address(self, repository: str) -> str | None:
        """Its declared address; None where its host tells it."""
        return _named_after(repository, self.url) if self.url else None

    def is_touched_by(self, paths: tuple[str, ...]) -> bool:
        return any(path_matches(path, pattern) for path in paths for pattern in self.paths)


@dataclass(frozen=True)
class Deploy:
    """How a merged commit is deployed. event: `push` (GitHub starts it) or `workflow_dispatch` (we do)."""

    workflow: str = "deploy.yml"
    event: str = "push"


@dataclass(frozen=True)
class ChecksPolicy:
    required: tuple[str, ...] = ()
    allow_skipped: tuple[str, ...] = ()

    def required_beside(self, ruled: Iterable[str]) -> tuple[str, ...]:
        """Every check that must be green: by this policy, and by the branch's own rules."""
        return tuple(dict.fromkeys((*self.required, *ruled)))


@dataclass(frozen=True)
class Policy:
    """What a change may touch and what happens when it fails. on_failure: `park` or `fail`.

    What `repair_rules` name goes back to a worker `repair_rounds` times before the run blocks.
    """

    allow_paths: tuple[str, ...] = ("**",)
    deny_paths: tuple[str, ...] = ()
    max_files: int = 300
    on_failure: str = "park"
    repair_rounds: int = 2
    repair_rules: tuple[str, ...] = ("VAL-RULE-010",)  # what a worker may be asked to mend
    author_may_approve: bool = True
    rollback: bool = False  # shift traffic back when what was deployed cannot be proven


@dataclass(frozen=True)
class Environment:
    """One section of environments.yaml. `repository` may be a glob such as `acme/drill-*`."""

    name: str
    project: str
    region: str
    repository: str
    base_branch: str = "main"
    branch_pattern: str = "claude/vtid-<digits>-*"
    automerge: bool = True
    merge_method: str = "squash"
    services: tuple[Service, ...] = ()
    deploy: Deploy = field(default_factory=Deploy)
    checks: ChecksPolicy = field(default_factory=ChecksPolicy)
    policy: Policy = field(default_factory=Policy)
    limits: dict[str, Limit] = field(default_factory=dict)
    migrations: Migrations | None = None
    # How long a proven green must hold still: consecutive live answers that have to agree.
    live_answers: int = 3

    # What a worker must be capable of to be given an order here.
    requires: tuple[str, ...] = ()

    def required_of_workers(self, services: tuple[str, ...]) -> tuple[str, ...]:
        """What the environment asks of a worker, and the services that a task names; each once."""
        asked = (each for service in self.services if service.name in services for each in service.requires)
        return tuple(dict.fromkeys((*self.requires, *asked)))

    def declares(self, repository: str) -> bool:
        return fnmatchcase(repository, self.repository)

    def is_home_of(self, repository: str) -> bool:
        """The same as the code host sees it: its names do not differ by case alone."""
        return fnmatchcase(repository.casefold(), self.repository.casefold())

    def branch_glob(self, vtid: str) -> str:
        """The pattern that a branch of this VTID matches."""
        return self.branch_pattern.replace("<digits>", digits_of(vtid))

    def branch_for(self, vtid: str, run_id: str, attempt: int) -> str:
        """The branch that an attempt is told to use: unlike any other attempt's."""
        return self.branch_glob(vtid).replace("*", f"{short_run(run_id)}-{attempt}")

    def is_branch_of(self, vtid: str, branch: str) -> bool:
        return fnmatchcase(branch.lower(), self.branch_glob(vtid).lower())

    def services_touched_by(self, paths: tuple[str, ...]) -> tuple[Service, ...]:
        return tuple(service for service in self.services if service.is_touched_by(paths))


def _named_after(repository: str, text: str) -> str:
    return text.replace(_REPOSITORY_NAME, repository.split("/")[-1])


def path_matches(path: str, pattern: str) -> bool:
    """Glob over a repository path: `**` crosses folders, `*` does not; `dir/**` also matches `dir` itself."""
    return _matches(path.split("/"), pattern.split("/"))


def _matches(parts: list[str], pattern: list[str]) -> bool:
    if not pattern:
        return not parts
    head, rest = pattern[0], pattern[1:]
    if head == "**":
        return any(_matches(parts[n:], rest) for n in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], head) and _matches(parts[1:], rest)
