"""From a check that ends on GitHub to the verdict that a client of the stream sees, by a webhook alone."""

import asyncio
from datetime import UTC, datetime
from statistics import median
from typing import Any

from tests.bench.figures import Row, p95
from vtid.cli.scenarios.drill import Drill
from vtid.cli.stack import Stack
from vtid.domain.environment import Environment

HINTED = "hinted"  # an environment whose polls look once a minute: what comes sooner came by a hint
LIMITS = {"await_checks": {"one_try": "5s", "budget": "3m", "back_off": ["60s"]}}
_FIRST_LOOK_SECONDS = 0.5  # the poll's own first look is over by then


def declared(drill: dict[str, Any]) -> dict[str, Any]:
    """The section of environments.yaml, made from the drill's."""
    return drill | {"repository": "acme/hinted-*", "limits": drill["limits"] | LIMITS}


async def measure(stack: Stack, environment: Environment, runs: int) -> list[Row]:
    """One row, over so many runs one after another."""
    taken = [await _once(stack, environment, n) for n in range(runs)]
    note = f"{len(taken)} runs, p50 {median(taken):.0f} ms; polls look once a minute"
    return [Row("check ends to verdict seen, p95", p95(taken), None, "ms", "< 2 s", note=note)]


async def _once(stack: Stack, environment: Environment, number: int) -> float:
    """Milliseconds."""
    async with Drill(stack, environment, f"bench-hint-{number}") as drill:
        hook = {"url": drill.webhook_url, "secret": stack.webhook_secret}
        await drill.world.behave({"checks": {"auto": False}, "webhooks": hook})
        await drill.hire("worker")
        await drill.start()
        observed = await drill.until_event("evidence.observed")
        head = observed["pull_request"]["head_sha"]
        await _check(drill, head, "in_progress")
        await drill.until_event("step.started", step="await_checks")
        await asyncio.sleep(_FIRST_LOOK_SECONDS)
        ended = datetime.now(UTC)
        await _check(drill, head, "completed", conclusion="success")
        await drill.until_event("verdict.reached", passed=True)
        seen = datetime.now(UTC)
        await drill.until_over()
    return (seen - ended).total_seconds() * 1000


async def _check(drill: Drill, sha: str, status: str, **more: str) -> None:
    wish = {"repository": drill.world.repository, "sha": sha, "name": "ci", "status": status, **more}
    await drill.world.call("POST", "/_sim/checks", wish)
