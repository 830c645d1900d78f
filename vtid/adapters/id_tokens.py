"""Google's ID tokens for services that let nobody in without one, from the credentials of the machine."""

import time
from threading import Lock
from typing import Any

from vtid.adapters.errors import shortened

REMEMBERED = 15.0  # seconds that "there is none" is believed: to find that out may take a dozen


class NoToken(Exception):
    """There is no ID token; says why, and what a person can do."""


class IdTokens:
    """Tokens by audience, kept until shortly before they expire. Safe to share between threads.

    They come from the file that GOOGLE_APPLICATION_CREDENTIALS names, or from the metadata server of the machine.
    timeout: seconds that one question to either may last.
    """

    def __init__(self, *, timeout: float = 5.0) -> None:
        self._timeout = timeout
        self._asking = Lock()
        self._credentials: dict[str, Any] = {}
        self._without: dict[str, tuple[float, str]] = {}

    def of(self, audience: str) -> str:
        """The token for this service's address. Raises NoToken."""
        with self._asking:
            until, why = self._without.get(audience, (0.0, ""))
            if time.monotonic() < until:
                raise NoToken(why)
            try:
                return self._token(audience)
            except NoToken as cause:
                self._without[audience] = (time.monotonic() + REMEMBERED, str(cause))
                raise

    def forget(self, audience: str) -> None:
        """The token was not accepted: the next one is asked for anew."""
        with self._asking:
            self._credentials.pop(audience, None)

    def _token(self, audience: str) -> str:
        from google.auth.exceptions import GoogleAuthError
        from google.oauth2.id_token import fetch_id_token_credentials

        request = _request(self._timeout)
        try:
            if audience not in self._credentials:
                self._credentials[audience] = fetch_id_token_credentials(audience, request)  # type: ignore[no-untyped-call]
            credentials = self._credentials[audience]
            if not credentials.valid:
                credentials.refresh(request)
            return str(credentials.token)
        except (GoogleAuthError, ValueError, KeyError) as cause:
            self._credentials.pop(audience, None)
            text = f"no ID token for {audience}: {type(cause).__name__} {shortened(str(cause))}"
            raise NoToken(f"{text}; give the worker and the API a service account of Google's") from cause


def _request(timeout: float) -> Any:
    """Google's transport with our patience: where its callers name none it would wait for two minutes."""
    from google.auth.transport.requests import Request

    class Bounded(Request):
        def __call__(self, *args: Any, **given: Any) -> Any:
            return super().__call__(*args, **{"timeout": timeout, **given})  # type: ignore[no-untyped-call]

    return Bounded()
