"""The proof bundles of a stack's runs, each held against the event log of its task."""

import json

import httpx

from vtid.cli.stack import Stack
from vtid.domain.proof_checks import Finding, findings_against, findings_of
from vtid.domain.proof_shape import read_bundle

Bundles = dict[str, list[tuple[str, Finding]]]  # how runs stand -> what does not hold in their bundles


async def wrong_in_bundles(stack: Stack, client: httpx.AsyncClient) -> Bundles:
    """What does not hold, for every run that is blocked or over."""

    async def asked(path: str, **params: str | int) -> str:
        key = {"Authorization": f"Bearer {stack.token}"}
        answer = await client.get(f"{stack.api}/api/v1{path}", params=params, headers=key)
        return answer.raise_for_status().text

    wrong: Bundles = {}
    for run in json.loads(await asked("/runs", limit=200))["items"]:
        if run["outcome"] or run["status"] == "blocked":
            statement = read_bundle(await asked(f"/runs/{run['vtid']}/proof/bundle")).statement
            log = json.loads(await asked("/events", vtid=run["vtid"], limit=500))["items"]
            found = (*findings_of(statement), *findings_against(statement, log))
            of_status = wrong.setdefault(statement["predicate"]["status"], [])
            of_status += [(run["vtid"], each) for each in found if each.holds is False]
    return wrong
