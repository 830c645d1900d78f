"""What `vtid doctor` says of base branches and their merge queues: asked of the API, for every environment with one repository."""

from collections.abc import Iterator
from typing import Literal

import httpx

from vtid.cli.client import headers
from vtid.cli.session import Session

ANSWERS_WITHIN_SECONDS = 30  # the API gives its own questions to GitHub 20 s
SEVERAL = "*?["  # signs of a pattern that stands for many repositories

State = Literal["ok", "warn", "fail", "unknown"]
Said = tuple[str, State, str]
BRANCH, QUEUE = "base branch", "merge queue"


def branch_findings(session: Session) -> list[Said]:
    """(what about, how it stands, one sentence); what several environments have in common is said once."""
    found: dict[Said, list[str]] = {}
    try:
        with httpx.Client(
            base_url=session.api, headers=headers(session), timeout=ANSWERS_WITHIN_SECONDS
        ) as client:
            for said, environment in _looked(client):
                found.setdefault(said, []).append(environment)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        found[(BRANCH, "unknown", f"the API could not be asked about branches: {error}")] = []
    return [
        (about, state, f"{says} ({', '.join(of)})" if of else says)
        for (about, state, says), of in found.items()
    ]


def _looked(client: httpx.Client) -> Iterator[tuple[Said, str]]:
    listed = client.get("/api/v1/environments")
    if not listed.is_success:
        yield (
            (BRANCH, "unknown", f"branches were not looked at: {_detail(listed)}"),
            "no environment is known",
        )
        return
    for environment in listed.json()["items"]:
        name, repository = environment["name"], environment["repository"]
        if any(sign in repository for sign in SEVERAL):
            says = f"{repository} stands for many repositories, so none was looked at"
            yield (BRANCH, "unknown", says), name
            continue
        answer = client.get(f"/api/v1/environments/{name}/merge-queue")
        if not answer.is_success:
            yield (BRANCH, "unknown", f"{repository} could not be looked at: {_detail(answer)}"), name
            continue
        for finding in answer.json()["findings"]:
            about = finding.get("about", QUEUE)  # an API of an older build speaks of queues alone
            yield (about, finding["state"], f"{repository}: {finding['says']}"), name


def _detail(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        body = None
    told = body.get("detail") if isinstance(body, dict) else None
    return f"{told or 'no reason given'} ({answer.status_code})"
