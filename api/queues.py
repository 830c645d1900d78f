"""What a base branch lets past, and whether its merge queue's groups get their checks: asked of the code host now."""

from api.declared import environment_of, repository_of
from api.outside import LOOK_SECONDS, asked
from api.problems import Problem
from vtid.domain.branch_guard import guard_findings
from vtid.domain.environment import Environment
from vtid.domain.group_checks import GroupChecks, findings
from vtid.domain.ports import BranchHost


class Queues:
    """Asks where the code lives; changes nothing."""

    def __init__(
        self,
        environments: dict[str, Environment],
        host: BranchHost | None,
        *,
        seconds: float = LOOK_SECONDS,
    ) -> None:
        self._environments = environments
        self._host = host
        self._seconds = seconds

    async def look(self, name: str, repository: str | None) -> GroupChecks:
        """What an environment's base branch requires of a queue's groups, and what they get.

        repository: needed where the environment is declared for several. Raises Problem NOT_FOUND for a name that
        is not declared, VALIDATION, and GITHUB_UNAVAILABLE or GITHUB_DENIED when it could not be asked.
        """
        environment = environment_of(self._environments, name)
        where = repository_of(environment, repository)
        host = self._host
        if host is None:
            raise Problem("GITHUB_UNAVAILABLE", "this API cannot ask GitHub", status=503)
        return await asked("GITHUB", lambda: _look(host, environment, where), self._seconds)


def _look(host: BranchHost, environment: Environment, repository: str) -> GroupChecks:
    branch = environment.base_branch
    rules = host.branch_rules(repository, branch)
    policy = environment.checks.required
    files = host.workflow_files(repository, branch) if rules.merge_queue else ()
    guard = () if rules.merge_queue else guard_findings(branch, rules, policy)
    return GroupChecks(
        environment=environment.name,
        repository=repository,
        branch=branch,
        merge_queue=rules.merge_queue,
        required=rules.required,
        findings=(*findings(branch, rules, policy, files), *guard),
    )
