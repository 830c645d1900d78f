"""What the ledger answers when it cannot do as asked."""

from typing import TYPE_CHECKING, Any

from vtid.domain.errors import Unavailable

if TYPE_CHECKING:
    from vtid.ledger.records import TaskRecord


class LedgerUnavailable(Unavailable):
    """The ledger could not be asked: locked beyond the busy timeout, or the connection was lost. Try later."""

    def __init__(self, message: str) -> None:
        super().__init__("LEDGER", message)


class NotMigrated(Exception):
    """The database is not at the revision that this program needs; the message says what to do."""


class Unknown(Exception):
    """There is no such thing; `what` names it, like `task VTID-01227`."""

    def __init__(self, what: str) -> None:
        super().__init__(f"there is no {what}")
        self.what = what


class Stale(Exception):
    """The task changed since the caller read it; `fresh` is how it is now."""

    def __init__(self, fresh: "TaskRecord") -> None:
        super().__init__(f"{fresh.vtid} changed meanwhile: it is at version {fresh.version}")
        self.fresh = fresh


class Refusal(Exception):
    """The state or a value does not allow this. `code` stands in the failure catalogue or among the API's codes."""

    def __init__(
        self, code: str, message: str, *, expected: Any = None, actual: Any = None, run_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.expected = expected
        self.actual = actual
        self.run_id = run_id
