"""Tasks, requests and courses of runs, as short as a test wants to read them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from vtid.domain.commands.ledger import RecordEvents
from vtid.domain.commands.run import RunRequest
from vtid.domain.commands.work_orders import OfferWorkOrder
from vtid.domain.environment import Environment
from vtid.domain.events import RunEvent
from vtid.domain.limits import carried
from vtid.domain.stages import Stage
from vtid.domain.task import spec_hash
from vtid.ledger import Ledger
from vtid.ledger.records import TaskRecord

VTID = "VTID-01227"
SPEC = "# Goal\nA shop.\n## Scope\nAll.\n## Acceptance Criteria\nIt sells.\n"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DEV = Environment(name="dev", project="acme-dev", region="europe-west1", repository="acme/shop")
PLANNER, WORKER, VALIDATOR, DEPLOY = Stage


async def task(
    ledger: Ledger, vtid: str | None = VTID, *, markdown: str | None = SPEC, **fields: Any
) -> TaskRecord:
    """A task with a draft spec."""
    defaults: dict[str, Any] = {
        "title": "A shop",
        "repository": "acme/shop",
        "environment": "dev",
        "services": (),
        "priority": 3,
        "created_by": "ann",
    }
    return await ledger.tasks.create(vtid=vtid, markdown=markdown, **(defaults | fields))


async def approved(ledger: Ledger, vtid: str | None = VTID, **fields: Any) -> TaskRecord:
    """A task that may be started."""
    made = await task(ledger, vtid, **fields)
    assert made.spec is not None
    return await ledger.tasks.approve_spec(made.vtid, made.spec.hash, by="bob")


def request(vtid: str = VTID, start_id: str = "start-1", *, spec: str = SPEC, **changes: Any) -> RunRequest:
    fields: dict[str, Any] = {
        "title": "A shop",
        "spec_version": 1,
        "repository": "acme/shop",
        "environment": DEV,
    }
    return RunRequest(
        vtid=vtid, start_id=start_id, spec_hash=spec_hash(spec), limits=carried({}), **(fields | changes)
    )


async def started(
    ledger: Ledger, vtid: str = VTID, start_id: str = "start-1", run_id: str = "run-1"
) -> "Course":
    """The course of a run of an approved task that Temporal has accepted."""
    await approved(ledger, vtid)
    await ledger.runs.request(request(vtid, start_id), by="ann")
    await ledger.runs.opened(start_id, run_id)
    return Course(ledger, vtid, start_id, run_id)


def offer(
    order_id: str = "order-1", *, vtid: str = VTID, run_id: str = "run-1", **changes: Any
) -> OfferWorkOrder:
    fields: dict[str, Any] = {
        "offer": 1,
        "attempt": 1,
        "spec_hash": spec_hash(SPEC),
        "repository": "acme/shop",
        "base": "main",
        "branch": "claude/vtid-01227-run-1-1",
        "priority": 3,
        "heartbeat_seconds": 30,
        "lost_seconds": 90,
        "progress_seconds": 300,
        "unattended_progress_seconds": 1200,
        "cap_seconds": 1800,
    }
    return OfferWorkOrder(order_id=order_id, vtid=vtid, run_id=run_id, **(fields | changes))


def failure(code: str = "CHECKS_FAILED", stage: Stage = VALIDATOR) -> dict[str, Any]:
    return {
        "code": code,
        "stage": stage.value,
        "outcome": "failure",
        "message": "checks stayed red: ci",
        "moves": ["retry", "adopt", "abandon"],
    }


class Course:
    """Tells the events of one run, one batch at a time, as its workflow would."""

    def __init__(
        self, ledger: Ledger, vtid: str = VTID, start_id: str = "start-1", run_id: str = "run-1"
    ) -> None:
        self.ledger, self.vtid, self.start_id, self.run_id = ledger, vtid, start_id, run_id
        self.told: list[RunEvent] = []

    def batch(self, *events: tuple[str, Stage, dict[str, Any]]) -> RecordEvents:
        """The next events, not yet recorded."""
        for kind, stage, data in events:
            seq = len(self.told) + 1
            at = NOON + timedelta(seconds=seq)
            self.told.append(RunEvent(self.run_id, seq, self.vtid, kind, at, stage, data=data))
        return RecordEvents(
            self.vtid, self.run_id, self.start_id, tuple(self.told[len(self.told) - len(events) :])
        )

    async def tell(self, *events: tuple[str, Stage, dict[str, Any]]) -> RecordEvents:
        command = self.batch(*events)
        await self.ledger.journal.record_events(command)
        return command

    async def begins(self) -> None:
        await self.tell(
            ("run.started", PLANNER, {"title": "A shop", "environment": "dev", "repository": "acme/shop",
                                      "spec_hash": spec_hash(SPEC)}),
            ("stage.started", PLANNER, {}),
            ("run.admitted", PLANNER, {}),
        )  # fmt: skip

    async def works(self) -> None:
        await self.begins()
        await self.tell(("stage.finished", PLANNER, {"status": "success"}), ("stage.started", WORKER, {}))

    async def is_claimed(self, worker: str = "w1", order_id: str = "order-1") -> None:
        await self.works()
        await self.ledger.orders.offer(offer(order_id, vtid=self.vtid, run_id=self.run_id))
        claim = {"order_id": order_id, "attempt": 1, "worker": worker, "mode": "attended"}
        await self.tell(("work_order.claimed", WORKER, claim))

    async def validates(self) -> None:
        await self.works()
        pull = {"url": "https://github.com/acme/shop/pull/7", "number": 7, "head_sha": "a" * 40}
        await self.tell(
            ("evidence.observed", WORKER, {"source": "handed_in", "pull_request": pull}),
            ("stage.finished", WORKER, {"status": "success"}),
            ("stage.started", VALIDATOR, {}),
        )

    async def blocks(self) -> None:
        await self.validates()
        await self.tell(
            ("run.blocked", VALIDATOR, {"failure": failure(), "until": "2026-11-26T12:00:00+00:00"})
        )

    async def completes(self) -> None:
        await self.validates()
        await self.tell(
            ("stage.finished", VALIDATOR, {"status": "success"}),
            ("stage.started", DEPLOY, {}),
            ("change.merged", DEPLOY, {"sha": "b" * 40}),
            ("stage.finished", DEPLOY, {"status": "success"}),
            ("run.finished", DEPLOY, {"outcome": "success", "status": "completed", "failure": None}),
        )

    async def fails(self) -> None:
        await self.validates()
        end = {"outcome": "failure", "status": "rejected", "failure": failure()}
        await self.tell(("run.finished", VALIDATOR, end))
