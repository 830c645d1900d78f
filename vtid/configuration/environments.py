"""environments.yaml: read, checked, and turned into the domain's environments."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from vtid.configuration.environment_file import (
    ChecksSection,
    EnvironmentSection,
    EnvironmentsFile,
    MigrationsSection,
    RequiredCheck,
    ServiceSection,
)
from vtid.configuration.hosts import Place, host_misfits
from vtid.configuration.limit_overrides import LimitOverride, overridden
from vtid.configuration.settings import ConfigurationError, closest
from vtid.domain.change import pinned_check
from vtid.domain.environment import ChecksPolicy, Deploy, Environment, Policy, Service
from vtid.domain.limits import LIMITS, Limit
from vtid.domain.migrations import TABLES, Migrations, Tool
from vtid.domain.notice import CHECK_NAME

# The same limit may be spelled where people look for it; limits: name -> (section, key).
_OTHER_SPELLINGS = {
    "checks_missing": ("checks", "missing_after"),
    "await_deploy_run": ("deploy", "timeout"),
    "blocked": ("policy", "park_for"),
}


class _Misfit(Exception):
    """A well-formed value that contradicts another one."""

    def __init__(self, place: Place, problem: str) -> None:
        super().__init__(problem)
        self.place = place


def load_environments(path: Path) -> dict[str, Environment]:
    """Every declared environment by name.

    Raises ConfigurationError; its text has one line for each mistake: file, line, key, problem, what is allowed.
    """
    text = _read(path)
    tree = _compose(path, text)
    try:
        sections = EnvironmentsFile.model_validate(yaml.safe_load(text)).root
        return {name: _environment(name, section) for name, section in sections.items()}
    except ValidationError as error:
        lines = [_told(path, tree, each["loc"], each) for each in error.errors()]
        raise ConfigurationError("\n".join(lines)) from None
    except _Misfit as misfit:
        raise ConfigurationError(_place(path, tree, misfit.place) + str(misfit)) from None


def declared(environments: dict[str, Environment], name: str) -> Environment:
    """The environment of this name. Raises ConfigurationError that lists the declared ones."""
    if name not in environments:
        raise ConfigurationError(
            f"environment {name!r} is not declared{closest(name, list(environments))}; "
            f"declared are {', '.join(environments)}"
        )
    return environments[name]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from error


def _compose(path: Path, text: str) -> yaml.Node:
    """The tree with line numbers, free of keys that are given twice (YAML would keep the last in silence)."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: no well-formed YAML: {error}") from error
    if not isinstance(tree, yaml.MappingNode):
        raise ConfigurationError(f"{path}:1: expected a mapping of environments, like 'dev: {{...}}'")
    _refuse_doubles(path, tree)
    return tree


def _refuse_doubles(path: Path, node: yaml.Node) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise ConfigurationError(f"{path}:{_line(key)}: {key.value}: is given twice; keep one")
            seen.add(key.value)
            _refuse_doubles(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_doubles(path, item)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _step(node: yaml.Node, key: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """(where the key stands, its value), looked up through merged mappings (`<<`) too."""
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key], node.value[key]
    if not isinstance(node, yaml.MappingNode):
        return None
    merged: list[yaml.Node] = []
    for name, value in node.value:
        if name.value == str(key):
            return name, value
        if name.tag == "tag:yaml.org,2002:merge":
            merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
    return next((found for each in merged if (found := _step(each, key))), None)


def _place(path: Path, tree: yaml.Node, place: Sequence[str | int]) -> str:
    """`file:line: dotted.key: ` of the deepest part of the place that stands in the file."""
    line, value = _line(tree), tree
    for key in place:
        found = _step(value, key)
        if found is None:
            break
        line, value = _line(found[0]), found[1]
    dotted = ".".join(str(key) for key in place if key != "[key]")
    return f"{path}:{line}: {dotted}: "


def _told(path: Path, tree: yaml.Node, place: Sequence[str | int], error: Any) -> str:
    problem = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        allowed = _allowed_keys(place)
        problem = f"unknown key{closest(str(place[-1]), allowed)}; allowed: {', '.join(allowed)}"
    elif error["type"] == "missing":
        problem = "is missing"
    return _place(path, tree, place) + problem


def _allowed_keys(place: Sequence[str | int]) -> list[str]:
    """The keys that the section holds in which an unknown key was found."""
    section: Any = EnvironmentSection
    for key in list(place)[1:-1]:
        if section is EnvironmentSection and key == "services":
            section = {"*": ServiceSection}
        elif section is EnvironmentSection and key == "limits":
            return ["one_try", "budget", "tries", "heartbeat", "back_off"]
        elif section is ChecksSection and key == "required":
            return list(RequiredCheck.model_fields)
        elif section is EnvironmentSection and key == "migrations":
            section = MigrationsSection
        elif isinstance(section, dict):
            section = section["*"]
        else:
            section = section.model_fields[key].annotation
    return list(section.model_fields)


def _required(check: str | RequiredCheck) -> str:
    return check if isinstance(check, str) else pinned_check(check.name, check.app)


def _environment(name: str, section: EnvironmentSection) -> Environment:
    for place, problem in host_misfits(name, section):
        raise _Misfit(place, problem)
    required = tuple(_required(check) for check in section.checks.required)
    if CHECK_NAME in (check.partition("@")[0] for check in required):
        raise _Misfit((name, "checks", "required"), f"{CHECK_NAME} is our own check: it waits for the others")
    return Environment(
        name=name,
        project=section.project or "",
        region=section.region or "",
        repository=section.repository,
        base_branch=section.base_branch,
        branch_pattern=section.branch_pattern,
        automerge=section.automerge,
        merge_method=section.merge_method,
        services=tuple(_service(key, service) for key, service in section.services.items()),
        deploy=Deploy(section.deploy.workflow, section.deploy.event),
        checks=ChecksPolicy(required, tuple(section.checks.allow_skipped)),
        policy=Policy(
            allow_paths=tuple(section.policy.allow_paths),
            deny_paths=tuple(section.policy.deny_paths),
            max_files=section.policy.max_files,
            on_failure=section.policy.on_failure,
            repair_rounds=section.policy.repair_rounds,
            repair_rules=tuple(section.policy.repair_rules),
            author_may_approve=section.policy.author_may_approve,
            rollback=section.policy.rollback,
        ),
        limits=_limits(name, section),
        requires=tuple(section.requires),
        live_answers=section.live_answers,
        migrations=_migrations(section.migrations) if section.migrations else None,
    )


def _migrations(section: MigrationsSection) -> Migrations:
    tool = Tool(section.tool)
    return Migrations(
        tool=tool,
        path=section.path.rstrip("/"),
        table=section.table or TABLES[tool],
        database_url_env=section.database_url_env,
        database_url_file=section.database_url_file,
        objects=tuple(section.objects),
    )


def _service(name: str, section: ServiceSection) -> Service:
    return Service(
        name=name,
        cloud_run=section.cloud_run or "",
        paths=tuple(section.paths),
        requires=tuple(section.requires),
        health_path=section.health_path,
        version_path=section.version_path,
        required_env=tuple(dict.fromkeys((*section.required_env, *section.env))),
        required_secrets=tuple(dict.fromkeys((*section.required_secrets, *section.secrets))),
        sha_witnesses=tuple(section.sha_witnesses),
        env=section.env,
        secrets=section.secrets,
        host=section.host,
        url=section.url,
        version_auth=section.version_auth,
    )


def _limits(name: str, section: EnvironmentSection) -> dict[str, Limit]:
    limits: dict[str, Limit] = {}
    for key, override in section.limits.items():
        try:
            limits[key] = overridden(key, override)
        except ValueError as error:
            raise _Misfit((name, "limits", key), str(error)) from None
    for key, (part, spelling) in _OTHER_SPELLINGS.items():
        bound = getattr(getattr(section, part), spelling)
        if bound is None:
            continue
        if key in limits and (limits[key].budget or limits[key].one_try) != bound:
            raise _Misfit((name, part, spelling), f"contradicts limits.{key}; keep one of them")
        if key not in limits:
            limits[key] = overridden(key, LimitOverride.model_validate(bound.total_seconds()))
    return {key: limits[key] for key in LIMITS if key in limits}
