"""POST /graphql: beside REST, not under it, as on a GitHub of one's own (`/api/graphql`)."""

from starlette.responses import Response

from vtid.simulator.github import graphql
from vtid.simulator.github.call import Call, GitHubError, RouteTable, answer


def ask(call: Call) -> Response:
    query, variables = call.body.get("query"), call.body.get("variables") or {}
    if not isinstance(query, str) or not isinstance(variables, dict):
        raise GitHubError(400, "A query attribute must be specified and must be a string.")
    answered = graphql.run(call.world, query, variables)
    if answered.repository is not None:
        call.entry.repository = answered.repository.full_name
    call.entry.effect = answered.effect
    return answer(call, answered.content)


ROUTES: RouteTable = (("POST", "/graphql", ask),)
