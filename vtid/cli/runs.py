"""`vtid run`: one pass of a task through the pipeline."""

import asyncio
from typing import Annotated, Any

import typer

from vtid.cli.exits import CommandFailed, Exit
from vtid.cli.session import Session, command
from vtid.cli.tasks import Vtid

run = typer.Typer(help="Runs: one pass of a task through the pipeline.", no_args_is_help=True)

_COLUMNS = (
    ("VTID", "vtid"),
    ("status", "status"),
    ("stage", "stage"),
    ("outcome", "outcome"),
    ("code", "failure.code"),
    ("waits for", "waiting.for"),
    ("title", "title"),
)


@command(run, "start")
def start(
    session: Session,
    vtid: Vtid,
    watch: Annotated[bool, typer.Option("--watch", help="Stay and watch it.")] = False,
) -> None:
    """Start a run of a task whose spec is approved; a run under way is joined."""
    from vtid.cli.client import call
    from vtid.cli.console import tell

    before = _under_way(session, vtid)
    view = call(session, "POST", "/api/v1/runs", json={"vtid": vtid})
    if before and before == view["run_id"]:
        tell(f"joined the run under way of {vtid}")
    if watch:
        _watch(session, vtid, until="closed", timeout=None)
    else:
        _show(session, view)


@command(run, "list")
def list_runs(
    session: Session,
    status: Annotated[str | None, typer.Option(help="Only tasks of this status.")] = None,
    stage: Annotated[str | None, typer.Option(help="Only runs in this stage.")] = None,
) -> None:
    """List runs with where they stand, the last changed first."""
    from vtid.cli.client import every
    from vtid.cli.tables import show_list

    runs = every(session, "/api/v1/runs", status=status, stage=stage)
    show_list(runs, _COLUMNS, as_json=session.as_json, none="No runs. Start one: vtid run start VTID")


@command(run, "show")
def show(session: Session, vtid: Vtid) -> None:
    """Show where a run stands."""
    from vtid.cli.client import call

    _show(session, call(session, "GET", f"/api/v1/runs/{vtid}"))


@command(run, "explain")
def explain(session: Session, vtid: Vtid) -> None:
    """Say in plain words why the change may not be merged now. Asks anew, at any time, and decides nothing."""
    from vtid.cli.client import call
    from vtid.cli.console import print_json

    told = call(session, "GET", f"/api/v1/runs/{vtid}/explain")
    if session.as_json:
        print_json(told)
        return
    print(told["says"])
    for reason in told["reasons"]:
        print(f"- {reason}")
    held = sum(rule["answer"] in ("pass", "skipped") for rule in told["rules"])
    print(f"{held} of {len(told['rules'])} rules hold; pull request: {told['pull_request'] or 'none'}")


@command(run, "events")
def events(session: Session, vtid: Vtid) -> None:
    """Print the whole event log of a task, oldest first: one event a line, as `vtid proof verify --events` reads it."""
    from vtid.cli.client import call
    from vtid.domain.canonical import canonical

    after: str | None = "0"
    while after is not None:
        page = call(session, "GET", "/api/v1/events", params={"vtid": vtid, "after": after, "limit": 500})
        for event in page["items"]:
            print(canonical(event))  # JSON in any case
        after = page["next_cursor"]


@command(run, "watch")
def watch(
    session: Session,
    vtid: Vtid,
    until: Annotated[
        str, typer.Option(help="`closed`: until it is over; `blocked`: also when it waits for a decision.")
    ] = "closed",
    timeout: Annotated[
        float | None, typer.Option(help="Seconds to watch at most (then exit code 124).")
    ] = None,
) -> None:
    """Follow a run live. Ends with the exit code of its outcome."""
    _watch(session, vtid, until=until, timeout=timeout)


@command(run, "cancel")
def cancel(session: Session, vtid: Vtid, reason: Annotated[str, typer.Option(help="Why.")] = "") -> None:
    """Cancel a run: its worker is told at its next heartbeat, and nothing is merged after it."""
    from vtid.cli.client import call

    _show(session, call(session, "POST", f"/api/v1/runs/{vtid}/cancel", json={"reason": reason}))


@command(run, "rescue")
def rescue(
    session: Session,
    vtid: Vtid,
    move: Annotated[
        str,
        typer.Argument(metavar="MOVE", help="One that `vtid run show` offers: retry, adopt, skip, abandon."),
    ],
    pr_url: Annotated[
        str | None, typer.Option(help="For adopt: the pull request to take as evidence.")
    ] = None,
    rule: Annotated[str | None, typer.Option(help="For skip: the rule to let be, VAL-RULE-….")] = None,
    reason: Annotated[str | None, typer.Option(help="Why; kept in the ledger.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what it would do.")] = False,
) -> None:
    """Decide about a blocked run."""
    from vtid.cli.client import call
    from vtid.cli.console import print_json

    if move in ("abandon", "skip") and not dry_run and not (reason or "").strip():
        raise CommandFailed(f'a reason is required to {move}: add --reason "…"', Exit.USAGE)
    if move == "adopt" and not pr_url:
        raise CommandFailed("to adopt is to name a pull request: add --pr-url URL", Exit.USAGE)
    wish: dict[str, Any] = {
        "move": move,
        "pr_url": pr_url,
        "rule": rule,
        "reason": reason,
        "dry_run": dry_run or None,
    }
    given = {key: value for key, value in wish.items() if value is not None}
    answer = call(session, "POST", f"/api/v1/runs/{vtid}/rescue", json=given)
    if dry_run and not session.as_json:
        print(f"nothing is done; {move} would do this:")
        for effect in answer.get("effects", ()):
            print(f"- {effect}")
    elif dry_run:
        print_json(answer)
    else:
        _show(session, answer)


def _under_way(session: Session, vtid: str) -> str | None:
    """The id of the task's open run, if it has one."""
    from vtid.cli.client import call

    try:
        view = call(session, "GET", f"/api/v1/runs/{vtid}")
    except CommandFailed as failure:
        if failure.code is Exit.NOT_FOUND:
            return None
        raise
    return None if view.get("outcome") else view["run_id"]


def _show(session: Session, view: dict[str, Any]) -> None:
    from vtid.cli.console import out, print_json

    if session.as_json:
        print_json(view)
    else:
        from vtid.cli.faces import links_apart, run_face

        apart = links_apart(view, out().width)
        out().print(run_face(view, apart=apart))
        for name, url in apart.items():
            print(f"{name}:\n{url}")  # on a line of its own, and never broken, so that it can be copied


def _watch(session: Session, vtid: str, *, until: str, timeout: float | None) -> None:
    from vtid.cli.watch import watch

    if until not in ("closed", "blocked"):
        raise CommandFailed(f"--until is `closed` or `blocked`, not {until!r}", Exit.USAGE)
    raise typer.Exit(asyncio.run(watch(session, vtid, until_blocked=until == "blocked", seconds=timeout)))
