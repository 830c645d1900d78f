"""`vtid agent`: a worker around any command."""

import asyncio
import os
import socket
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vtid.cli.exits import CommandFailed, Exit
from vtid.cli.session import Session

if TYPE_CHECKING:
    from vtid.agent.order import Order, Result
    from vtid.agent.work import Tools

_GITHUB = "https://api.github.com"
Line = Annotated[
    str,
    typer.Option("--command", metavar="CMD", help="A shell line. It gets the spec on standard input and works in the worktree."),
]  # fmt: skip
Once = Annotated[
    bool, typer.Option("--once", help="One order for each place, then end. Exit code 6: no work.")
]
Concurrency = Annotated[int, typer.Option(min=1, max=64, help="How many orders at a time.")]
WorkDir = Annotated[
    Path | None, typer.Option("--work-dir", help="Where worktrees lie; default: DATA_DIR/agent.")
]
RepositoryDir = Annotated[
    Path | None, typer.Option("--repository-dir", help="A local clone; its `origin` is pushed to.")
]
Remote = Annotated[
    str | None,
    typer.Option("--remote", help="Else: the address to clone, such as https://github.com/{repository}.git or a path."),
]  # fmt: skip
WorkerId = Annotated[
    str | None, typer.Option("--worker-id", help="Its name; never the same for two that run.")
]
OfVtid = Annotated[str | None, typer.Option("--vtid", help="Only orders of this VTID.")]
Wait = Annotated[float, typer.Option("--wait", min=0, max=30, help="Seconds that one claim waits for work.")]
Grace = Annotated[
    float, typer.Option("--grace", min=0, help="Seconds between SIGTERM and SIGKILL for the command.")
]
GitHubUrl = Annotated[
    str | None,
    typer.Option("--github-api-url", envvar="VTID_GITHUB_API_URL", help="GitHub's API; default: the running stack's, else api.github.com."),
]  # fmt: skip
GitHubToken = Annotated[
    str | None,
    typer.Option("--github-token", envvar="VTID_GITHUB_TOKEN", help="Opens pull requests, and pushes over https."),
]  # fmt: skip


def agent(
    session: Session,
    line: Line,
    once: Once = False,
    concurrency: Concurrency = 1,
    work_dir: WorkDir = None,
    repository_dir: RepositoryDir = None,
    remote: Remote = None,
    worker_id: WorkerId = None,
    vtid: OfVtid = None,
    wait: Wait = 30,
    grace: Grace = 10,
    github_api_url: GitHubUrl = None,
    github_token: GitHubToken = None,
) -> None:
    """Claim orders, run a command for each, push, open the pull request, hand it in."""
    from vtid.agent.agent import Agent, Habits
    from vtid.agent.api import Refused, Unreachable
    from vtid.agent.places import Occupied, Places
    from vtid.cli.layout import SIMULATED_TOKEN

    name = worker_id or f"agent-{socket.gethostname()}-{uuid.uuid4().hex[:6]}"
    places = Places(work_dir or session.data_dir / "agent", name)
    simulated = None if github_api_url else _of_stack(session)
    github = github_api_url or simulated or _GITHUB
    token = github_token or _token_of_file() or (SIMULATED_TOKEN if simulated else None)
    source = (repository_dir, remote, github)

    async def work() -> Sequence["Result | None"]:
        tools = _tools(session, line, places, source, token, grace)
        return await Agent(Habits(name, once, concurrency, wait, vtid), tools).run()

    try:
        results = asyncio.run(work())
    except Occupied as error:
        raise CommandFailed(str(error), Exit.CONFLICT) from error
    except Unreachable as error:
        raise CommandFailed(f"no API at {session.api} ({error})", Exit.UNREACHABLE) from error
    except Refused as error:
        from vtid.cli.exits import exit_for

        raise CommandFailed(str(error), exit_for(error.status, error.code)) from error
    if once:
        raise typer.Exit(_exit(results))


def _tools(
    session: Session,
    line: str,
    places: Any,
    source: tuple[Path | None, str | None, str],
    token: str | None,
    grace: float,
) -> "Tools":
    from vtid.agent.api import WorkOrders
    from vtid.agent.git import Git
    from vtid.agent.github import GitHub
    from vtid.agent.work import Tools
    from vtid.agent.workspace import Source
    from vtid.cli.processes import LEASH

    repository_dir, remote, github = source
    remote = remote or _usual_remote(github, repository_dir)
    leash = (sys.executable, "-I", "-S", str(LEASH), str(os.getpid()))
    return Tools(
        orders=WorkOrders(session.api, session.token),
        github=GitHub(github, token),
        git=Git(remote, token),
        places=places,
        source=Source(repository_dir.absolute() if repository_dir else None, remote),
        command=line,
        say=_say(session),
        secrets=tuple(filter(None, (session.token, token))),
        grace_seconds=grace,
        leash=leash,
    )


def _usual_remote(github: str, repository_dir: Path | None) -> str:
    if repository_dir is None and github != _GITHUB:
        raise CommandFailed(
            "say where to clone from and push to: --remote ADDRESS or --repository-dir DIR", Exit.USAGE
        )
    return "https://github.com/{repository}.git"


def _of_stack(session: Session) -> str | None:
    """The simulated GitHub of the running stack, when we work for that stack."""
    from vtid.cli.addresses import read_addresses

    stack = read_addresses(session.data_dir)
    if stack is None or stack.simulator is None or session.api != stack.api:
        return None
    return f"{stack.simulator}/api/v3"


def _token_of_file() -> str | None:
    from vtid.cli.session import content

    file = os.environ.get("VTID_GITHUB_TOKEN_FILE")
    return content("VTID_GITHUB_TOKEN_FILE", Path(file)) if file else None


def _exit(results: Sequence["Result | None"]) -> Exit:
    """The worst of what happened; no work only when nobody had any."""
    from vtid.agent.order import Result

    if all(result is None for result in results):
        return Exit.NO_WORK
    for result, code in (
        (Result.FAILED, Exit.FAILED),
        (Result.LOST, Exit.CONFLICT),
        (Result.STOPPED, Exit.BLOCKED),
    ):
        if result in results:
            return code
    return Exit.OK


def _say(session: Session) -> Any:
    """One line for each thing that happens: JSON on standard output, or words on standard error."""
    from vtid.cli.console import print_json, tell

    def say(event: str, *, order: "Order | None" = None, reason: str = "") -> None:
        if session.as_json:
            about = (
                {"vtid": order.vtid, "order_id": order.order_id, "attempt": order.attempt} if order else {}
            )
            print_json({"event": event, **about, "says": reason})
        else:
            about_whom = f"{order.vtid} attempt {order.attempt}: " if order else ""
            tell(f"{about_whom}{event.replace('_', ' ')}{f': {reason}' if reason else ''}")

    return say
