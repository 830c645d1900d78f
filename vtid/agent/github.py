"""Opening the pull request: once, however often it is asked for."""

from typing import Any

import httpx

from vtid.agent.api import Unreachable, insist

_ONE_CALL_SECONDS, _BUDGET_SECONDS = 30.0, 300.0
_API_VERSION = "2026-03-10"


class GitHubRefused(Exception):
    """GitHub said no; the text has its reason."""


class GitHub:
    """The two calls that the agent needs. api: like https://api.github.com."""

    def __init__(self, api: str, token: str | None) -> None:
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": _API_VERSION}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.AsyncClient(base_url=api.rstrip("/"), headers=headers, timeout=_ONE_CALL_SECONDS)

    async def close(self) -> None:
        await self._client.aclose()

    async def open_pull(self, repository: str, *, head: str, base: str, title: str, body: str) -> str:
        """The address of the branch's open pull request; opened if there is none. Raises GitHubRefused, Unreachable."""
        wish = {"head": head, "base": base, "title": title, "body": body}
        return str(await insist(lambda: self._opened(repository, wish), _BUDGET_SECONDS))

    async def _opened(self, repository: str, wish: dict[str, str]) -> str:
        """Looked for first: an answer that was lost must not become a second pull request or a refusal."""
        owner = repository.split("/")[0]
        params = {"state": "open", "head": f"{owner}:{wish['head']}", "base": wish["base"]}
        there = await self._call("GET", f"/repos/{repository}/pulls", params=params)
        made = there[0] if there else await self._call("POST", f"/repos/{repository}/pulls", json=wish)
        return str(made["html_url"])

    async def _call(self, method: str, path: str, **request: Any) -> Any:
        try:
            answer = await self._client.request(method, path, **request)
        except httpx.HTTPError as error:
            raise Unreachable(f"GitHub: {type(error).__name__} {error}".strip()) from error
        if answer.is_success:
            return answer.json()
        if answer.status_code >= 500 or answer.status_code == 429:
            raise Unreachable(f"GitHub answered {answer.status_code}")
        raise GitHubRefused(f"{method} {path}: GitHub answered {answer.status_code}: {answer.text[:500]}")
