"""`vtid order`: the worker's side. A lease is kept in the data directory, so only the order's id must be named."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from vtid.cli.exits import CommandFailed, Exit
from vtid.cli.session import Session, command
from vtid.cli.words import span

order = typer.Typer(help="Work orders: the worker's side.", no_args_is_help=True)

OrderId = Annotated[str, typer.Argument(metavar="ORDER", help="The id that `vtid order claim` answered.")]
Lease = Annotated[str | None, typer.Option(help="The lease token; default: the one that `claim` kept.")]


@command(order, "claim")
def claim(
    session: Session,
    worker_id: Annotated[str, typer.Option(help="Who you are; the same for all your calls.")],
    vtid: Annotated[str | None, typer.Option(help="Only the order of this VTID.")] = None,
    wait_seconds: Annotated[
        float, typer.Option("--wait", min=0, max=30, help="Seconds to wait for work.")
    ] = 0,
    capability: Annotated[
        list[str] | None, typer.Option(help="What you can do; orders that require more are left to others.")
    ] = None,
) -> None:
    """Take the next order. Exit code 6: there is none."""
    from vtid.cli.addresses import write_private
    from vtid.cli.client import call
    from vtid.cli.console import print_json

    wish: dict[str, Any] = {"worker_id": worker_id, "wait_seconds": wait_seconds}
    wish |= {"capabilities": capability} if capability else {}
    taken = call(session, "POST", "/api/v1/work-orders/claim", json=wish | ({"vtid": vtid} if vtid else {}))
    if taken is None:
        raise CommandFailed("no work; repeat with --wait 30 to wait for some", Exit.NO_WORK)
    kept = _lease_file(session, taken["order_id"])
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_private(kept, taken["lease"])
    if session.as_json:
        print_json(taken)
        return
    shown = taken | {"heartbeats": _heartbeats(taken)}
    _show(session, shown, "order_id", "vtid", "attempt", "repository", "base", "branch", "heartbeats", "spec")


@command(order, "heartbeat")
def heartbeat(
    session: Session,
    order_id: OrderId,
    lease: Lease = None,
    progress: Annotated[str | None, typer.Option(help="What moved since the last one.")] = None,
) -> None:
    """Say that you live. Exit code 5: you are told to stop."""
    answer = _post(session, order_id, "heartbeat", lease, progress=progress)
    _show(session, answer, "action", "reason", "expires_at")
    if answer["action"] == "stop":
        raise typer.Exit(Exit.BLOCKED)


@command(order, "evidence")
def evidence(
    session: Session,
    order_id: OrderId,
    pr_url: Annotated[str, typer.Option(help="The pull request.")],
    head_sha: Annotated[str, typer.Option(help="Its head commit.")],
    lease: Lease = None,
    branch: Annotated[str | None, typer.Option(help="Its branch.")] = None,
    file: Annotated[list[str] | None, typer.Option(help="A changed file (repeatable).")] = None,
    summary: Annotated[str | None, typer.Option(help="What was done.")] = None,
) -> None:
    """Hand in the pull request. It is read again from GitHub before anything follows."""
    answer = _post(
        session,
        order_id,
        "evidence",
        lease,
        pr_url=pr_url,
        head_sha=head_sha,
        branch=branch,
        files=file,
        summary=summary,
    )
    _show(session, answer)


@command(order, "fail")
def fail(
    session: Session,
    order_id: OrderId,
    message: Annotated[str, typer.Option(help="What went wrong.")],
    lease: Lease = None,
    final: Annotated[bool, typer.Option("--final", help="Another try cannot help.")] = False,
) -> None:
    """Report that the work failed."""
    _show(session, _post(session, order_id, "fail", lease, message=message, retryable=not final))


@command(order, "release")
def release(
    session: Session,
    order_id: OrderId,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    lease: Lease = None,
) -> None:
    """Give the order back, so that another worker can take it."""
    _show(session, _post(session, order_id, "release", lease, reason=reason))


def _post(session: Session, order_id: str, verb: str, lease: str | None, **said: Any) -> Any:
    from vtid.cli.client import call

    body = {"lease": lease or _kept_lease(session, order_id)} | {
        k: v for k, v in said.items() if v is not None
    }
    return call(session, "POST", f"/api/v1/work-orders/{quote(order_id, safe='')}/{verb}", json=body)


def _heartbeats(taken: dict[str, Any]) -> str:
    """How the order is kept, where it must be."""
    deadlines = taken.get("deadlines") or {}
    due, lost = deadlines.get("heartbeat_seconds"), deadlines.get("lost_seconds")
    if not due or not lost:
        return ""
    return f"every {span(due)}, lost after {span(lost)}: vtid order heartbeat {taken['order_id']}"


def _lease_file(session: Session, order_id: str) -> Path:
    return session.data_dir / "leases" / quote(order_id, safe="")


def _kept_lease(session: Session, order_id: str) -> str:
    try:
        return _lease_file(session, order_id).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise CommandFailed(
            f"no lease of {order_id} is kept here; give it with --lease", Exit.USAGE
        ) from error


def _show(session: Session, answer: Any, *keys: str) -> None:
    from vtid.cli.tables import show_one

    shown = answer or {"ok": True}
    show_one(shown, tuple((key.replace("_", " "), key) for key in keys or shown), as_json=session.as_json)
