"""The wire to GitHub: PyGithub's requester, asked for plain JSON, with every error sorted by github_answers.

Its objects are not used: they fetch what is missing behind our back, and its defaults (retries, pacing,
endless waiting on a 202) belong to scripts. Here one call is one request, and Temporal owns the retries.
"""

import http.client
import math
import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, Self, runtime_checkable
from urllib.parse import quote, urlsplit

import requests
import urllib3
from github import Auth, Github
from github.Requester import (
    HTTPRequestsConnectionClass,
    HTTPSRequestsConnectionClass,
    Requester,
    RequestsResponse,
)

from vtid.adapters.errors import error_of_status, reading, shortened
from vtid.adapters.github_answers import SYSTEM, error_of, json_of, next_page
from vtid.domain.errors import BadReply, Conflict, Denied, Missing, Unavailable
from vtid.domain.secret_shapes import masked

API_VERSION = "2026-03-10"  # without merge_commit_sha in pull requests; see github_merge
LONGEST_TEXT = 50_000_000  # bytes of a log that are read to find its end
MAX_PAGES = 1_000  # of a hundred entries; a list that is longer does not end

_UNREACHABLE = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)


@runtime_checkable
class Renewable(Protocol):
    """Credentials that can be made anew."""

    def forget(self) -> None: ...


class GitHubWire:
    """Requests to one GitHub, one client per thread. Raises the errors of vtid.domain.errors only.

    app: where `auth` is that of an App's installation, the wire on which the App speaks for itself.
    """

    def __init__(
        self, base_url: str, auth: Auth.Auth | None, timeout: float, *, app: Self | None = None
    ) -> None:
        self._base = urlsplit(base_url)
        self._base_url = base_url
        self._auth = auth
        self._app = app
        self._timeout = timeout
        self._login: str | None = None
        self._of_thread = threading.local()

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON at this path."""
        return self._request("GET", path, parameters=parameters)[1]

    def send(self, verb: str, path: str, body: dict[str, Any]) -> Any:
        """Send once, and give the answer's JSON (None for an empty one).

        Unavailable means that it is unclear whether GitHub did it.
        """
        return self._request(verb, path, body=body)[1]

    def graphql(self, query: str, variables: dict[str, Any]) -> tuple[dict[str, str], Any]:
        """Send once, and give headers and JSON of the answer, which may tell of errors under a 200."""
        address = self._client()[0].graphql_url
        return self._request("POST", address, body={"query": query, "variables": variables})

    def pages(self, path: str, items: str | None = None, **parameters: Any) -> Iterator[Any]:
        """Every entry of every page: of the list itself, or of the list under the key `items`."""
        address: str | None = path
        wanted: dict[str, Any] = {"per_page": 100, **parameters}
        for _ in range(MAX_PAGES):
            headers, page = self._request("GET", str(address), parameters=wanted)
            with reading(SYSTEM, path):
                entries = page if items is None else page[items]
                if not isinstance(entries, list):
                    raise TypeError(f"expected a list, got {type(entries).__name__}")
                address = next_page(headers)
            yield from entries
            if address is None:
                return
            wanted = {}  # the link to the next page carries them
        raise BadReply(SYSTEM, f"{path} has more than {MAX_PAGES} pages")

    def tail(self, path: str, most_bytes: int) -> bytes:
        """The last bytes of a text that GitHub keeps elsewhere; empty when it names no such place.

        It answers with an address that carries its own permission: our credentials do not go there.
        """
        what = f"GET {path}"
        address = f"{self._base_url.rstrip('/')}{path}"
        credentials = {"Authorization": f"Bearer {self._auth.token}"} if self._auth else {}
        try:
            with self._fetch(address, credentials) as told:
                if told.status_code < 300:
                    raise Unavailable(SYSTEM, f"{what}: the answer names no place", status=told.status_code)
                if told.status_code != 302:
                    said = self._unquoted(told.text)
                    raise error_of(what, told.status_code, _lower(told.headers), said)
                place = told.headers.get("location", "")
            with self._fetch(place, {}) as kept:
                if kept.status_code != 200:
                    raise error_of_status(SYSTEM, kept.status_code, f"the log behind {path}")
                return _last_bytes(kept, most_bytes)
        except _UNREACHABLE as cause:
            raise Unavailable(SYSTEM, f"{what}: {type(cause).__name__} {shortened(str(cause))}") from cause

    def _fetch(self, address: str, credentials: dict[str, str]) -> requests.Response:
        headers = {"Accept": "*/*", "X-GitHub-Api-Version": API_VERSION} | credentials
        return requests.get(
            address, headers=headers, timeout=self._timeout, allow_redirects=False, stream=True
        )

    def is_own_hand(self, user: dict[str, Any]) -> bool:
        """Whether this user is who we are.

        A token that an App made for somebody else (GitHub Actions' own) may not ask for its name: then any bot is
        taken for us.
        """
        if self._login is None:
            self._login = self._own_login()
        return user.get("login") == self._login if self._login else user.get("type") == "Bot"

    def _own_login(self) -> str:
        if self._app is not None:
            with reading(SYSTEM, "/app"):
                return f"{self._app.get('/app')['slug']}[bot]"
        try:
            return str(self.get("/user").get("login") or "")
        except Denied:
            return ""

    def _request(
        self, verb: str, path: str, *, parameters: dict[str, Any] | None = None, body: Any = None
    ) -> tuple[dict[str, str], Any]:
        requester, connection = self._client()
        what = f"{verb} {path}"
        try:
            status, headers, text = requester.requestJson(
                verb, path, parameters=parameters, input=body, cnx=connection
            )
        except _UNREACHABLE as cause:
            raise Unavailable(SYSTEM, f"{what}: {type(cause).__name__} {shortened(str(cause))}") from cause
        except (ValueError, OverflowError) as cause:  # PyGithub reads numbers from headers
            raise Unavailable(SYSTEM, f"{what}: garbled answer: {shortened(str(cause))}") from cause
        if status == 401 and isinstance(self._auth, Renewable):
            self._auth.forget()
        if status >= 300:
            raise error_of(what, status, headers, self._unquoted(text))
        return headers, json_of(verb, path, status, text)

    def _unquoted(self, text: str) -> str:
        """An answer without the token that it may say back. Of a shape that is known, it is masked anyhow."""
        return masked(text, [self._auth.token] if isinstance(self._auth, Auth.Token) else [])

    def _client(self) -> tuple[Requester, "_Plain | _Encrypted"]:
        """One client per thread: PyGithub promises no thread-safety."""
        if not hasattr(self._of_thread, "client"):
            self._of_thread.client = self._new_client()
        client: tuple[Requester, _Plain | _Encrypted] = self._of_thread.client
        return client

    def _new_client(self) -> tuple[Requester, "_Plain | _Encrypted"]:
        client = Github(
            auth=self._auth,
            base_url=self._base_url,
            timeout=math.ceil(self._timeout),
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            api_version=API_VERSION,
        )
        connect = _Plain if self._base.scheme == "http" else _Encrypted
        # PyGithub would count its timeout in whole seconds; a connection of our own does not.
        connection = connect(str(self._base.hostname), self._base.port, timeout=self._timeout)  # type: ignore[arg-type]
        return client.requester, connection


class _NoDetours:
    """PyGithub waits and asks again without end on a 202, and follows or crashes on a redirect."""

    def getresponse(self) -> RequestsResponse:
        answer: RequestsResponse = super().getresponse()  # type: ignore[misc]
        verb: str = self.verb  # type: ignore[attr-defined]
        if answer.status == 202 and verb == "GET":
            raise Unavailable(SYSTEM, "GitHub still prepares this answer", status=202)
        if 300 <= answer.status < 400:
            target = answer.headers.get("location", "nowhere")
            text = f"GitHub redirects to {shortened(target)}: was the repository renamed or moved?"
            raise Conflict(SYSTEM, text, status=answer.status)
        return answer


class _Plain(_NoDetours, HTTPRequestsConnectionClass):
    pass


class _Encrypted(_NoDetours, HTTPSRequestsConnectionClass):
    pass


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _last_bytes(answer: requests.Response, most_bytes: int) -> bytes:
    """The end of a text of any length, in bounded memory; a text without end is cut off."""
    kept, read = b"", 0
    for chunk in answer.iter_content(64 * 1024):
        kept = (kept + chunk)[-most_bytes:]
        read += len(chunk)
        if read > LONGEST_TEXT:
            break
    return kept


def place(repository: str) -> str:
    """Where a repository lies. A name that is none (workers name them, too) must not lead elsewhere."""
    if not re.fullmatch(r"[\w-][\w.-]*/(?!\.\.?$)[\w.-]+", repository, re.ASCII):
        raise Missing(SYSTEM, f"{shortened(repository)!r} is no repository: expected owner/name", status=404)
    return f"/repos/{repository}"


def part(text: str) -> str:
    """A name as one part of a path."""
    return quote(text, safe="")
