"""A scenario's corner of the simulated world: one repository and its service, set and broken from outside."""

import asyncio
from typing import Any

import httpx

from vtid.cli.scenarios.calls import Json, accepted

LOOK_EVERY_SECONDS = 0.2
ARRIVES_WITHIN_SECONDS = 60.0


class World:
    """One repository, through the simulator's control plane and as other people use GitHub."""

    def __init__(self, client: httpx.AsyncClient, repository: str) -> None:
        self._client = client
        self.repository = repository
        self.service = repository.split("/")[1]

    # --- how it behaves

    async def behave(self, behaviour: Json) -> None:
        """How the world treats this repository from now on."""
        await self.call("PUT", "/_sim/behaviour", {"repository": self.repository, **behaviour})

    async def fault(self, method: str | None, path_end: str, action: Json, times: int | None = 1) -> None:
        """Break the next calls (None: all of them) to this repository whose path ends so."""
        await self._fault(method, f"/repos/{self.repository}/.*{path_end}$", action, times)

    async def answer(self, body: Any) -> None:
        """What the service says at its version endpoint from now on, whatever serves."""
        await self._set_service(version_body=body)

    async def close_to_strangers(self) -> None:
        """From now on the service lets in only who brings an ID token for its address."""
        await self._set_service(private=True)

    async def _set_service(self, **changed: Any) -> None:
        state = (await self.call("GET", "/_sim/state"))["services"]
        service = next(each for each in state.values() if each["name"] == self.service)
        serving = service["revisions"][service["serving"][0]["revision"]]
        kept = {key: serving[key] for key in ("name", "commit_sha", "env", "secrets")}
        wish = {"project": service["project"], "region": service["region"], "revisions": [kept]}
        await self.call("PUT", f"/_sim/services/{self.service}", wish | changed)

    async def check(self, sha: str, conclusion: str, name: str = "ci") -> None:
        """How a check of this commit ended, as somebody who runs it again would see it."""
        wish = {"sha": sha, "name": name, "status": "completed", "conclusion": conclusion}
        await self.call("POST", "/_sim/checks", {"repository": self.repository, **wish})

    async def fault_cloud_run(self, action: Json, times: int | None = None) -> None:
        """Break the next reads (None: all of them) of the service."""
        await self._fault("GET", f"^/v2/.*/services/{self.service}$", action, times)

    # --- what other people do

    async def open_pull(self, branch: str, title: str) -> Json:
        """A pull request that a person opens by hand; gives number, html_url and head_sha."""
        wish = {"head": branch, "base": "main", "title": title, "files": [self._file("by_hand.py")]}
        made: Json = await self.call("POST", "/_sim/pulls", {"repository": self.repository, **wish})
        return made

    async def commit(self, path: str, content: str, *, deploy: bool = False) -> str:
        """Somebody else's commit on the base branch; gives its SHA."""
        wish = {"branch": "main", "files": [{"path": path, "content": content}], "deploy": deploy}
        made = await self.call("POST", "/_sim/commits", {"repository": self.repository, **wish})
        return str(made["sha"])

    async def push(self, number: int) -> str:
        """One more commit on a pull request; gives its new head."""
        wish = {"repository": self.repository, "files": [self._file("one_more.py")]}
        pushed = await self.call("POST", f"/_sim/pulls/{number}/push", wish)
        return str(pushed["head_sha"])

    async def queue_up(self, number: int) -> None:
        """Somebody puts a pull request into the merge queue."""
        await self.call("POST", f"/_sim/pulls/{number}/queue", {"repository": self.repository})

    async def rerun_deploy(self, commit: str = "") -> None:
        """The newest run on GitHub Actions, of this commit if one is given, once more."""
        run = (await self.github("GET", f"actions/runs?head_sha={commit}"))["workflow_runs"][0]
        await self.github("POST", f"actions/runs/{run['id']}/rerun")

    async def until_deployed(self, commit: str) -> None:
        """Until the service answers with this commit."""

        async def serves() -> bool:
            serving = (await self.cloud_run())["trafficStatuses"][0]["revision"]
            return str(serving).endswith(commit[:3])

        async with asyncio.timeout(ARRIVES_WITHIN_SECONDS):
            while not await serves():  # noqa: ASYNC110 - another process: nobody sends us an event
                await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def shift(self, revision: str) -> None:
        """All traffic to this revision, by the hand of a person."""
        path = (await self.cloud_run())["name"]
        target = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": revision, "percent": 100}
        await self.call("PATCH", f"/v2/{path}?updateMask=traffic", {"traffic": [target]})

    async def cloud_run(self) -> Json:
        """The service as Cloud Run shows it."""
        state = (await self.call("GET", "/_sim/state"))["services"]
        path = next(path for path, each in state.items() if each["name"] == self.service)
        shown: Json = await self.call("GET", f"/v2/{path}")
        return shown

    # --- what can be seen of it

    async def base_head(self) -> str:
        """The commit on the base branch now."""
        return str((await self.github("GET", "branches/main"))["commit"]["sha"])

    async def deployment_states(self) -> list[str]:
        """What GitHub's deployments of this repository say last, one state for each."""
        made = await self.github("GET", "deployments")
        statuses = [await self.github("GET", f"deployments/{each['id']}/statuses") for each in made]
        return [each[0]["state"] for each in statuses if each]

    async def id_tokens(self) -> list[str]:
        """Every ID token that the machine's metadata server has given so far."""
        return list((await self.call("GET", "/_sim/state"))["id_tokens"])

    async def asked_of_cloud_run(self) -> int:
        """How often Cloud Run was asked about this service."""
        entries = await self.call("GET", "/_sim/journal")
        return sum(e["path"].startswith("/v2/") and f"/services/{self.service}" in e["path"] for e in entries)

    async def journal(self) -> list[Json]:
        """What was done to this repository on GitHub, in order."""
        entries: list[Json] = await self.call("GET", f"/_sim/journal?repository={self.repository}")
        return entries

    async def until_called(self, method: str, path_end: str) -> None:
        """Until such a call to this repository has reached GitHub, answered or not."""

        async def has_arrived() -> bool:
            calls = await self.journal()
            return any(e["method"] == method and e["path"].endswith(path_end) for e in calls)

        async with asyncio.timeout(ARRIVES_WITHIN_SECONDS):
            while not await has_arrived():  # noqa: ASYNC110 - another process: nobody sends us an event
                await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def github(self, method: str, path: str) -> Any:
        """A call of the simulated GitHub as somebody else would make it."""
        return await self.call(method, f"/api/v3/repos/{self.repository}/{path}")

    async def call(self, method: str, path: str, body: Json | None = None) -> Any:
        """A call of the simulator that must succeed. Raises NotSeen with the refusal otherwise."""
        return accepted(await self._client.request(method, path, json=body))

    async def _fault(self, method: str | None, regex: str, action: Json, times: int | None) -> None:
        match = {"method": method, "path_regex": regex}
        wish = {"match": match, "action": action} | ({"times": times} if times else {})
        await self.call("POST", "/_sim/faults", wish)

    def _file(self, name: str) -> dict[str, str]:
        return {"path": f"services/{self.service}/{name}", "content": f"# {self.service}\n"}
