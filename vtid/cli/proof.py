"""`vtid proof`: the signed bundle of what a run proved, and whether one holds."""

from pathlib import Path
from typing import Annotated, Any

import typer

from vtid.cli.exits import CommandFailed, Exit
from vtid.cli.session import AsJson, Session, command
from vtid.cli.tasks import Vtid

proof = typer.Typer(
    help="Signed proof bundles: what a run proved, to be checked offline.", no_args_is_help=True
)

_Out = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it here.")]


@command(proof, "export")
def export(
    session: Session,
    vtid: Vtid,
    output: _Out = None,
    run_id: Annotated[
        str | None, typer.Option(help="An earlier run of the task; default: the current or last one.")
    ] = None,
) -> None:
    """Give the signed bundle of a run that is blocked or over. It says how the run ended."""
    from vtid.cli.client import call

    which = {} if run_id is None else {"run_id": run_id}
    _give(
        session,
        call(session, "GET", f"/api/v1/runs/{vtid}/proof/bundle", params=which),
        output,
        f"the proof bundle of {vtid}",
    )


@command(proof, "key")
def key(session: Session, output: _Out = None) -> None:
    """Give the public key that verifies the bundles which are signed now. Keep it: it verifies them for good."""
    from vtid.cli.client import call

    told = call(session, "GET", "/api/v1/proof-key")
    if session.as_json:
        _give(session, told, output, "the public key")
        return
    _write(told["pem"], output, f"the public key {told['key_id']}")


@proof.command("verify")
def verify(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The bundle, as `vtid proof export` gives it.")
    ],
    public_key: Annotated[
        Path | None,
        typer.Option(
            "--key", metavar="PUBLIC.pem", help="The public key of the installation that signed it."
        ),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option("--events", metavar="FILE", help="The task's event log, as `vtid run events` gives it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a bundle holds, and what was not checked. Works offline.

    Ends with 0 when it holds and the run is completed, with 5 when it holds and says that the run is not, and with 1
    when anything in it is wrong or its signature was not checked.
    """
    from vtid.cli.proof_verify import verify_file

    raise typer.Exit(verify_file(file, public_key, events, as_json=as_json))


def _give(session: Session, told: Any, output: Path | None, what: str) -> None:
    """JSON: to a file, or to standard output."""
    from vtid.cli.console import print_json
    from vtid.domain.canonical import canonical

    if output is None:
        print_json(told)
    else:
        _write(canonical(told) + "\n", output, what)


def _write(text: str, output: Path | None, what: str) -> None:
    from vtid.cli.console import tell

    if output is None:
        print(text, end="")
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{output} cannot be written: {error.strerror or error}", Exit.USAGE) from error
    tell(f"{what} stands in {output}")
