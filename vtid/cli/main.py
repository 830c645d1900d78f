"""The `vtid` command: what it is called with, and how it ends.

Only Typer is imported at the start; each command imports what it needs when it runs, so `vtid --help` is quick.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from vtid.cli.addresses import DEMO
from vtid.cli.agent import agent
from vtid.cli.dead import dead
from vtid.cli.environments import env
from vtid.cli.exits import CommandFailed, Exit
from vtid.cli.notify import notify
from vtid.cli.orders import order
from vtid.cli.proof import proof
from vtid.cli.runs import run
from vtid.cli.session import AsJson, DataDir, Session, command
from vtid.cli.system import system
from vtid.cli.tasks import spec, task

app = typer.Typer(
    name="vtid",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
simulate = typer.Typer(
    help="The failure scenarios: each promises something, and shows it.", no_args_is_help=True
)
token = typer.Typer(help="API keys.", no_args_is_help=True)

Port = Annotated[int, typer.Option(min=0, max=65535, help="The API's port; 0: free ports for everything.")]


def _print_version(asked: bool) -> None:
    if asked:
        from vtid.cli.keeping import show_version

        show_version(as_json=False)
        raise typer.Exit


@app.callback()
def vtid(
    _: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    """One VTID from an approved spec to a proven deployment."""


@app.command("demo")
def demo(
    once: Annotated[bool, typer.Option("--once", help="Run the failure scenarios instead, and end.")] = False,
    scenario: Annotated[str, typer.Option(help="With --once: one scenario, or `all`.")] = "all",
    port: Port = 8700,
    data_dir: DataDir = Path(".vtid") / DEMO,
    as_json: AsJson = False,
) -> None:
    """Show everything on this machine, with simulated GitHub, Cloud Run and worker."""
    if once:
        from vtid.cli.catalogue import run_named

        raise typer.Exit(run_named(scenario, data_dir=data_dir, as_json=as_json))
    from vtid.cli.demo import demo

    demo(data_dir=data_dir, port=port, as_json=as_json)


@app.command("dev")
def dev(
    simulated: Annotated[
        bool, typer.Option("--simulate", help="With a simulated GitHub and Cloud Run.")
    ] = False,
    simulate_worker: Annotated[
        bool, typer.Option("--simulate-worker", help="With these and a simulated worker.")
    ] = False,
    port: Port = 8700,
    data_dir: DataDir = Path(".vtid"),
    as_json: AsJson = False,
) -> None:
    """Run Temporal, the worker and the API on this machine until stopped."""
    from vtid.cli.dev import dev

    dev(data_dir=data_dir, port=port, simulate=simulated, simulate_worker=simulate_worker, as_json=as_json)


app.add_typer(task, name="task")
app.add_typer(spec, name="spec")
app.add_typer(run, name="run")
app.add_typer(dead, name="dead")
app.add_typer(order, name="order")
app.add_typer(system, name="system")
app.add_typer(env, name="env")
app.add_typer(notify, name="notify")
app.add_typer(proof, name="proof")
app.add_typer(simulate, name="simulate")


@command(app, "doctor")
def doctor(session: Session) -> None:
    """Check that everything is here that a run needs, and say what to do where it is not."""
    from vtid.cli.doctor import doctor

    raise typer.Exit(doctor(session))


command(app, "agent")(agent)


@command(app, "mcp")
def mcp(session: Session) -> None:
    """Serve the worker's tools to a model over standard input and output (MCP)."""
    from vtid.cli.mcp import serve

    serve(session)


@app.command("migrate")
def migrate(data_dir: DataDir = Path(".vtid"), as_json: AsJson = False) -> None:
    """Bring the ledger's database to its newest form."""
    from vtid.cli.keeping import migrate

    migrate(data_dir, as_json=as_json)


@app.command("extract")
def extract(
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url",
            metavar="URL",
            help="GitHub's API, such as https://api.github.com: asked for the title and text of the pull request "
            "of each line that has `repository` and `pull_request`, and no `pr_title`.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say which task each change belongs to, and why: JSON lines in, JSON lines out."""
    from vtid.cli.extract import extract_lines

    raise typer.Exit(extract_lines(sys.stdin.buffer, base_url))  # JSON in any case


@app.command("version")
def version(as_json: AsJson = False) -> None:
    """Print the installed version."""
    from vtid.cli.keeping import show_version

    show_version(as_json=as_json)


@simulate.command("list")
def simulate_list(as_json: AsJson = False) -> None:
    """List the scenarios with their promises."""
    from vtid.cli.catalogue import show_all

    show_all(as_json=as_json)


@simulate.command("run")
def simulate_run(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="One that `vtid simulate list` shows, or `all`.")
    ],
    data_dir: DataDir = Path(".vtid"),
    as_json: AsJson = False,
) -> None:
    """Run one scenario and compare what was promised with what is seen."""
    from vtid.cli.catalogue import run_named

    raise typer.Exit(run_named(name, data_dir=data_dir, as_json=as_json))


@token.command("create")
def token_create(
    role: Annotated[str, typer.Option(help="viewer, operator, approver, admin or worker.")],
    name: Annotated[str | None, typer.Option(help="Whose key it is; default: the role.")] = None,
    days: Annotated[float | None, typer.Option(min=0, help="Days until it expires; default: never.")] = None,
    data_dir: DataDir = Path(".vtid"),
    as_json: AsJson = False,
) -> None:
    """Make an API key. It is shown once; the ledger keeps only its hash."""
    from vtid.cli.keeping import create_token

    create_token(data_dir, role=role, name=name or role, days=days, as_json=as_json)


app.add_typer(token, name="token")


def main() -> None:
    """Run the command and end the process with its exit code."""
    code = run_command()
    sys.stdout.flush()
    sys.stderr.flush()
    if "temporalio" in sys.modules:
        os._exit(code)  # its threads sometimes abort an interpreter that ends in the ordinary way
    sys.exit(code)


def run_command(arguments: list[str] | None = None) -> int:
    """Run the command with these arguments (None: the process's own) and return its exit code."""
    try:
        app(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.FAILED
    except CommandFailed as failure:
        print(f"vtid: {failure}", file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        return 130  # what shells report for SIGINT
    except BrokenPipeError:
        # The reader of our output left, as `head` does; nobody is there to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED
    return Exit.OK


if __name__ == "__main__":
    main()
