"""The shape of environments.yaml, as pydantic models. docs/environments.schema.json is made from it."""

from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    Tag,
    WithJsonSchema,
    model_validator,
)

from vtid.configuration.durations import Duration
from vtid.configuration.limit_overrides import LimitName, LimitOverride
from vtid.configuration.settings import PREFIX, closest, safe_web_address
from vtid.domain.hosts import HOSTS

Name = Annotated[str, Field(min_length=1, max_length=200)]
Capability = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Glob = Annotated[str, Field(min_length=1, max_length=500)]
UrlPath = Annotated[str, Field(pattern=r"^/[^\s]*$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
SecretBinding = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+:(latest|[1-9][0-9]*)$", max_length=300)]
# What a worker can mend on its own branch; what says whose change this is, it cannot.
RepairRule = Literal[
    "VAL-RULE-006",
    "VAL-RULE-008",
    "VAL-RULE-009",
    "VAL-RULE-010",
    "VAL-RULE-011",
    "VAL-RULE-012",
    "VAL-RULE-013",
]
TableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$")]
DatabaseObject = Annotated[
    str,
    Field(
        pattern=r"^((table|view|index|sequence|function|type):([A-Za-z_]\w*\.)?|column:([A-Za-z_]\w*\.){1,2})[A-Za-z_]\w*$"
    ),
]
Witness = Literal["env", "label", "image_tag"]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _known_host(name: str) -> str:
    if name not in HOSTS:
        raise ValueError(f"no host has this name{closest(name, list(HOSTS))}; allowed: {', '.join(HOSTS)}")
    return name


def _service_address(value: str) -> str:
    address = safe_web_address(value)
    parts = urlsplit(address)
    if parts.username or parts.password or parts.query or parts.fragment:
        # It is shown to everybody who reads a proof.
        raise ValueError("expected an address without user, password, query or fragment")
    return address


def _address_keys(schema: dict[str, Any]) -> None:
    """Each host has a key of its own that says which service is meant; without `host` it is Cloud Run's."""
    schema["allOf"] = [
        {
            "if": {"properties": {"host": {"const": host.name}}, "required": _named(host.name)},
            "then": {"required": [host.address_key]},
        }
        for host in HOSTS.values()
    ]


def _named(host: str) -> list[str]:
    return [] if host == ServiceSection.model_fields["host"].default else ["host"]


HostName = Annotated[
    str, AfterValidator(_known_host), WithJsonSchema({"type": "string", "enum": list(HOSTS)})
]


class ServiceSection(Section):
    """One deployable."""

    model_config = ConfigDict(json_schema_extra=_address_keys)

    cloud_run: Name | None = Field(None, description="name on Cloud Run; may hold {repository_name}")
    paths: list[Glob] = Field(["**"], min_length=1, description="a change of these paths deploys it")
    requires: list[Capability] = Field(
        [], description="what a worker must be capable of, when a task names it"
    )
    health_path: UrlPath = "/healthz"
    version_path: UrlPath = "/version"
    host: HostName = Field("cloud_run", description="where it runs, and so what can be seen of it")
    url: Annotated[str, AfterValidator(_service_address)] | None = Field(
        None, description="its address, where no host can tell it; may hold {repository_name}"
    )
    version_auth: Literal["none", "id_token"] = Field(
        "none",
        description="how its version endpoint is asked; id_token: with Google's token for its address",
    )
    env: dict[VariableName, str] = Field({}, description="variables with their values; nothing secret")
    secrets: dict[VariableName, SecretBinding] = Field(
        {}, description="variables bound to secrets, as `secret:version`"
    )
    required_env: list[Name] = Field([], description="variables whose value is not declared here")
    required_secrets: list[Name] = Field([], description="secrets bound under their own name, latest version")
    sha_witnesses: list[Witness] = Field(["env", "label", "image_tag"], min_length=1)

    @model_validator(mode="after")
    def _plain_or_secret(self) -> Self:
        both = sorted({*self.env, *self.required_env} & {*self.secrets, *self.required_secrets})
        if both:
            raise ValueError(f"{', '.join(both)}: plain and secret; keep one")
        return self


class DeploySection(Section):
    workflow: Name = "deploy.yml"
    event: Literal["push", "workflow_dispatch"] = Field("push", description="who starts it: GitHub, or we")
    timeout: Duration | None = Field(None, description="another name of limits.await_deploy_run")


class RequiredCheck(Section):
    """A check that only counts when this app ran it: by slug, such as `github-actions`, or by number."""

    name: Name
    app: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$", max_length=100)]


# One of the two by its shape, so that a mistake is told once and about the right one.
_Required = Annotated[
    Annotated[Name, Tag("name")] | Annotated[RequiredCheck, Tag("pinned")],
    Discriminator(lambda check: "pinned" if isinstance(check, dict | RequiredCheck) else "name"),
]


class ChecksSection(Section):
    required: list[_Required] = Field(
        [], description="names; `name@app` or {name, app} where only that app's check counts"
    )
    allow_skipped: list[Name] = []
    missing_after: Duration | None = Field(None, description="another name of limits.checks_missing")


class PolicySection(Section):
    allow_paths: list[Glob] = Field(["**"], min_length=1)
    deny_paths: list[Glob] = []
    max_files: int = Field(300, ge=1, le=3_000)
    on_failure: Literal["park", "fail"] = "park"
    park_for: Duration | None = Field(None, description="another name of limits.blocked")
    repair_rounds: int = Field(2, ge=0, le=20, description="how often a worker is asked to mend it")
    repair_rules: list[RepairRule] = Field(["VAL-RULE-010"], description="what a worker may be asked to mend")
    author_may_approve: bool = True
    rollback: bool = Field(
        False, description="shift traffic back when the deployment is not proven, unless somebody pinned it"
    )


class MigrationsSection(Section):
    """The migrations of one database, checked after each deploy."""

    tool: Literal["prisma", "sql", "alembic", "supabase"]
    path: Annotated[str, Field(pattern=r"^[^/\s][^\s]*$", description="the folder in the repository")]
    table: TableName | None = Field(None, description="of applied versions; none: the tool's usual one")
    database_url_env: VariableName | None = Field(
        None, description="the worker's variable with the database's address"
    )
    database_url_file: Annotated[str, Field(pattern=r"^/")] | None = Field(
        None, description="or the file with it, such as a mounted secret"
    )
    objects: list[DatabaseObject] = Field([], description="what must exist, like `table:public.orders`")

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.database_url_env is None) == (self.database_url_file is None):
            raise ValueError("needs one of database_url_env and database_url_file")
        if (self.database_url_env or "").startswith(PREFIX):
            raise ValueError(f"database_url_env: names that begin with {PREFIX} are settings of ours")
        return self


class EnvironmentSection(Section):
    """One environment."""

    project: Name | None = Field(None, description="Google's project; needed where a service is on Cloud Run")
    region: Name | None = Field(None, description="of Cloud Run; needed where a service is there")
    repository: Annotated[str, Field(pattern=r"^[^/\s]+/[^/\s]+$")] = Field(
        description="owner/name; may be a glob"
    )
    base_branch: Name = "main"
    branch_pattern: Annotated[str, Field(pattern=r"^[^*\s]*<digits>[^*\s]*\*[^*\s]*$")] = Field(
        "claude/vtid-<digits>-*", description="<digits> of the VTID, and one * that tells attempts apart"
    )
    automerge: bool = True
    merge_method: Literal["merge", "squash", "rebase"] = "squash"
    services: dict[Name, ServiceSection] = {}
    requires: list[Capability] = Field([], description="what a worker must be capable of for any order here")
    deploy: DeploySection = DeploySection()
    checks: ChecksSection = ChecksSection()
    policy: PolicySection = PolicySection()
    limits: dict[LimitName, LimitOverride] = {}
    migrations: MigrationsSection | None = None
    live_answers: int = Field(3, ge=1, le=20, description="live answers in a row that must agree")


class EnvironmentsFile(RootModel[dict[Name, EnvironmentSection]]):
    """Every environment that runs may deploy to."""


def environments_schema() -> dict[str, Any]:
    """The JSON Schema of environments.yaml."""
    schema = EnvironmentsFile.model_json_schema()
    override = schema["$defs"]["LimitOverride"]
    duration = override["properties"]["one_try"]["anyOf"]
    # A row may also be one value: its duration, or its count.
    bare = [each for each in duration if each.get("type") != "null"]
    schema["$defs"]["LimitOverride"] = {"anyOf": [override, *bare]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "environments.yaml"} | schema
