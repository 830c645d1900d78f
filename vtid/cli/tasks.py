"""`vtid task` and `vtid spec`: what shall be done, and the text that says it."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from vtid.cli.exits import CommandFailed, Exit
from vtid.cli.session import Session, command

task = typer.Typer(help="Tasks: what shall be done.", no_args_is_help=True)
spec = typer.Typer(help="Specs: the text that says it, approved by its hash.", no_args_is_help=True)


def _canonical(text: str) -> str:
    from vtid.domain.vtid import InvalidVtid, canonical_vtid

    try:
        return canonical_vtid(text)
    except InvalidVtid as error:
        raise typer.BadParameter(str(error)) from error


Vtid = Annotated[str, typer.Argument(metavar="VTID", help="Such as VTID-01227.", callback=_canonical)]
SpecFile = Annotated[str, typer.Argument(metavar="FILE", help="Markdown; - reads standard input.")]

_COLUMNS = (
    ("VTID", "vtid"),
    ("status", "status"),
    ("stage", "run.stage"),
    ("spec", "spec.state"),
    ("title", "title"),
)
_FIELDS = (
    ("VTID", "vtid"),
    ("title", "title"),
    ("status", "status"),
    ("repository", "repository"),
    ("environment", "environment"),
    ("services", "services"),
    ("priority", "priority"),
    ("spec", "spec.state"),
    ("spec hash", "spec.hash"),
    ("approved by", "spec.approved_by"),
    ("approved at", "spec.approved_at"),
    ("run", "run.run_id"),
    ("stage", "run.stage"),
    ("outcome", "run.outcome"),
)


@command(task, "create")
def create(
    session: Session,
    title: Annotated[str, typer.Option(help="What it is, in a few words.")],
    vtid: Annotated[str | None, typer.Option(help="Its VTID; allocated when absent.")] = None,
    repository: Annotated[
        str | None, typer.Option(help="OWNER/NAME; default: the environment's own.")
    ] = None,
    environment: Annotated[str, typer.Option(help="A section of environments.yaml.")] = "dev",
    service: Annotated[
        list[str] | None,
        typer.Option(help="Only this service (repeatable); default: decided by the changed paths."),
    ] = None,
    priority: Annotated[int | None, typer.Option(help="1 is the most urgent.")] = None,
    spec: Annotated[
        str | None, typer.Option(metavar="FILE", help="Its spec; - reads standard input.")
    ] = None,
) -> None:
    """Create a task."""
    from vtid.cli.client import call
    from vtid.cli.tables import show_one

    wish: dict[str, Any] = {
        "title": title,
        "vtid": vtid,
        "repository": repository or _repository_of(session, environment),
        "environment": environment,
        "services": service,
        "priority": priority,
        "spec": read_spec(spec) if spec else None,
    }
    made = call(session, "POST", "/api/v1/tasks", json={k: v for k, v in wish.items() if v is not None})
    show_one(made, _FIELDS, as_json=session.as_json)


def _repository_of(session: Session, environment: str) -> str:
    """The environment's repository, where it names exactly one."""
    from vtid.cli.client import every

    declared = {each["name"]: str(each["repository"]) for each in every(session, "/api/v1/environments")}
    if environment not in declared:
        names = ", ".join(sorted(declared))
        raise CommandFailed(f"environment {environment!r} is not declared; declared are {names}", Exit.USAGE)
    if "*" in declared[environment]:
        raise CommandFailed(
            f"say which with --repository: environment {environment!r} is for {declared[environment]}",
            Exit.USAGE,
        )
    return declared[environment]


@command(task, "list")
def list_tasks(
    session: Session,
    status: Annotated[str | None, typer.Option(help="Only tasks of this status.")] = None,
    q: Annotated[
        str | None, typer.Option("--query", "-q", help="Only tasks with this in VTID or title.")
    ] = None,
) -> None:
    """List tasks, newest first."""
    from vtid.cli.client import every
    from vtid.cli.tables import show_list

    tasks = every(session, "/api/v1/tasks", status=status, q=q)
    show_list(
        tasks, _COLUMNS, as_json=session.as_json, none="No tasks. Create one: vtid task create --title …"
    )


@command(task, "show")
def show(session: Session, vtid: Vtid) -> None:
    """Show one task."""
    from vtid.cli.client import call
    from vtid.cli.tables import show_one

    show_one(call(session, "GET", f"/api/v1/tasks/{vtid}"), _FIELDS, as_json=session.as_json)


@command(spec, "put")
def put(session: Session, vtid: Vtid, file: SpecFile) -> None:
    """Store a new version of a task's spec. An approval of the old one becomes void."""
    from vtid.cli.client import call
    from vtid.cli.tables import show_one

    answer = call(session, "PUT", f"/api/v1/tasks/{vtid}/spec", json={"markdown": read_spec(file)})
    show_one(answer, _FIELDS, as_json=session.as_json)


@command(spec, "validate")
def validate(session: Session, vtid: Vtid) -> None:
    """Check the current spec."""
    from vtid.cli.client import call
    from vtid.cli.console import print_json

    answer = call(session, "POST", f"/api/v1/tasks/{vtid}/spec/validate")
    if session.as_json:
        print_json(answer)
    else:
        for kind in ("errors", "warnings"):
            for finding in answer.get(kind) or ():
                print(f"{kind.removesuffix('s')}: {finding}")
        print("the spec cannot be approved" if answer.get("errors") else "the spec is valid")
    if answer.get("errors"):
        raise typer.Exit(Exit.FAILED)


@command(spec, "approve")
def approve(
    session: Session,
    vtid: Vtid,
    hash_: Annotated[
        str | None, typer.Option("--hash", help="The hash that you have read; default: the current one.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why; kept in the ledger.")] = None,
) -> None:
    """Approve exactly one text, named by its SHA-256."""
    from vtid.cli.client import call
    from vtid.cli.tables import dig, show_one

    wanted = hash_ or dig(call(session, "GET", f"/api/v1/tasks/{vtid}"), "spec.hash")
    if wanted is None:
        raise CommandFailed(
            f"SPEC_MISSING: {vtid} has no spec; put one: vtid spec put {vtid} FILE", Exit.BLOCKED
        )
    wish = {"hash": wanted} | ({"reason": reason} if reason else {})
    answer = call(session, "POST", f"/api/v1/tasks/{vtid}/spec/approve", json=wish)
    show_one(answer, _FIELDS, as_json=session.as_json)


def read_spec(file: str) -> str:
    """The text of a spec, its bytes unchanged: its hash is what gets approved."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return content.decode("utf-8")
    except OSError as error:
        raise CommandFailed(f"{file}: {error.strerror}", Exit.USAGE) from error
    except UnicodeDecodeError as error:
        raise CommandFailed(
            f"{file} is not UTF-8 (byte {error.start}); save it as UTF-8", Exit.USAGE
        ) from error
