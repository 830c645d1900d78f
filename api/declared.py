"""What environments.yaml declares: the environment and the repository that a question or a task is about."""

from collections.abc import Iterable

from api.problems import Problem
from vtid.domain.environment import Environment


def environment_of(environments: dict[str, Environment], name: str) -> Environment:
    """Raises Problem NOT_FOUND, which lists the declared ones."""
    environment = environments.get(name)
    if environment is None:
        declared = sorted(environments)
        text = f"environment {name[:100]!r} is not declared; declared are {', '.join(declared)}"
        raise Problem("NOT_FOUND", text, expected=declared, actual=name[:100])
    return environment


def repository_of(environment: Environment, named: str | None, *, matters: bool = True) -> str:
    """The named repository, or the only one. Raises Problem VALIDATION when it `matters` and none of many is named."""
    if named is not None and not environment.declares(named):
        text = f"repository: {environment.name} is declared for {environment.repository}, not for {named}"
        raise Problem("VALIDATION", text, expected=environment.repository, actual=named)
    several = any(sign in environment.repository for sign in "*?[")
    if named is None and several and matters:
        text = (
            f"repository: {environment.name} is declared for many ({environment.repository}); "
            "name one of them with `repository`"
        )
        raise Problem("VALIDATION", text, errors=({"field": "repository", "message": "is needed here"},))
    return named or environment.repository


def check_target(
    environments: dict[str, Environment], environment: str, repository: str, services: Iterable[str]
) -> None:
    """Raise Problem VALIDATION, listing what is declared, unless environments.yaml knows this target."""
    declared = environments.get(environment)
    if declared is None:
        names = sorted(environments)
        raise _undeclared("environment", environment, names, f"declared are {', '.join(names)}")
    if not declared.declares(repository):
        places = sorted({each.repository for each in environments.values() if each.declares(repository)})
        hint = f"{environment} declares {declared.repository}"
        raise _undeclared("repository", repository, [declared.repository, *places], hint)
    known = [service.name for service in declared.services]
    if unknown := [name for name in services if name not in known]:
        raise _undeclared(
            "services", unknown[0], known, f"{environment} declares {', '.join(known) or 'none'}"
        )


def _undeclared(field: str, value: str, allowed: list[str], hint: str) -> Problem:
    message = f"{value[:100]!r} is not declared: {hint}"
    return Problem(
        "VALIDATION",
        f"{field}: {message}",
        expected=allowed,
        actual=value,
        errors=({"field": field, "message": message},),
    )
