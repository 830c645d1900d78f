"""VersionProbe over HTTP: which commit does the service itself say it is?"""

import json
import re
import time
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from vtid.adapters.id_tokens import IdTokens, NoToken
from vtid.domain.deployment import LiveAnswer
from vtid.domain.secret_shapes import masked

COMMIT_KEYS = ("commit", "commit_sha", "sha", "git_commit", "version")
MAX_BODY = 64 * 1024  # bytes
MAX_SAID = 80  # characters of an unusable answer that are kept
MAX_PROBLEM = 300  # characters of whatever kept it from being asked

_SHA = re.compile(r"[0-9a-f]{40}")
_SHORT_SHA = re.compile(r"[0-9a-f]{7,39}")


class Tokens(Protocol):
    """Where ID tokens come from."""

    def of(self, audience: str) -> str:
        """The token for this address. Raises NoToken."""

    def forget(self, audience: str) -> None:
        """The token was not accepted."""


class HttpProbe:
    """Looks at version endpoints. Safe to share between threads.

    timeout: seconds that one look may last. Redirects are not followed: the answer must be the service's own, and a
    token is only for it. tokens: Google's by default. transport: httpx's own by default.
    """

    def __init__(
        self,
        *,
        timeout: float = 5.0,
        tokens: Tokens | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._timeout = timeout
        self._tokens = tokens or IdTokens(timeout=timeout)
        # Nothing is kept alive: behind a balancer one connection would meet the same instance again and again.
        alone = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(
            timeout=timeout, follow_redirects=False, limits=alone, transport=transport
        )

    def look(self, uri: str, path: str, auth: str = "none") -> LiveAnswer:
        """One look. Whatever comes back is a result: a commit, or the problem with the answer."""
        at = datetime.now(UTC)
        url = f"{uri.rstrip('/')}/{path.lstrip('/')}"
        audience = uri.rstrip("/")
        token = ""
        try:
            token = self._token(audience) if auth == "id_token" else ""
            status, body = self._fetch(url, token)
        except (httpx.HTTPError, httpx.InvalidURL, _Unusable, NoToken) as cause:
            return LiveAnswer(masked(url), None, None, _without(token, _problem_of(cause))[:MAX_PROBLEM], at)
        if status == 200:
            # Before anything is cut: half of a secret has not the shape of one.
            commit, problem = commit_in(_without(token, body))
            return LiveAnswer(url, commit, status, problem, at)
        if status == 401 and token:
            self._tokens.forget(audience)
        return LiveAnswer(url, None, status, _refusal(status, audience, asked_with_token=bool(token)), at)

    def _token(self, audience: str) -> str:
        try:
            parts = urlsplit(audience)
        except ValueError as cause:
            raise NoToken(f"no ID token for an address without sense: {cause}") from cause
        if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
            raise NoToken(f"an ID token is only sent by https://, and this is {parts.scheme}://")
        return self._tokens.of(audience)

    def _fetch(self, url: str, token: str) -> tuple[int, str]:
        deadline = time.monotonic() + self._timeout
        body = b""
        headers = {"accept": "application/json, text/plain", "cache-control": "no-cache"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        with self._client.stream("GET", url, headers=headers) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_BODY:
                    raise _Unusable(f"the answer is longer than {MAX_BODY} bytes")
                if time.monotonic() > deadline:
                    raise _Unusable(f"no whole answer within {self._timeout} s")
            return response.status_code, body.decode("utf-8", errors="replace")


class _Unusable(Exception):
    """An answer that does not end; says why it was left."""


def _problem_of(cause: Exception) -> str:
    if isinstance(cause, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(cause, NoToken):
        return str(cause)
    return f"{type(cause).__name__.lstrip('_')}: {cause}"


def _without(token: str, text: str) -> str:
    """The text without our own token and other secret-looking values; a service may say anything back."""
    return masked(text.replace(token, "[ID token masked]") if token else text)


def _refusal(status: int, audience: str, *, asked_with_token: bool) -> str:
    """A status other than 200, with what to set where it is a question of who asks."""
    told = f"answered {status}, expected 200"
    if status not in (401, 403):
        return told
    if not asked_with_token:
        return f"{told}: it does not answer without credentials; set version_auth: id_token for this service"
    if status == 401:
        return f"{told}: it does not accept our ID token for {audience}"
    return f"{told}: our service account may not call it; give it the role Cloud Run Invoker (run.invoker)"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def commit_in(body: str) -> tuple[str | None, str | None]:
    """(commit, None) or (None, why the body names none): JSON with one of COMMIT_KEYS, or the bare SHA."""
    said = _said_in(body)
    commits = dict.fromkeys(word for word in said if _SHA.fullmatch(word))
    if len(commits) == 1:
        return next(iter(commits)), None
    if commits:
        return None, f"names several commits: {', '.join(commits)}"
    short = next((word for word in said if _SHORT_SHA.fullmatch(word)), None)
    if short is not None:
        return None, f"names only a part of a commit: {short}"
    if body.lstrip()[:1] == "<":
        return None, "answers with HTML, not with a version"
    return None, f"names no commit: {' '.join(body.split())[:MAX_SAID]!r}"


def _said_in(body: str) -> list[str]:
    try:
        data: Any = json.loads(body)
    except ValueError:
        data = body
    if isinstance(data, dict):
        return [str(data[key]).strip().lower() for key in COMMIT_KEYS if data.get(key)]
    return [data.strip().lower()] if isinstance(data, str) else [body.strip()]
