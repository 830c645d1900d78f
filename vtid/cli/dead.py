"""`vtid dead`: the runs that need a person, one by one or many at once."""

from typing import Annotated, Any

import typer

from vtid.cli.exits import CommandFailed, Exit
from vtid.cli.session import Session, command

dead = typer.Typer(help="Dead letters: blocked runs that wait for a person.", no_args_is_help=True)

_COLUMNS = (
    ("VTID", "vtid"),
    ("stage", "stage"),
    ("code", "code"),
    ("since", "for"),
    ("message", "message"),
)
_RESULTS = (
    ("VTID", "vtid"),
    ("code", "code"),
    ("result", "result"),
    ("told", "told"),
)
Code = Annotated[str | None, typer.Option(help="Only runs that are blocked by this code.")]
Stage = Annotated[str | None, typer.Option(help="Only runs that are blocked in this stage.")]
InEnvironment = Annotated[str | None, typer.Option("--environment", help="Only runs of this environment.")]


@command(dead, "list")
def list_dead(
    session: Session,
    code: Code = None,
    stage: Stage = None,
    environment: InEnvironment = None,
    state: Annotated[str, typer.Option(help="`open`, `resolved` or `all`.")] = "open",
) -> None:
    """List the runs that wait for a person, the last blocked first."""
    from vtid.cli.client import every
    from vtid.cli.tables import show_list
    from vtid.cli.words import span

    letters = every(
        session, "/api/v1/dead-letters", code=code, stage=stage, environment=environment, state=state
    )
    if not session.as_json:
        letters = [letter | {"for": span(letter["age_seconds"])} for letter in letters]
    whole = ("VTID", "stage", "code", "since")
    show_list(letters, _COLUMNS, as_json=session.as_json, none="Nothing is blocked.", whole=whole)


@command(dead, "show")
def show_dead(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="VTID", help="A VTID, or the id of a dead letter.")],
) -> None:
    """Show why a run is blocked, what it did so far, and what each move would do."""
    from urllib.parse import quote

    from vtid.cli.blocked import rows_of
    from vtid.cli.client import call
    from vtid.cli.console import print_json
    from vtid.cli.tables import show_rows

    known = name.upper() if name.upper().startswith("VTID-") else name
    try:
        letter = call(session, "GET", f"/api/v1/dead-letters/{quote(known, safe='')}")
    except CommandFailed as failure:
        if failure.code is Exit.NOT_FOUND:
            raise CommandFailed(
                f"{known} has no dead letter; see `vtid dead list`", failure.code
            ) from failure
        raise
    if session.as_json:
        print_json(letter)
    else:
        show_rows(rows_of(letter))


@command(dead, "rescue")
def rescue(
    session: Session,
    move: Annotated[str, typer.Argument(metavar="MOVE", help="retry, skip or abandon, for all that match.")],
    code: Code = None,
    stage: Stage = None,
    environment: InEnvironment = None,
    letter: Annotated[
        list[str] | None, typer.Option("--id", help="Only this dead letter (repeatable).")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; kept in the ledger. Needed by abandon and skip.")] = "",
    rule: Annotated[str | None, typer.Option(help="For skip: the rule that is passed over.")] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=100, help="How many at most, longest waiting first.")
    ] = 100,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what it would do.")] = False,
) -> None:
    """Make the same move for many blocked runs. Exit code 1: not all of them took it."""
    from vtid.cli.client import call
    from vtid.cli.console import print_json

    if code is None and not letter:
        raise CommandFailed("say which: --code CODE (see `vtid dead list`) or --id", Exit.USAGE)
    wish: dict[str, Any] = {
        "move": move, "code": code, "stage": stage, "environment": environment, "ids": letter,
        "reason": reason, "rule": rule, "limit": limit, "dry_run": dry_run,
    }  # fmt: skip
    given = {key: value for key, value in wish.items() if value is not None}
    answer = call(session, "POST", "/api/v1/dead-letters/bulk", json=given)
    if session.as_json:
        print_json(answer)
    else:
        _show(answer)
    if answer["done"] + answer["would"] < len(answer["items"]):
        raise typer.Exit(Exit.FAILED)


def _show(answer: dict[str, Any]) -> None:
    from vtid.cli.console import tell
    from vtid.cli.tables import show_list

    items = [item | {"told": "\n".join(_told(item))} for item in answer["items"]]
    show_list(items, _RESULTS, as_json=False, none="Nothing matches.", whole=("VTID", "code", "result"))
    if answer["remaining"]:
        tell(f"{answer['remaining']} more match; repeat for the next ones")


def _told(item: dict[str, Any]) -> list[str]:
    if problem := item["problem"]:
        return [f"{problem['code']}: {problem['detail']}"]
    return list(item["effects"]) if item["result"] == "would" else []
