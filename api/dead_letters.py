"""The repair bench: each blocked run with what led to it and what can be done, and decisions about many at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.engine import EngineUnavailable
from api.moves import effects
from api.plain import plain
from api.problems import EXPECTED, Problem, problem_of
from vtid.domain.commands.messages import Rescue
from vtid.domain.stages import Move
from vtid.domain.view import RunView
from vtid.ledger.records import DeadLetterRecord

MOST_AT_ONCE = 100  # entries that one call decides about
_UNDER_WAY = 10

Json = dict[str, Any]


def shown(letter: DeadLetterRecord, now: datetime) -> Json:
    """A dead letter as the API shows it."""
    failure, view = letter.failure, letter.view
    return {
        "id": letter.id,
        "vtid": letter.vtid,
        "run_id": letter.run_id,
        "title": view.title,
        "environment": view.environment,
        "repository": view.repository,
        "state": letter.state,
        "stage": letter.stage,
        "step": failure.get("step"),
        "attempt": failure.get("attempt"),
        "code": letter.code,
        "outcome": letter.outcome,
        "retryable": failure.get("retryable", False),
        "message": letter.message,
        "advice": failure.get("advice", ""),
        "causes": failure.get("causes", []),
        "failure": failure,
        "inputs": _inputs(letter),
        "side_effects": plain(letter.side_effects),
        "since": plain(letter.since),
        "until": plain(letter.until),
        "age_seconds": round((now - letter.since).total_seconds(), 1),
        "moves": _moves(view) if letter.state == "open" else [],
        "resolution": letter.resolution,
        "resolved_by": letter.resolved_by,
        "resolved_at": plain(letter.resolved_at),
        "links": view.links | {"run": f"/api/v1/runs/{letter.vtid}"},
    }


def _inputs(letter: DeadLetterRecord) -> Json:
    """What the failed stage worked from."""
    view, request = letter.view, letter.request
    return {
        "spec_hash": view.spec_hash,
        "spec_version": request.spec_version if request else None,
        "base": request.base if request else None,
        "services": list(request.services) if request else [],
        "priority": request.priority if request else None,
        "started_by": request.requested_by if request else None,
        "started_at": plain(view.started_at),
        "worker": view.worker,
        "attempt": view.attempt,
        "order_id": view.order_id,
        "evidence": plain(view.evidence),
        "verdict": plain(view.verdict),
        "merged": view.merged,
        "proof": plain(view.proof),
    }


def _moves(view: RunView) -> list[Json]:
    """The moves on offer, each with what it would do: a dry run of it says the same."""
    return [
        {**move, "effects": effects(view, Rescue(Move(move["move"]), by="", reason="", pr_url=None))}
        for move in view.moves
    ]


# ---------------------------------------------------------------- many at once


@dataclass(frozen=True)
class Decided:
    """What became of one entry. result: `done`, `would`, `refused`, `failed` or `not_tried`."""

    letter: DeadLetterRecord
    result: str
    effects: Sequence[str] = ()
    problem: Problem | None = None

    def shown(self) -> Json:
        problem = self.problem.body() if self.problem else None
        if problem:
            problem = {key: problem[key] for key in ("code", "title", "status", "detail", "retryable")}
        return {
            "id": self.letter.id,
            "vtid": self.letter.vtid,
            "run_id": self.letter.run_id,
            "code": self.letter.code,
            "result": self.result,
            "effects": list(self.effects),
            "problem": problem,
        }


Decide = Callable[[DeadLetterRecord], Awaitable[tuple[str, Sequence[str]]]]


async def decide_all(letters: Sequence[DeadLetterRecord], decide: Decide) -> list[Decided]:
    """Decide about each, some at a time. What one refuses stays with it.

    Once Temporal does not answer, the rest is not tried: each would wait for its whole timeout.
    """
    gate, unreachable = asyncio.Semaphore(_UNDER_WAY), asyncio.Event()

    async def one(letter: DeadLetterRecord) -> Decided:
        async with gate:
            if unreachable.is_set():
                return Decided(letter, "not_tried")
            try:
                result, told = await decide(letter)
            except EXPECTED as error:
                if isinstance(error, EngineUnavailable):
                    unreachable.set()
                problem = problem_of(error)
                return Decided(letter, "failed" if problem.status >= 500 else "refused", problem=problem)
            return Decided(letter, result, told)

    return list(await asyncio.gather(*(one(letter) for letter in letters)))
