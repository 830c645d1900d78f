"""What the control plane accepts. Strict: a misspelt key would be a scenario that tests nothing."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from vtid.simulator.behaviour import Behaviour, Strict

FullName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")]
Branch = Annotated[str, Field(min_length=1, pattern=r"^[^\s~^:?*\[\\]+$")]
CommitSha = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{7,64}$")]


class NewFile(Strict):
    path: Annotated[str, Field(min_length=1)]
    content: str | None
    """None removes the file."""


class NewRepository(Strict):
    full_name: FullName
    default_branch: Branch = "main"
    git_dir: Path | None = None
    """A bare git repository that holds its history, made when it is not there."""


class NewApp(Strict):
    app_id: Annotated[int, Field(ge=1)]
    slug: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    public_key: Annotated[str, Field(min_length=1)]
    """RSA, in PEM: what the App signs is checked with it."""
    installations: list[int] = Field(default_factory=lambda: [1])
    token_s: Annotated[float, Field(gt=0)] = 3600
    """How long a token of an installation holds."""


class NewPull(Strict):
    repository: FullName
    head: Branch
    base: Branch
    title: Annotated[str, Field(min_length=1)]
    body: str | None = ""
    files: list[NewFile] = Field(default_factory=list)
    draft: bool = False
    fork: bool = False


class NewPush(Strict):
    repository: FullName
    files: list[NewFile]


class NewEntry(Strict):
    repository: FullName


class NewCommit(Strict):
    repository: FullName
    branch: Branch
    files: list[NewFile]
    message: str = "Direct push"
    deploy: bool = True
    """Whether the push starts the deploy workflow, as it does on the default branch."""


class ToldCheck(Strict):
    repository: FullName
    sha: str
    name: Annotated[str, Field(min_length=1)]
    status: Literal["queued", "in_progress", "completed", "waiting", "requested", "pending"]
    conclusion: (
        Literal["success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"]
        | None
    ) = None

    @model_validator(mode="after")
    def _conclusion_at_the_end(self) -> "ToldCheck":
        if (self.status == "completed") != (self.conclusion is not None):
            raise ValueError("conclusion goes with status completed, and only with it")
        return self


class ToldBehaviour(Behaviour):
    repository: FullName | None = None


class SecretRef(Strict):
    secret: str
    version: str = "latest"


class ToldRevision(Strict):
    name: Annotated[str, Field(min_length=1)]
    commit_sha: CommitSha | None = None
    labels: dict[str, str | None] = Field(default_factory=dict)
    env: dict[str, str | None] | list[str] = Field(default_factory=dict)
    secrets: dict[str, str | SecretRef] | list[str] = Field(default_factory=dict)
    ready: bool = True
    digest: str | None = None
    answers: str | None = None

    def env_values(self) -> dict[str, str | None]:
        return dict.fromkeys(self.env, "set") if isinstance(self.env, list) else self.env

    def secret_refs(self) -> dict[str, str]:
        if isinstance(self.secrets, list):
            return {name: f"{name.lower().replace('_', '-')}:latest" for name in self.secrets}
        return {
            name: f"{ref.secret}:{ref.version}" if isinstance(ref, SecretRef) else ref
            for name, ref in self.secrets.items()
        }


class ToldShare(Strict):
    revision: str
    percent: int = Field(ge=0, le=100)


class ToldService(Strict):
    project: Annotated[str, Field(min_length=1)]
    region: Annotated[str, Field(min_length=1)]
    revisions: Annotated[list[ToldRevision], Field(min_length=1)]
    traffic: list[ToldShare] | None = None
    version_body: Any = None
    private: bool = False

    @model_validator(mode="after")
    def _traffic_to_known_revisions(self) -> "ToldService":
        names = {it.name for it in self.revisions}
        unknown = [it.revision for it in self.traffic or [] if it.revision not in names]
        if unknown:
            raise ValueError(f"traffic names revisions that are not in revisions: {', '.join(unknown)}")
        if self.traffic and sum(it.percent for it in self.traffic) != 100:
            raise ValueError("traffic percents must sum to 100")
        return self
