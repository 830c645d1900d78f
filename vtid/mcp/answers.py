"""What the tools answer with. The schemas that clients see are made from these types."""

from typing import Any, Literal

from pydantic import BaseModel, Field

NextStep = Field(description="what to do now")


class WorkOrder(BaseModel):
    """One order, as the list shows it."""

    order_id: str
    vtid: str
    state: str
    attempt: int = Field(description="the attempt that a claim would begin, or has begun")
    repository: str
    base: str
    branch: str
    priority: int = Field(description="1 is taken first, 5 last")
    note: str = Field("", description="what the last attempt left to mend, if anything")
    held_by: str | None = None
    created_at: str


class WorkOrders(BaseModel):
    """Orders, and what to do with them."""

    items: list[WorkOrder]
    next_step: str = NextStep


class Deadlines(BaseModel):
    """The clocks that a claimed order lives by, in seconds."""

    heartbeat_seconds: float
    lost_seconds: float
    progress_seconds: float = Field(description="longest time between two calls that count as progress")
    cap_seconds: float = Field(description="longest time that the whole attempt may take")


class Claim(BaseModel):
    """The order that was claimed, with all that is needed to do the work; only `next_step` when there is none."""

    claimed: bool
    next_step: str = NextStep
    order_id: str | None = None
    vtid: str | None = None
    run_id: str | None = None
    attempt: int | None = None
    worker_id: str | None = None
    mode: str | None = None
    lease: str | None = Field(
        None, description="the right to this order; every later call needs it, exactly as it is"
    )
    expires_at: str | None = None
    deadlines: Deadlines | None = None
    spec: str | None = Field(None, description="what shall be done, in Markdown")
    spec_hash: str | None = None
    repository: str | None = None
    base: str | None = Field(None, description="the branch that the pull request goes to")
    branch: str | None = Field(None, description="the branch to work on")
    required_markers: list[str] = Field(
        default_factory=list, description="texts that the pull request's title must name"
    )
    note: str | None = Field(None, description="what the last attempt left to mend, if anything")
    kind: Literal["build", "repair"] | None = Field(
        None,
        description="repair: the pull request is there, mend what the findings say and push to its branch",
    )
    requires: list[str] = Field(default_factory=list, description="what its worker must be capable of")
    round: int | None = None
    rounds: int | None = Field(None, description="after so many rounds a person decides")
    pr_url: str | None = Field(None, description="of a repair: the pull request to push to")
    findings: list[dict[str, Any]] = Field(
        default_factory=list,
        description="of a repair: red checks with the end of their logs, or rules that fail",
    )
    environment: str | None = None


class Beat(BaseModel):
    """Whether to go on."""

    action: Literal["continue", "stop"]
    reason: str | None = None
    expires_at: str = Field(description="when the lease is lost if nothing more is heard")
    next_step: str = NextStep


class Accepted(BaseModel):
    """The call was taken; repeating it changes nothing."""

    accepted: bool
    order_id: str
    vtid: str
    run_id: str
    attempt: int
    next_step: str = NextStep


class Spec(BaseModel):
    """What shall be done."""

    vtid: str
    title: str
    hash: str = Field(description="SHA-256 of the exact UTF-8 bytes")
    pinned: bool = Field(
        description="an open run works with exactly this text, also when a newer one has come"
    )
    markdown: str
