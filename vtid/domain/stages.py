"""The four stages that people look at, and how a stage or a run may end."""

from enum import StrEnum


class Stage(StrEnum):
    PLANNER = "PLANNER"
    WORKER = "WORKER"
    VALIDATOR = "VALIDATOR"
    DEPLOY = "DEPLOY"


class StageStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    BLOCKED = "blocked"
    SUCCESS = "success"
    ERROR = "error"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """How a run ended, and whose fault it was."""

    SUCCESS = "success"
    FAILURE = "failure"  # the change is at fault
    ERROR = "error"  # a system is at fault
    TIMEOUT = "timeout"
    CANCELLATION = "cancellation"


class Move(StrEnum):
    """What a person may do with a blocked run."""

    RETRY = "retry"  # the stage again, with a fresh budget
    ADOPT = "adopt"  # take an existing pull request as evidence; it passes the same gates
    SKIP = "skip"  # let one rule of the verdict be, for exactly this head
    ABANDON = "abandon"  # end the run as a failure
