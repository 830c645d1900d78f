"""The tools. Their docstrings and the descriptions of their arguments are what the model reads."""

from typing import Annotated, Any, Literal
from urllib.parse import quote

from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from pydantic import Field

from vtid.mcp.answers import Accepted, Beat, Claim, Spec, WorkOrder, WorkOrders
from vtid.mcp.calls import AnyContext, Calls

OrderId = Annotated[str, Field(description="order_id that claim_work answered with")]
Lease = Annotated[str, Field(description="lease that claim_work answered with, exactly as it is")]
VtidName = Annotated[str, Field(description="the task, for example VTID-01227")]

_BEGIN = (
    "do what the spec says on that branch, push it, and open a pull request to base whose title names "
    "every required marker; call report_progress whenever something moved, then submit_evidence"
)
_MEND = (
    "mend what the findings say, push to that branch (the pull request at pr_url follows it; open no second one); "
    "call report_progress whenever something moved, then submit_evidence with pr_url and the new head"
)
_NONE_THERE = "no order is there for you now; call claim_work again with wait_seconds=30, or end your turn"
_GO_ON = "go on; call again before expires_at and within progress_seconds"
_STOP = "stop working on this order now, push nothing more, and call release_work to confirm it"
_DONE = "you are done with this order: GitHub is read now, and the run goes on alone; claim_work gives the next one"
_OVER = "you are done with this order; push nothing more for it. claim_work gives the next one"


class Tools:
    """What a worker does, each as one call of the API."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def list_work_orders(
        self,
        context: AnyContext,
        state: Annotated[
            Literal["offered", "claimed", "withdrawn", "ended"],
            Field(description="offered: free to be claimed"),
        ] = "offered",
        vtid: Annotated[str | None, Field(description="only the orders of this task")] = None,
        limit: Annotated[int, Field(ge=1, le=100)] = 20,
    ) -> WorkOrders:
        """See which work orders there are. Claims nothing."""
        page = await self._calls.get(context, "/work-orders", state=state, vtid=vtid, limit=limit)
        items = [
            WorkOrder.model_validate(item | {"held_by": (item["lease"] or {}).get("worker")})
            for item in page["items"]
        ]
        free = any(item.state == "offered" for item in items)
        return WorkOrders(items=items, next_step="claim one with claim_work" if free else _NONE_THERE)

    async def claim_work(
        self,
        context: AnyContext,
        worker_id: Annotated[
            str,
            Field(
                min_length=1,
                max_length=200,
                description="your name: made up once, unlike any other worker's, the same for all your claims",
            ),
        ],
        vtid: Annotated[
            str | None, Field(description="only an order of this task; default: the next one")
        ] = None,
        wait_seconds: Annotated[float, Field(ge=0, le=30, description="how long to wait for an order")] = 0,
        capabilities: Annotated[
            list[str] | None,
            Field(description="what you can do; orders that require more are left to others"),
        ] = None,
        mode: Annotated[
            Literal["unattended", "attended"],
            Field(
                description="unattended: any call within progress_seconds keeps the order (for a model that works "
                "between calls); attended: a heartbeat every heartbeat_seconds keeps it"
            ),
        ] = "unattended",
    ) -> Claim:
        """Take the next work order, with its spec and the lease that your later calls need.

        One worker wins each order. Calling again under the same worker_id gives the order that you hold.
        """
        order = await self._calls.post(
            context,
            "/work-orders/claim",
            worker_id=worker_id,
            vtid=vtid,
            wait_seconds=wait_seconds,
            mode=mode,
            capabilities=capabilities or [],
        )
        if order is None:
            return Claim(claimed=False, next_step=_NONE_THERE)
        begin = _MEND if order["kind"] == "repair" else _BEGIN
        return Claim.model_validate(order | {"claimed": True, "next_step": begin})

    async def heartbeat(self, context: AnyContext, order_id: OrderId, lease: Lease) -> Beat:
        """Keep your order, and hear whether to go on. The answer `stop` ends your work on it."""
        return await self._beat(context, order_id, lease, None)

    async def report_progress(
        self,
        context: AnyContext,
        order_id: OrderId,
        lease: Lease,
        progress: Annotated[
            str, Field(min_length=1, max_length=500, description="what moved, in one sentence")
        ],
        commit_sha: Annotated[str | None, Field(description="the last commit, if there is a new one")] = None,
        log_position: Annotated[int | None, Field(ge=0, description="how far your own log has grown")] = None,
    ) -> Beat:
        """Tell what moved since the last call. Keeps your order as a heartbeat does, and people see it."""
        marks = {"note": progress, "commit_sha": commit_sha, "log_position": log_position}
        told = {name: value for name, value in marks.items() if value is not None}
        return await self._beat(context, order_id, lease, told)

    async def submit_evidence(
        self,
        context: AnyContext,
        order_id: OrderId,
        lease: Lease,
        pr_url: Annotated[str, Field(description="https://github.com/<owner>/<name>/pull/<number>")],
        head_sha: Annotated[str, Field(description="the 40 hex digits of the pull request's last commit")],
        branch: Annotated[str | None, Field(description="the pull request's branch")] = None,
        files: Annotated[list[str] | None, Field(description="the changed files")] = None,
        summary: Annotated[str | None, Field(description="what was done, in a few sentences")] = None,
    ) -> Accepted:
        """Hand in your pull request. Push everything before: another head later voids it.

        Nothing in it is believed; GitHub is read. This ends your work on the order.
        """
        return await self._answer(
            context,
            order_id,
            "evidence",
            _DONE,
            lease=lease,
            pr_url=pr_url,
            head_sha=head_sha,
            branch=branch,
            files=files,
            summary=summary,
        )

    async def fail_work(
        self,
        context: AnyContext,
        order_id: OrderId,
        lease: Lease,
        message: Annotated[
            str, Field(min_length=1, max_length=8_000, description="what went wrong, and why")
        ],
        retryable: Annotated[bool, Field(description="false when another try cannot help either")] = True,
    ) -> Accepted:
        """Tell that you cannot do this order. This ends your work on it."""
        return await self._answer(
            context, order_id, "fail", _OVER, lease=lease, message=message, retryable=retryable
        )

    async def release_work(
        self,
        context: AnyContext,
        order_id: OrderId,
        lease: Lease,
        reason: Annotated[str, Field(max_length=2_000)] = "",
    ) -> Accepted:
        """Give the order back undone, or confirm that you stopped after you were told to."""
        return await self._answer(context, order_id, "release", _OVER, lease=lease, reason=reason)

    async def get_spec(self, context: AnyContext, vtid: VtidName) -> Spec:
        """Read a task's spec: the text that its open run works with, else the newest."""
        return Spec.model_validate(await self._calls.get(context, f"/tasks/{quote(vtid, safe='')}/spec"))

    async def spec_text(self, vtid: str, context: AnyContext) -> str:
        """A task's spec in Markdown: the text that its open run works with, else the newest."""
        try:
            return (await self.get_spec(context, vtid)).markdown
        except ToolError as refusal:  # the SDK tells a reader of resources only what is raised as this
            raise ResourceError(str(refusal)) from refusal

    async def _beat(
        self, context: AnyContext, order_id: str, lease: str, progress: dict[str, Any] | None
    ) -> Beat:
        path = f"/work-orders/{quote(order_id, safe='')}/heartbeat"
        answer = await self._calls.post(context, path, lease=lease, progress=progress)
        return Beat(**answer, next_step=_STOP if answer["action"] == "stop" else _GO_ON)

    async def _answer(
        self, context: AnyContext, order_id: str, verb: str, next_step: str, **said: Any
    ) -> Accepted:
        path = f"/work-orders/{quote(order_id, safe='')}/{verb}"
        answer = await self._calls.post(context, path, **said)
        return Accepted.model_validate(answer | {"next_step": next_step})
