"""Who we are to GitHub: whoever a token belongs to, or an App, whose tokens are made when they are needed."""

import threading
from datetime import UTC, datetime, timedelta

from github import Auth

from vtid.adapters.errors import reading
from vtid.adapters.github_answers import SYSTEM
from vtid.adapters.github_wire import GitHubWire
from vtid.domain.credentials import AppKey, Credentials
from vtid.domain.errors import Denied

_EARLY = timedelta(minutes=5)  # before its end a token is replaced, so that none ends under way

_NEVER = datetime.min.replace(tzinfo=UTC) + _EARLY


def wire_to(base_url: str, credentials: Credentials, timeout: float) -> GitHubWire:
    """The wire to GitHub for a bearer of these credentials. Nothing is asked before it is needed."""
    if isinstance(credentials, AppKey):
        app = GitHubWire(base_url, Auth.AppAuth(credentials.app_id, credentials.private_key), timeout)
        return GitHubWire(base_url, InstallationAuth(app, credentials.installation), timeout, app=app)
    token = credentials.strip()  # of a file; a line break in a header is an error that quotes the token
    return GitHubWire(base_url, Auth.Token(token) if token else None, timeout)


class InstallationAuth(Auth.Auth):
    """The tokens of an App's installation, one for all threads. Making one raises what any request may raise.

    PyGithub's own does the same behind our back: with its retries, and with errors that nobody sorted.
    """

    def __init__(self, app: GitHubWire, installation: int | None) -> None:
        self._app = app
        self._installation = installation
        self._making = threading.Lock()
        self._token, self._until = "", _NEVER

    @property
    def token_type(self) -> str:
        return "Bearer"

    @property
    def token(self) -> str:
        with self._making:
            if datetime.now(UTC) >= self._until - _EARLY:
                self._token, self._until = self._made()
            return self._token

    def forget(self) -> None:
        """GitHub refused the token before its end: it was revoked, and the next call makes another."""
        with self._making:
            self._until = _NEVER

    def _made(self) -> tuple[str, datetime]:
        path = f"/app/installations/{self._installation or self._only_one()}/access_tokens"
        answer = self._app.send("POST", path, {})
        with reading(SYSTEM, path):
            return str(answer["token"]), datetime.fromisoformat(answer["expires_at"])

    def _only_one(self) -> int:
        path = "/app/installations"
        with reading(SYSTEM, path):
            found = [int(each["id"]) for each in self._app.pages(path)]
        if len(found) != 1:
            has = ", ".join(map(str, sorted(found))) or "none"
            text = f"the App must have one installation, or VTID_GITHUB_APP_INSTALLATION_ID names it; it has: {has}"
            raise Denied(SYSTEM, text)
        self._installation = found[0]
        return self._installation
