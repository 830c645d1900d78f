"""What can go wrong with the outside, sorted once at the edge by one question: can a later try help?

OutsideError
├── Unavailable     retried   5xx, 429, timeout, connection refused, cut or garbled answer
└── Refused         final
    ├── Denied      final     401, 403: our credentials or permissions
    ├── Missing     final     404: it is not there
    ├── Conflict    final     405, 409, 422: the world is not as we believed
    └── BadReply    final     an answer that we cannot read, however often we ask

A red check or a wrong commit is none of these: it is a result, and is returned.
"""

from datetime import timedelta


class OutsideError(Exception):
    """Something outside did not answer as hoped. `system` is `GITHUB`, `CLOUD_RUN`, `SERVICE` or `LEDGER`."""

    def __init__(self, system: str, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.system = system
        self.status = status


class Unavailable(OutsideError):
    """A later try may help. `retry_after` is what the other side asked for, if it did."""

    def __init__(
        self, system: str, message: str, *, status: int | None = None, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(system, message, status=status)
        self.retry_after = retry_after


class Refused(OutsideError):
    """A later try cannot help."""


class Denied(Refused):
    """Our credentials or permissions are not enough."""


class Missing(Refused):
    """It is not there."""


class Conflict(Refused):
    """The world is not as we believed."""


class BadReply(Refused):
    """An answer that we cannot read."""


FINAL_ERRORS = ("Refused", "Denied", "Missing", "Conflict", "BadReply")
