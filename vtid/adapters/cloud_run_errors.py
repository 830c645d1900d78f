"""Cloud Run's errors, sorted once. Its client lets those of `requests`, of protobuf and of auth through."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import requests
from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.auth.exceptions import GoogleAuthError, TransportError
from google.protobuf.json_format import ParseError

from vtid.adapters.errors import error_of_status, pause_asked_for, shortened
from vtid.domain.errors import BadReply, Denied, OutsideError, Unavailable

SYSTEM = "CLOUD_RUN"


@contextmanager
def asking_cloud_run(what: str) -> Iterator[None]:
    """Around every use of the client: only errors of vtid.domain.errors come out."""
    try:
        yield
    except GoogleAPICallError as cause:
        raise _error_of(what, cause) from cause
    except GoogleAuthError as cause:
        raise _error_of_auth(what, cause) from cause
    except (requests.RequestException, RetryError) as cause:
        text = f"{what}: {type(cause).__name__} {shortened(str(cause))}"
        raise Unavailable(SYSTEM, text) from cause
    except (ParseError, UnicodeDecodeError) as cause:
        raise _error_of_body(what, cause) from cause


def _error_of(what: str, cause: GoogleAPICallError) -> OutsideError:
    status = int(cause.code or 500)
    return error_of_status(SYSTEM, status, f"{cause.message} ({what})", retry_after=_pause(cause))


def _pause(cause: GoogleAPICallError) -> timedelta | None:
    if not isinstance(cause.response, requests.Response):
        return None
    return pause_asked_for(cause.response.headers, datetime.now(UTC))


def _error_of_auth(what: str, cause: GoogleAuthError) -> OutsideError:
    """No token: because the place that gives them is out of reach, or because ours are not good enough."""
    text = f"{what}: {type(cause).__name__} {shortened(str(cause))}"
    if isinstance(cause, TransportError) or cause.retryable:
        return Unavailable(SYSTEM, text)
    return Denied(SYSTEM, text)


def _error_of_body(what: str, cause: ParseError | UnicodeDecodeError) -> OutsideError:
    """A body that is no JSON was cut or garbled on its way; JSON of another shape stays what it is."""
    text = f"{what}: {shortened(str(cause))}"
    if isinstance(cause, UnicodeDecodeError) or isinstance(cause.__cause__, json.JSONDecodeError):
        return Unavailable(SYSTEM, text)
    return BadReply(SYSTEM, text)
