"""How the command ends: the exit codes that scripts rely on, and the one line that says what to do."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes. They are part of the interface and are never renumbered."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFLICT = 3  # also: stale
    FORBIDDEN = 4
    BLOCKED = 5  # also: refused by policy
    NO_WORK = 6
    NOT_FOUND = 7
    NOT_SIGNED_IN = 8
    UNREACHABLE = 9
    TIMED_OUT = 124


class CommandFailed(Exception):
    """The command cannot do what was asked. The message is one line: what happened, and what to do."""

    def __init__(self, message: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.code = code


# A 409 says that the world moved on, except where a gate refuses what was never allowed.
_REFUSED_BY_POLICY = frozenset(
    {"SPEC_MISSING", "SPEC_NOT_APPROVED", "EXECUTION_DISARMED", "PROOF_KEY_MISSING"}
)
_BY_STATUS = {
    400: Exit.USAGE,
    401: Exit.NOT_SIGNED_IN,
    403: Exit.FORBIDDEN,
    404: Exit.NOT_FOUND,
    408: Exit.TIMED_OUT,
    409: Exit.CONFLICT,
    412: Exit.CONFLICT,
    413: Exit.USAGE,
    422: Exit.USAGE,
    502: Exit.UNREACHABLE,
    503: Exit.UNREACHABLE,
    504: Exit.TIMED_OUT,
}


def exit_for(status: int, code: str) -> Exit:
    """The exit code for an API problem, by its stable code first and its HTTP status second."""
    if code in _REFUSED_BY_POLICY:
        return Exit.BLOCKED
    return _BY_STATUS.get(status, Exit.FAILED)


def exit_for_run(run: dict[str, object]) -> Exit:
    """The exit code for where a run stands: its outcome when it is closed, else whether it is blocked."""
    match run.get("outcome"), run.get("status"):
        case "success", _:
            return Exit.OK
        case "timeout", _:
            return Exit.TIMED_OUT
        case None, "blocked":
            return Exit.BLOCKED
        case None, _:
            return Exit.OK
        case _:
            return Exit.FAILED
