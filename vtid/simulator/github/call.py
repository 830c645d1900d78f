"""One call to the REST face: who calls, about what, and how GitHub answers."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from vtid.simulator.apps import App, holder
from vtid.simulator.facts import PullRequest, Repository
from vtid.simulator.github.people import BOT
from vtid.simulator.github.urls import Place
from vtid.simulator.history import Commit
from vtid.simulator.journal import Entry
from vtid.simulator.world import World

DOCS = "https://docs.github.com/rest"
REVOKED_TOKEN = "bad-token"  # noqa: S105 - the one token that every scenario knows to be refused
SOMEBODY_ELSE = (
    "somebody-else"  # the one token that is not the orchestrator's, and the name of whoever has it
)
PER_PAGE, MOST_PER_PAGE = 30, 100


class GitHubError(Exception):
    def __init__(self, status: int, message: str, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "documentation_url": DOCS, "status": str(status)}
        if errors:
            self.body = {**self.body, "errors": errors}  # type: ignore[dict-item]


def not_found() -> GitHubError:
    return GitHubError(404, "Not Found")


def invalid(field: str, code: str = "invalid") -> GitHubError:
    return GitHubError(422, "Validation Failed", [{"resource": "Request", "field": field, "code": code}])


@dataclass
class Call:
    world: World
    request: Request
    body: dict[str, Any]

    @property
    def origin(self) -> str:
        """The address that the client used: PyGithub refuses to follow a URL to another host or port."""
        return str(self.request.base_url).split("/api/v3")[0].rstrip("/")

    @property
    def login(self) -> str:
        """Who calls: an App under its own name; of the others everybody but somebody else is the orchestrator."""
        if app := self.app:
            return app.login
        return SOMEBODY_ELSE if self.token == SOMEBODY_ELSE else BOT

    @property
    def token(self) -> str:
        return self.request.headers.get("authorization", "").split()[-1]

    @property
    def app(self) -> App | None:
        """The App that calls with a token of its installation."""
        return holder(self.world.apps, self.token, self.world.now())

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def number(self, name: str) -> int:
        text = self.path(name)
        if not text.isdigit():
            raise not_found()
        return int(text)

    def query(self, name: str, default: str = "") -> str:
        return self.request.query_params.get(name, default)

    @property
    def repository(self) -> Repository:
        found = self.world.repository(f"{self.path('owner')}/{self.path('repo')}")
        if found is None:
            raise not_found()
        return found

    @property
    def place(self) -> Place:
        return Place(self.origin, self.repository)

    @property
    def pull(self) -> PullRequest:
        found = self.repository.pulls.get(self.number("number"))
        if found is None:
            raise not_found()
        return found

    def commit(self, ref: str) -> Commit:
        found = self.repository.history.find(ref)
        if found is None:
            # GitHub tells a malformed or unknown SHA from an unknown path.
            raise GitHubError(422, f"No commit found for SHA: {ref}")
        return found

    @property
    def entry(self) -> Entry:
        entry: Entry = self.request.scope["sim.entry"]
        return entry

    def changed(self, effect: str) -> None:
        self.entry.effect = effect

    def text(self, name: str, default: str | None = None) -> str:
        """A string of the body; without a default it must be there."""
        value = self.body.get(name, default)
        if value is None:
            raise invalid(name, "missing_field")
        if not isinstance(value, str):
            raise invalid(name)
        return value

    def optional(self, name: str) -> str | None:
        return None if self.body.get(name) is None else self.text(name)


Handler = Callable[[Call], Response]
RouteTable = Sequence[tuple[str, str, Handler]]


def answer(call: Call, content: Any, status: int = 200, link: str = "") -> Response:
    raw = json.dumps(content).encode()
    etag = '"' + hashlib.sha256(raw).hexdigest()[:32] + '"'
    headers = {"link": link} if link else {}
    if call.request.method == "GET" and status == 200:
        headers["etag"] = etag
        if call.request.headers.get("if-none-match") in (etag, f"W/{etag}"):
            return Response(status_code=304, headers=headers)
    return Response(raw, status, headers, media_type="application/json; charset=utf-8")


def paged(call: Call, items: list[Any], under: str | None = None) -> Response:
    """One page of the list, with the links to the others; `under` names the key where GitHub wraps it."""
    size = min(max(_count(call, "per_page", PER_PAGE), 1), MOST_PER_PAGE)
    page = max(_count(call, "page", 1), 1)
    last = max((len(items) + size - 1) // size, 1)
    part = items[(page - 1) * size : page * size]
    wanted = {"next": page + 1, "last": last} if page < last else {}
    if page > 1:
        wanted |= {"first": 1, "prev": min(page - 1, last)}
    link = ", ".join(f'<{_page_url(call, number)}>; rel="{word}"' for word, number in wanted.items())
    content: Any = part if under is None else {"total_count": len(items), under: part}
    return answer(call, content, link=link)


def _count(call: Call, name: str, default: int) -> int:
    text = call.query(name)
    return int(text) if text.isdigit() else default


def _page_url(call: Call, page: int) -> str:
    query = {**call.request.query_params, "page": str(page)}
    return f"{call.origin}{call.request.scope['path']}?{urlencode(query)}"
