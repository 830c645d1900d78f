"""An environment as deploy flags: for gcloud on a shell's command line, or as outputs of a step on GitHub Actions."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vtid.cli.console import print_json, tell
from vtid.cli.exits import CommandFailed, Exit
from vtid.configuration.environments import declared, load_environments
from vtid.configuration.settings import ConfigurationError, Settings
from vtid.domain.environment import Environment, Service

COMMIT_VARIABLE = "GIT_COMMIT_SHA"
COMMIT_LABEL = "commit-sha"
_SHA = re.compile(r"[0-9a-f]{40}")
_DELIMITERS = (",", "@", "|", ";", "#", "~", "%", "::", "=::=")


@dataclass(frozen=True)
class FromShell:
    """A value that only the shell knows that uses the flags; it refuses an empty one."""

    variable: str


Value = str | FromShell


@dataclass(frozen=True)
class Target:
    """One service to deploy: everything that its flags are made from."""

    service: str
    cloud_run: str
    project: str
    region: str
    variables: dict[str, Value]
    secrets: dict[str, str]
    commit: Value


def render(
    name: str, format: str, *, service: str | None, sha: str | None, repository: str | None, as_json: bool
) -> None:
    """Print it. Raises CommandFailed for what is not declared, or a commit that is none."""
    environment = _environment(name)
    commit = _commit(sha)
    targets = [_target(environment, each, commit, repository) for each in _renderable(environment, service)]
    if as_json:
        print_json({"environment": name, "services": [_as_data(target, format) for target in targets]})
    elif format == "gcloud":
        print("\n".join(_gcloud_lines(targets)))
    else:
        print("\n".join(_github_lines(targets)))


def _environment(name: str) -> Environment:
    try:
        return declared(load_environments(Settings.load().environments_file), name)
    except ConfigurationError as error:
        code = Exit.NOT_FOUND if "is not declared" in str(error) else Exit.USAGE
        raise CommandFailed(str(error), code) from error


def _commit(sha: str | None) -> Value:
    if sha is None:
        return FromShell("GITHUB_SHA")
    if not _SHA.fullmatch(sha.lower()):
        raise CommandFailed(f"--sha: expected 40 hexadecimal digits, not {sha[:60]!r}", Exit.USAGE)
    return sha.lower()


def _chosen(environment: Environment, named: str | None) -> Sequence[Service]:
    chosen = [each for each in environment.services if named in (None, each.name)]
    if not chosen:
        names = ", ".join(each.name for each in environment.services) or "none"
        what = f"no service {named!r}" if named else "no service at all"
        raise CommandFailed(f"{environment.name} declares {what}; declared are {names}", Exit.NOT_FOUND)
    return chosen


def _renderable(environment: Environment, named: str | None) -> Sequence[Service]:
    """The chosen ones that flags can be made for. What is left out is said; nothing left is an error."""
    chosen = _chosen(environment, named)
    able = [each for each in chosen if each.runs_on.shows_variables]
    left_out = ", ".join(f"{each.name} ({each.host})" for each in chosen if each not in able)
    if not able:
        text = f"{left_out}: nothing is declared that flags could be made from; deploy it your own way"
        raise CommandFailed(text, Exit.USAGE)
    if left_out:
        tell(f"vtid: left out, since nothing is declared for flags: {left_out}")
    return able


def _target(environment: Environment, service: Service, commit: Value, repository: str | None) -> Target:
    if repository is not None and not environment.declares(repository):
        text = f"--repository: {environment.name} is declared for {environment.repository}"
        raise CommandFailed(text, Exit.USAGE)
    where = repository or environment.repository
    cloud_run = service.cloud_run_name(where)
    if any(sign in cloud_run for sign in "*?["):
        text = f"{environment.name} is declared for {where}: name one of them with --repository"
        raise CommandFailed(text, Exit.USAGE)
    variables: dict[str, Value] = {COMMIT_VARIABLE: commit}
    variables |= {name: service.env.get(name, FromShell(name)) for name in service.required_env}
    secrets = {name: service.binding_of(name) for name in service.required_secrets}
    return Target(
        service.name, cloud_run, environment.project, environment.region, variables, secrets, commit
    )


# --- gcloud


def _gcloud_lines(targets: Sequence[Target]) -> Iterator[str]:
    """One line of flags for each service, safe for a shell; a comment above tells which when there are several."""
    for target in targets:
        if len(targets) > 1:
            yield f"# {target.cloud_run}"
        yield " ".join(_flags(target))


def _flags(target: Target) -> Iterator[str]:
    """`set`, not `update`: what is not declared does not stay behind."""
    yield _word("--project=", target.project)
    yield _word("--region=", target.region)
    yield _pairs("--set-env-vars=", target.variables)
    yield _pairs("--set-secrets=", target.secrets) if target.secrets else "--clear-secrets"
    yield _word("--update-labels=", f"{COMMIT_LABEL}=", target.commit)


def _pairs(flag: str, values: Mapping[str, Value]) -> str:
    """gcloud splits at commas, or at whatever stands between two ^ at the beginning."""
    delimiter = _delimiter(list(values.values()))
    parts: list[Value] = [flag, "" if delimiter == "," else f"^{delimiter}^"]
    for number, (name, value) in enumerate(values.items()):
        parts += [f"{delimiter if number else ''}{name}=", value]
    return _word(*parts)


def _delimiter(values: Sequence[Value]) -> str:
    known = [value for value in values if isinstance(value, str)]
    # Of a value that only the shell knows nothing is sure, but this hardly stands in one.
    foreign = any(isinstance(value, FromShell) and value.variable != "GITHUB_SHA" for value in values)
    allowed = _DELIMITERS[-1:] if foreign else _DELIMITERS
    free = next((each for each in allowed if not any(each in value for value in known)), None)
    if free is None:
        raise CommandFailed("no delimiter is left that stands in none of the declared values", Exit.USAGE)
    return free


def _word(*parts: Value) -> str:
    """One word of a shell: texts quoted, and variables that must have a value."""
    return "".join(
        f'"${{{part.variable}:?}}"' if isinstance(part, FromShell) else (shlex.quote(part) if part else "")
        for part in parts
    )


# --- GitHub Actions


def _github_lines(targets: Sequence[Target]) -> Iterator[str]:
    """name=value, as $GITHUB_OUTPUT takes them. With several services each name begins with the service's."""
    for target in targets:
        prefix = f"{_identifier(target.service)}_" if len(targets) > 1 else ""
        for name, value in _outputs(target).items():
            yield from _output(f"{prefix}{name}", value)


def _outputs(target: Target) -> dict[str, str]:
    """The inputs of google-github-actions/deploy-cloudrun by their names."""
    unset = [
        value.variable
        for value in target.variables.values()
        if isinstance(value, FromShell) and not os.environ.get(value.variable)
    ]
    if unset:
        tell(f"vtid: {target.service}: {', '.join(unset)} left out; set them in this step's environment")
    variables = {name: _here(value) for name, value in target.variables.items()}
    given = {name: value for name, value in variables.items() if value is not None}
    commit = _here(target.commit)
    return {
        "project_id": target.project,
        "region": target.region,
        "service": target.cloud_run,
        "env_vars": "\n".join(f"{name}={_escaped(value)}" for name, value in given.items()),
        "env_vars_update_strategy": "overwrite",
        "secrets": "\n".join(f"{name}={binding}" for name, binding in target.secrets.items()),
        "secrets_update_strategy": "overwrite",
        "labels": f"{COMMIT_LABEL}={commit}" if commit else "",
    }


def _here(value: Value) -> str | None:
    """The value in this step; None when its variable is not set."""
    return value if isinstance(value, str) else os.environ.get(value.variable) or None


def _escaped(value: str) -> str:
    r"""deploy-cloudrun splits at commas and lines; a backslash keeps them."""
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("\n", "\\\n")


def _output(name: str, value: str) -> Iterator[str]:
    if "\n" not in value:
        yield f"{name}={value}"
        return
    end = "END"
    while end in value.split("\n"):
        end += "_"
    yield from (f"{name}<<{end}", value, end)


def _identifier(name: str) -> str:
    return re.sub(r"\W", "_", name)


# --- JSON


def _as_data(target: Target, format: str) -> dict[str, object]:
    names = {"service": target.service, "cloud_run": target.cloud_run}
    if format == "github":
        return names | {"outputs": _outputs(target)}
    return names | {"flags": list(_flags(target))}
