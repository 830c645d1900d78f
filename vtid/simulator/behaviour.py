"""How the world behaves by itself, and how a scenario tells it to behave otherwise."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Conclusion = Literal[
    "success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required", "startup_failure"
]
Seconds = Annotated[float, Field(ge=0)]
Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{7,40}$")]


class Strict(BaseModel):
    """A key that nobody reads is a scenario that tests nothing: refuse it."""

    model_config = ConfigDict(extra="forbid")


class Checks(Strict):
    auto: bool = True
    names: list[str] = ["ci"]
    after_s: Seconds = 1.0
    conclusion: Conclusion = "success"
    fails_on: str | None = None
    """A head with this text in one of its files fails, whatever the conclusion else: a change can be mended."""


class Told(Strict):
    environment: str
    state: Literal["success", "failure", "error", "inactive", "in_progress"] = "success"
    description: str = ""


class Deploy(Strict):
    auto: bool = True
    after_s: Seconds = 2.0
    conclusion: Conclusion = "success"
    serves: Literal["head"] | Sha = "head"
    services: list[str] | None = None
    """None: the service that is named like the repository."""
    event: Literal["push", "workflow_dispatch"] = "push"
    workflow: str = "deploy.yml"
    percent: int = Field(100, ge=0, le=100)
    jobs: int = Field(1, ge=0, le=200)
    collapse: bool = False
    """A newer run cancels the unfinished ones, as a concurrency group does."""
    ready: bool = True
    unready: list[str] = []
    """Services whose new revision never becomes ready, where the others do."""
    answers: Sha | None = None
    """What the new revision says at its version endpoint, whatever it claims to be."""
    deployment: Told | None = None
    """What the job of the workflow says of its deployment on GitHub; None: it names no environment there."""
    labels: dict[str, str | None] = {}
    env: dict[str, str | None] = {}
    secrets: dict[str, str | None] = {}


class Webhooks(Strict):
    url: str
    secret: str
    repeat: int = Field(1, ge=1, le=5)


class Protection(Strict):
    required_checks: list[str] = []


class Queue(Strict):
    """The merge queue of the default branch."""

    enabled: bool = False
    together: int = Field(1, ge=1, le=100)
    """It merges so many at once where so many wait: the base moves once, to the last of them."""
    conclusion: Conclusion | None = None
    """Of the checks on a group; None: as on any head."""
    timeout_s: Seconds = 3600.0
    """An entry whose checks have not ended by then is dropped."""


class Behaviour(Strict):
    checks: Checks = Checks()
    deploy: Deploy = Deploy()
    reconcile_s: Seconds = 0.5
    webhooks: Webhooks | None = None
    protection: Protection = Protection()
    queue: Queue = Queue()


class Behaviours:
    """Per repository over global over default. What is told later wins, key by key."""

    def __init__(self) -> None:
        self._told: dict[str | None, dict[str, Any]] = {}

    def tell(self, repository: str | None, wish: dict[str, Any]) -> Behaviour:
        told = merged(self._told.get(repository, {}), wish)
        Behaviour.model_validate(told)
        self._told[repository] = told
        return self.of(repository)

    def of(self, repository: str | None) -> Behaviour:
        return Behaviour.model_validate(merged(self._told.get(None, {}), self._told.get(repository, {})))

    def clear(self) -> None:
        self._told.clear()


# Maps of names to values are replaced as a whole; everything else is merged key by key.
WHOLE = {"labels", "env", "secrets"}


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    result = dict(old)
    for key, value in new.items():
        before = result.get(key)
        both = isinstance(before, dict) and isinstance(value, dict) and key not in WHOLE
        result[key] = merged(before or {}, value) if both else value
    return result
