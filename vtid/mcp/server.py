"""The MCP server, whatever carries it: its tools, the spec as a resource, and what it tells at the start."""

from collections.abc import Callable
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.tools import Tool
from mcp.types import ToolAnnotations

from vtid.mcp.calls import Calls, Connect
from vtid.mcp.tools import Tools

INSTRUCTIONS = """\
You are a coding worker. Work comes as orders, each for one task (a VTID) with an approved spec.
1. claim_work takes an order and gives the spec, repository, branch and a lease. Keep order_id and lease.
2. Do the work on that branch. Call report_progress whenever something moved, at the latest every progress_seconds.
   If an answer says `stop`, stop at once, push nothing more, and call release_work.
3. Push, open the pull request with every required marker in its title, then call submit_evidence with its URL and head.
4. If you cannot do it, call fail_work with the reason. Never claim work that you do not mean to do.
Repeating a call is safe. Every refusal says what to do next: do that."""

READS = ToolAnnotations(read_only_hint=True)
CHANGES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True)


def tools_for(worker: Tools) -> list[Tool]:
    """Every tool, in the order in which a worker needs them."""
    hints: dict[Callable[..., Any], ToolAnnotations] = {
        worker.list_work_orders: READS,
        worker.claim_work: CHANGES,
        worker.get_spec: READS,
        worker.heartbeat: CHANGES,
        worker.report_progress: CHANGES,
        worker.submit_evidence: CHANGES,
        worker.fail_work: CHANGES,
        worker.release_work: CHANGES,
    }
    return [Tool.from_function(does, annotations=hint) for does, hint in hints.items()]


def build(connect: Connect, version: str) -> MCPServer:
    """The server. `connect` gives a client of the API for the caller of a tool."""
    worker = Tools(Calls(connect))
    server: MCPServer = MCPServer(
        "vtid",
        title="VTID work orders",
        instructions=INSTRUCTIONS,
        version=version,
        tools=tools_for(worker),
        log_level="WARNING",
        subscriptions=False,
    )
    server.resource("vtid://{vtid}/spec", name="spec", mime_type="text/markdown")(worker.spec_text)
    return server
