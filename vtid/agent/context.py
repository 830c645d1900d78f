"""What the command is told: the spec on standard input, the rest in its environment.

The names begin with WORK_, not VTID_: the command may itself start programs of ours, whose settings VTID_… are.
"""

import os
import re
from collections.abc import Mapping
from typing import Any

from vtid.agent.order import Order
from vtid.agent.workspace import Workspace

# fmt: off
TOLD = {
    "VTID":               "the task",
    "WORK_RUN_ID":        "its run",
    "WORK_ATTEMPT":       "which attempt of the run this is, from 1",
    "WORK_REPOSITORY":    "OWNER/NAME",
    "WORK_BRANCH":        "the branch that is checked out and will be pushed",
    "WORK_BASE":          "the branch that it shall be merged into",
    "WORK_ENVIRONMENT":   "the environment that it is for",
    "WORK_SPEC_HASH":     "SHA-256 of the spec",
    "WORK_KIND":          "`build`, or `repair`: the branch holds work that did not pass",
    "WORK_ROUND":         "of a repair, which round; else empty",
    "WORK_PR_URL":        "of a repair, the pull request; else empty",
    "WORK_NOTE":          "why the attempt before this one ended; empty for the first",
    "WORK_FINDINGS_FILE": "JSON: of a repair, what is to be mended, with links and ends of logs",
    "WORK_PROGRESS_FILE": "append one line for each step: it is told with the next heartbeat",
    "WORK_SUMMARY_FILE":  "write what was done: it becomes the pull request's text",
}
# fmt: on
# What only the agent may know: with it a command could speak for the worker.
_WITHHELD = ("VTID_", "GITHUB_TOKEN", "GH_TOKEN")
_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|PRIVATE_?KEY", re.IGNORECASE)
_SHORTEST_SECRET = 8  # characters; a shorter value would mask half of every text


def environment(order: Order, workspace: Workspace, ours: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The command's environment: ours without our own secrets and settings, and what the order says."""
    kept = {name: value for name, value in ours.items() if not name.startswith(_WITHHELD)}
    told = {
        "VTID": order.vtid,
        "WORK_RUN_ID": order.run_id,
        "WORK_ATTEMPT": str(order.attempt),
        "WORK_REPOSITORY": order.repository,
        "WORK_BRANCH": order.branch,
        "WORK_BASE": order.base,
        "WORK_ENVIRONMENT": order.environment,
        "WORK_SPEC_HASH": order.spec_hash,
        "WORK_KIND": order.kind,
        "WORK_ROUND": str(order.round or ""),
        "WORK_PR_URL": order.pr_url or "",
        "WORK_NOTE": order.note,
        "WORK_FINDINGS_FILE": str(workspace.findings),
        "WORK_PROGRESS_FILE": str(workspace.progress),
        "WORK_SUMMARY_FILE": str(workspace.summary),
    }
    return kept | workspace.identity | {name: value.replace("\0", "") for name, value in told.items()}


def typed(order: Order) -> str:
    """Standard input: the spec; for a repair order, what is to be mended after it."""
    if not order.mends:
        return order.spec
    told = "\n".join(_finding(each) for each in order.findings) or order.note
    return (
        f"{order.spec.rstrip()}\n\n---\n\n# Mend this first\n\nThe work above is on the branch {order.branch} "
        f"already ({order.pr_url}). Validation found:\n\n{told}\n"
    )


def _finding(finding: Mapping[str, Any]) -> str:
    line = f"- {finding.get('name') or finding.get('rule')}: {finding.get('says', '')} {finding.get('url') or ''}"
    log = (finding.get("log") or "").strip()
    return f"{line.rstrip()}\n\n```\n{log}\n```\n" if log else line.rstrip()


def secret_values(ours: Mapping[str, str] = os.environ) -> list[str]:
    """Values of our environment that must not stand in anything that leaves this machine, the longest first."""
    values = {
        value for name, value in ours.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET
    }
    return sorted(values, key=len, reverse=True)
