"""VersionProbe over HTTP: which commit does the service itself say it is?"""

import json
import re
import time
from datetime import UTC, datetime
from typing import Any

import httpx

from vtid.domain.deployment import LiveAnswer

COMMIT_KEYS = ("commit", "commit_sha", "sha", "git_commit", "version")
MAX_BODY = 64 * 1024  # bytes

_SHA = re.compile(r"[0-9a-f]{40}")
_SHORT_SHA = re.compile(r"[0-9a-f]{7,39}")


class HttpProbe:
    """Looks at version endpoints. Safe to share between threads.

    timeout: seconds that one look may last. Redirects are not followed: the answer must be the service's own.
    """

    def __init__(self, *, timeout: float = 5.0) -> None:
        self._timeout = timeout
        # Nothing is kept alive: behind a balancer one connection would meet the same instance again and again.
        alone = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(timeout=timeout, follow_redirects=False, limits=alone)

    def look(self, uri: str, path: str, auth: str = "none") -> LiveAnswer:
        """One look. Whatever comes back is a result: a commit, or the problem with the answer."""
        at = datetime.now(UTC)
        url = f"{uri.rstrip('/')}/{path.lstrip('/')}"
        try:
            status, body = self._fetch(url)
        except (httpx.HTTPError, httpx.InvalidURL, _Unusable) as cause:
            return LiveAnswer(url, None, None, _problem_of(cause), at)
        if status != 200:
            return LiveAnswer(url, None, status, f"answered {status}, expected 200", at)
        commit, problem = commit_in(body)
        return LiveAnswer(url, commit, status, problem, at)

    def _fetch(self, url: str) -> tuple[int, str]:
        deadline = time.monotonic() + self._timeout
        body = b""
        headers = {"accept": "application/json, text/plain", "cache-control": "no-cache"}
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
    return f"{type(cause).__name__.lstrip('_')}: {cause}"[:300]


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
    return None, f"names no commit: {' '.join(body.split())[:80]!r}"


def _said_in(body: str) -> list[str]:
    try:
        data: Any = json.loads(body)
    except ValueError:
        data = body
    if isinstance(data, dict):
        return [str(data[key]).strip().lower() for key in COMMIT_KEYS if data.get(key)]
    return [data.strip().lower()] if isinstance(data, str) else [body.strip()]
