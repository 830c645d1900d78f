"""The environment and the repository that a question is about, out of those that are declared."""

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
