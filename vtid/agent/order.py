"""A claimed order, and how the work on it can end."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class Order:
    """What a claim answers. Durations are seconds. findings: of a repair order, what is to be mended."""

    order_id: str
    vtid: str
    run_id: str
    attempt: int
    lease: str
    spec: str
    spec_hash: str
    repository: str
    base: str
    branch: str
    markers: tuple[str, ...]
    note: str
    environment: str
    kind: str
    round: int | None
    pr_url: str | None
    findings: tuple[dict[str, Any], ...]
    heartbeat_seconds: float
    lost_seconds: float
    cap_seconds: float

    @classmethod
    def of(cls, answer: dict[str, Any]) -> "Order":
        """Read a claim's answer; what an older API does not say has the meaning that it had then."""
        clocks = answer["deadlines"]
        return cls(
            order_id=answer["order_id"],
            vtid=answer["vtid"],
            run_id=answer["run_id"],
            attempt=answer["attempt"],
            lease=answer["lease"],
            spec=answer["spec"],
            spec_hash=answer["spec_hash"],
            repository=answer["repository"],
            base=answer["base"],
            branch=answer["branch"],
            markers=tuple(answer.get("required_markers") or (answer["vtid"],)),
            note=answer.get("note") or "",
            environment=answer.get("environment") or "",
            kind=answer.get("kind") or "build",
            round=answer.get("round"),
            pr_url=answer.get("pr_url"),
            findings=tuple(answer.get("findings") or ()),
            heartbeat_seconds=clocks["heartbeat_seconds"],
            lost_seconds=clocks["lost_seconds"],
            cap_seconds=clocks["cap_seconds"],
        )

    @property
    def mends(self) -> bool:
        """Whether it goes on with a pull request that is there."""
        return self.kind == "repair"

    @property
    def title(self) -> str:
        """What it is about, in the spec's own words."""
        lines = (line.lstrip("#").strip() for line in self.spec.splitlines())
        said = next((line for line in lines if line), self.vtid)
        return said if self.vtid.lower() in said.lower() else f"{self.vtid}: {said}"


class Result(StrEnum):
    """How the work on an order ended, seen from the agent."""

    DONE = "done"  # evidence was accepted; whether it is good, the run finds out
    FAILED = "failed"  # reported, with what the command said last
    STOPPED = "stopped"  # told to stop, or the agent was stopped; the lease is given back
    LOST = "lost"  # the lease ended without us; nothing was pushed after that
