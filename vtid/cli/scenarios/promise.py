"""What a scenario promises, as data, and how it is held against what was seen."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.seen import (
    Seen,
    log_is_whole,
    no_worker_works_twice,
    offered_once_each,
    says_what_it_waits_for,
)
from vtid.domain.failures import FAILURES
from vtid.domain.stages import Move, Outcome
from vtid.domain.task import TaskStatus

Claim = Callable[[Seen], bool]
Course = Callable[[Drill], Awaitable[None]]

# What the orchestrator can do to the world. An effect that a promise does not name must not have happened.
EFFECTS = (
    "merge",
    "enqueue",
    "dequeue",
    "dispatch",
    "deployment",
    "deployment_status",
    "check_run",
    "comment",
    "traffic",
)
NOTHING: dict[str, int] = {}
TOLD: dict[str, int] = {"check_run": 1, "comment": 1}  # what the run says of itself on the pull request
MERGED: dict[str, int] = {"merge": 1, **TOLD}
REPORTED: dict[str, int] = {**MERGED, "deployment": 1, "deployment_status": 1}

# What every run promises.
ALWAYS: Mapping[str, Claim] = {
    "no event is lost or doubled, and their fold is the view": log_is_whole,
    "one offer event per offer": offered_once_each,
    "no worker is given an order twice": no_worker_works_twice,
    "an open run says what it waits for, since and until when, and who can move it": says_what_it_waits_for,
}


@dataclass(frozen=True)
class Promise:
    """Where the run stands in the end, and what must and must not have happened on the way.

    `effects` and `events` are exact counts; an effect that is not named is promised not to exist, an event
    that is not named is not looked at. `claims` are sentences, each with the question that answers it.
    """

    status: TaskStatus
    stage: str | None = "DEPLOY"
    code: str | None = None
    effects: Mapping[str, int] = field(default_factory=lambda: NOTHING)
    events: Mapping[str, int] = field(default_factory=dict)
    claims: Mapping[str, Claim] = field(default_factory=dict)
    may_skip: bool = False  # whether what blocks is a rule that a person may let be

    @property
    def outcome(self) -> str | None:
        """Follows from the rest: null while the run is open or when there is none."""
        if self.status is TaskStatus.COMPLETED:
            return Outcome.SUCCESS
        closed = self.status in (TaskStatus.REJECTED, TaskStatus.CANCELLED)
        return FAILURES[self.code].outcome if closed and self.code else None

    @property
    def all_claims(self) -> dict[str, Claim]:
        """Its own, and those that every run makes."""
        return {**self.claims, **(ALWAYS if self.stage is not None else {})}

    @property
    def moves(self) -> list[str]:
        """A blocked run offers all of them (`skip` where a rule can be), anything else none."""
        if self.status is not TaskStatus.BLOCKED:
            return []
        return [move.value for move in Move if move is not Move.SKIP or self.may_skip]

    def as_data(self) -> dict[str, Any]:
        """The promise as JSON."""
        return {
            "status": self.status.value,
            "outcome": self.outcome,
            "stage": self.stage,
            "code": self.code,
            "moves": self.moves,
            "effects": {name: self.effects.get(name, 0) for name in EFFECTS},
            "events": dict(self.events),
            "claims": list(self.all_claims),
        }

    def seen_as_data(self, seen: Seen) -> dict[str, Any]:
        """What was seen, in the shape of the promise: `claims` are those that hold."""
        return {
            "status": seen.status,
            "outcome": seen.outcome,
            "stage": seen.stage,
            "code": seen.code,
            "moves": seen.moves,
            "effects": {name: seen.effects[name] for name in EFFECTS},
            "events": {name: seen.count(name) for name in self.events},
            "claims": [name for name, holds in self.all_claims.items() if _holds(holds, seen)],
        }


@dataclass(frozen=True)
class Scenario:
    """A story that can be run by its name. `alone`: it stops or restarts what others need."""

    name: str
    says: str
    promise: Promise
    course: Course
    alone: bool = False
    environment: str = "drill"  # the section of environments.yaml with limits of a few seconds


@dataclass(frozen=True)
class Result:
    """A promise beside what was seen of it."""

    name: str
    promise: dict[str, Any]
    seen: dict[str, Any]
    why: tuple[str, ...]  # every difference, in words; empty when they agree
    seconds: float

    @property
    def agree(self) -> bool:
        return not self.why

    def as_data(self) -> dict[str, Any]:
        """The result as JSON."""
        return {
            "name": self.name,
            "promise": self.promise,
            "seen": self.seen,
            "agree": self.agree,
            "seconds": round(self.seconds, 1),
            "why": "; ".join(self.why),
        }


def compare(scenario: Scenario, seen: Seen, problem: str | None, seconds: float) -> Result:
    """Hold the promise against what was seen; `problem` is why the course itself came to no end."""
    promised = scenario.promise.as_data()
    found = scenario.promise.seen_as_data(seen)
    why = [problem] if problem else []
    for key in promised:
        why += _differences(key, promised[key], found[key])
    if why and seen.sentence:
        why.append(f"the run: {seen.sentence}")
    return Result(scenario.name, promised, found, tuple(why), seconds)


def _holds(claim: Claim, seen: Seen) -> bool:
    try:
        return claim(seen)
    except (LookupError, TypeError):
        return False  # it asks for something that was never there


def _differences(key: str, promised: Any, found: Any) -> list[str]:
    if key == "claims":
        return [f"not so: {name}" for name in promised if name not in found]
    if isinstance(promised, dict):
        pairs = ((name, number, found.get(name)) for name, number in promised.items())
        return [
            f"{name}: promised {number}, seen {other}" for name, number, other in pairs if number != other
        ]
    return [] if promised == found else [f"{key}: promised {promised}, seen {found}"]
