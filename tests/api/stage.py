"""The stage on which the API's tests play: an app on a real ledger, and verbs for what happens around it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI

from api.plain import plain
from api.services import Services
from tests.api.engine import FakeEngine
from vtid.domain.commands.ledger import RecordEvents
from vtid.domain.commands.work_orders import OfferWorkOrder
from vtid.domain.events import RunEvent
from vtid.domain.stages import Stage
from vtid.domain.task import spec_hash
from vtid.ledger import Ledger

SPEC = "# Goal\nShip it.\n## Scope\nAll.\n## Acceptance Criteria\nGreen.\n"
SHA = "a" * 40
SIGNING_KEY = "a key of more than thirty-two bytes for signing"
PULL = "https://github.com/acme/shop/pull/7"


@dataclass
class Play:
    """An app with its ledger, its engine, and one client for each role."""

    app: FastAPI
    ledger: Ledger
    engine: FakeEngine
    keys: dict[str, str]
    _seqs: dict[str, int] = field(default_factory=dict)

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services

    def client(self, role: str | None, *, host: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
        if role is not None:
            headers["Authorization"] = f"Bearer {self.keys[role]}"
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(host, 50_000))
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8700", headers=headers)

    async def call(self, role: str | None, method: str, path: str, **kwargs: Any) -> httpx.Response:
        async with self.client(role) as client:
            return await client.request(method, f"/api/v1{path}", **kwargs)

    async def get(self, path: str, role: str = "viewer", **kwargs: Any) -> httpx.Response:
        return await self.call(role, "GET", path, **kwargs)

    async def post(self, path: str, body: Any = None, role: str = "admin", **kwargs: Any) -> httpx.Response:
        return await self.call(role, "POST", path, json=body, **kwargs)

    # --- what people and runs do

    async def task(self, markdown: str | None = SPEC, *, approved: bool = True) -> str:
        """A task; by default with an approved spec. Gives its VTID."""
        body = {"title": "Ship it", "repository": "acme/shop", "environment": "dev", "spec": markdown}
        answer = await self.post("/tasks", body)
        assert answer.status_code == 201, answer.text
        vtid: str = answer.json()["vtid"]
        if approved and markdown is not None:
            approval = await self.post(f"/tasks/{vtid}/spec/approve", {"hash": spec_hash(markdown)})
            assert approval.status_code == 200, approval.text
        return vtid

    async def run(self) -> str:
        """A task whose run is open and has told that it began. Gives its VTID."""
        vtid = await self.task()
        answer = await self.post("/runs", {"vtid": vtid})
        assert answer.status_code == 202, answer.text
        target: dict[str, Any] = {
            "repository": "acme/shop",
            "environment": "dev",
            "spec_hash": spec_hash(SPEC),
        }
        await self.tell(vtid, "run.started", title="Ship it", **target)
        await self.tell(vtid, "stage.started", stage=Stage.PLANNER)
        return vtid

    async def tell(self, vtid: str, kind: str, *, stage: Stage | None = None, **data: Any) -> None:
        """The run tells an event, as its workflow would through the journal."""
        record = await self.ledger.runs.current(vtid)
        run_id = record.run_id or ""
        seq = self._seqs[run_id] = self._seqs.get(run_id, 0) + 1
        event = RunEvent(run_id, seq, vtid, kind, datetime.now(UTC), stage, data=data)
        command = RecordEvents(vtid, run_id, record.start_id, (event,))
        await self.ledger.journal.record_events(command)

    async def wait(self, vtid: str, what: str) -> None:
        """The run tells what it waits for."""
        waiting: dict[str, Any] = {"for": what, "who": "worker", "since": datetime.now(UTC), "until": None}
        await self.tell(vtid, "wait.started", **plain(waiting))

    async def offer(self, vtid: str, *, lost_seconds: float = 90, requires: tuple[str, ...] = ()) -> str:
        """The run offers a work order. Gives its id."""
        record = await self.ledger.runs.current(vtid)
        order_id = f"order-{uuid4().hex[:8]}"
        await self.ledger.orders.offer(
            OfferWorkOrder(
                order_id=order_id, vtid=vtid, run_id=record.run_id or "", offer=1, attempt=1,
                spec_hash=spec_hash(SPEC), repository="acme/shop", base="main",
                branch="claude/vtid-1", priority=3, heartbeat_seconds=30, lost_seconds=lost_seconds,
                progress_seconds=300, unattended_progress_seconds=1200, cap_seconds=1800, requires=requires,
            )
        )  # fmt: skip
        return order_id

    async def claim(self, worker: str = "w1", **more: Any) -> httpx.Response:
        return await self.post("/work-orders/claim", {"worker_id": worker, **more}, role="worker")

    async def claimed(self, worker: str = "w1") -> dict[str, Any]:
        """A run whose order this worker holds. Gives the claim's answer."""
        vtid = await self.run()
        await self.offer(vtid)
        answer = await self.claim(worker, vtid=vtid)
        assert answer.status_code == 200, answer.text
        grant: dict[str, Any] = answer.json()
        return grant

    async def say(self, grant: dict[str, Any], verb: str, **body: Any) -> httpx.Response:
        """The worker speaks under its lease."""
        return await self.post(
            f"/work-orders/{grant['order_id']}/{verb}", {"lease": grant["lease"], **body}, role="worker"
        )
