"""As much of the work-order API as a worker meets: one order after another, with a lease that can be lost."""

import time
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .conftest import SHOP

LOST_S = 0.3


@dataclass
class WorkOrderApi:
    """Not a mock of ours: the public contract, in its simplest form."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    open_orders: int = 1
    action: str = "continue"
    outages: int = 0
    last_beat: float = 0.0
    counts_silence: bool = False  # on a busy machine any worker may be silent for so long

    def app(self) -> Starlette:
        root = "/api/v1/work-orders"
        return Starlette(
            routes=[
                Route(f"{root}/claim", self.claim, methods=["POST"]),
                Route(f"{root}/{{order}}/{{verb}}", self.told, methods=["POST"]),
            ]
        )

    async def claim(self, request: Request) -> Response:
        if refused := self.refuse(request):
            return refused
        if self.open_orders == 0:
            return Response(status_code=204)
        self.open_orders -= 1
        self.last_beat = time.monotonic()
        return JSONResponse(
            {
                "order_id": "o-1",
                "vtid": "VTID-0001",
                "run_id": "run-000001",
                "attempt": 1,
                "lease": "lease-1",
                "expires_at": "2030-01-01T00:00:00Z",
                "deadlines": {
                    "heartbeat_seconds": 0.05,
                    "lost_seconds": LOST_S,
                    "progress_seconds": 5,
                    "cap_seconds": 10,
                },
                "spec": "# Goal",
                "spec_hash": "0" * 64,
                "repository": SHOP,
                "base": "main",
                "branch": "claude/vtid-0001-1",
                "required_markers": ["Marker-Line"],
            }
        )

    async def told(self, request: Request) -> Response:
        if refused := self.refuse(request):
            return refused
        verb, body = request.path_params["verb"], await request.json()
        self.calls.append((verb, body))
        if self.counts_silence and time.monotonic() - self.last_beat > LOST_S:
            return JSONResponse({"code": "LEASE_LOST", "detail": "held by somebody else"}, 409)
        self.last_beat = time.monotonic()
        return JSONResponse(
            {"action": self.action, "reason": "cancelled"} if verb == "heartbeat" else {"ok": True}
        )

    def refuse(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != "Bearer key":
            return JSONResponse({"code": "UNAUTHENTICATED"}, 401)
        if self.outages > 0:
            self.outages -= 1
            return JSONResponse({"code": "TEMPORAL_UNAVAILABLE"}, 503)
        return None

    def bodies(self, verb: str) -> list[dict[str, Any]]:
        return [body for name, body in self.calls if name == verb]
