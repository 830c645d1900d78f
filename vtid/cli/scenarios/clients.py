"""Scenarios of clients that are no workers of ours: they cannot beat, know no leases, and repeat themselves."""

import asyncio

from vtid.cli.scenarios.calls import Json
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import REPORTED, Promise, Scenario
from vtid.domain.task import TaskStatus

ORCHESTRATOR = "/api/v1/worker/orchestrator"
SILENT_SECONDS = 6.0  # twice the silence that loses the lease of a worker that can beat
CALLERS = 4


def _branch(drill: Drill) -> str:
    return f"claude/{drill.vtid.lower()}-by-a-client"


async def _unattended(drill: Drill) -> None:
    """An MCP client of old: its first call is the pickup, and it says nothing until it is done."""
    await drill.start()
    wish = {"vtid": drill.vtid, "actor": "claude-code", "worker_id": "quiet"}
    drill.notes["pickup"] = await drill.call("POST", f"{ORCHESTRATOR}/route", wish)
    await asyncio.sleep(SILENT_SECONDS)
    drill.notes["after the silence"] = await drill.call("GET", f"/api/v1/runs/{drill.vtid}")
    pull = await drill.world.open_pull(_branch(drill), f"{drill.vtid}: done quietly")
    event = {
        "type": "vtid.evidence.pr_opened",
        "vtid": drill.vtid,
        "actor": "claude-code",
        "worker_id": "quiet",
    }
    told = event | {"details": {"pr_url": pull["html_url"]}}
    drill.notes["handed in"] = await drill.call("POST", "/api/v1/oasis/events", told)
    await drill.until_decided()


UNATTENDED_CLIENT = Scenario(
    "unattended-client",
    "A client that cannot beat takes an order and is silent for longer than a worker may be: it keeps its lease.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"work_order.offered": 1, "work_order.claimed": 1, "attempt.ended": 0, "evidence.claimed": 1},
        claims={
            "its lease is unattended": lambda seen: (
                [data["mode"] for data in seen.of("work_order.claimed")] == ["unattended"]
            ),
            "after the silence it held the order, and nobody called it suspect": lambda seen: (
                seen.notes["after the silence"]["worker"] == "quiet"
                and seen.notes["after the silence"]["lease"]["suspect"] is False
                and seen.notes["after the silence"]["lease"]["last_beat_age_seconds"] >= SILENT_SECONDS - 1
            ),
            "what it named in an event is the evidence": lambda seen: (
                seen.notes["handed in"]["evidence"]["state"] == "handed_in"
            ),
        },
    ),
    _unattended,
)


async def _four_identical(drill: Drill) -> None:
    """A client without locks: each of its calls arrives four times at once."""
    await drill.start()
    await drill.until_event("work_order.offered")
    who = {"vtid": drill.vtid, "worker_id": "without-locks"}
    claim = f"{ORCHESTRATOR}/tasks/{drill.vtid}/claim"
    drill.notes["claims"] = await _four_times(drill, claim, who | {"expires_minutes": 60})
    await drill.world.open_pull(_branch(drill), f"{drill.vtid}: done")
    run_id = (drill.run or {})["run_id"]
    done = who | {"run_id": run_id, "success": True, "summary": "done"}
    drill.notes["completes"] = await _four_times(drill, f"{ORCHESTRATOR}/complete", done)
    ended = who | {"outcome": "success", "run_id": run_id}
    drill.notes["terminalizes"] = await _four_times(drill, "/api/v1/oasis/vtid/terminalize", ended)
    await drill.until_decided()


async def _four_times(drill: Drill, path: str, body: Json) -> list[Json]:
    answers = await asyncio.gather(*(drill.ask("POST", path, body) for _ in range(CALLERS)))
    return [answer.json() | {"status_code": answer.status_code} for answer in answers]


FOUR_IDENTICAL_CALLS = Scenario(
    "four-identical-calls",
    "The same claim, completion and end arrive four times at once: one transition each, and four true answers.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={
            "work_order.offered": 1,
            "work_order.claimed": 1,
            "evidence.claimed": 1,
            "evidence.observed": 1,
            "attempt.ended": 0,
            "change.merged": 1,
        },
        claims={
            "all four claims were answered with the one attempt": lambda seen: (
                [(each["status_code"], each["claimed"], each["attempt"]) for each in seen.notes["claims"]]
                == [(200, True, 1)] * CALLERS
            ),
            "all four completions were taken": lambda seen: (
                [(each["status_code"], each["ok"]) for each in seen.notes["completes"]]
                == [(200, True)] * CALLERS
            ),
            "no end was believed: all four were told where the task truly stood": lambda seen: (
                [
                    (each["status_code"], each["ok"], each["status"] in ("in_progress", "validating"))
                    for each in seen.notes["terminalizes"]
                ]
                == [(200, True, True)] * CALLERS
            ),
        },
    ),
    _four_identical,
)

SCENARIOS = (UNATTENDED_CLIENT, FOUR_IDENTICAL_CALLS)
