"""`vtid env`: what an environment declares, held against what runs, and as flags for who deploys it."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from vtid.cli.exits import Exit
from vtid.cli.session import Session, command

env = typer.Typer(help="Environments: what environments.yaml declares, and what runs.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="ENV", help="An environment that environments.yaml declares.")]
Repository = Annotated[
    str | None,
    typer.Option(help="owner/name; needed where the environment is declared for many repositories."),
]


class Format(StrEnum):
    GCLOUD = "gcloud"
    GITHUB = "github"


@command(env, "check")
def check(session: Session, name: Name, repository: Repository = None) -> None:
    """Compare what is declared with what runs. Ends with 0 when they are equal, with 5 when they differ."""
    from vtid.cli.client import call
    from vtid.cli.console import print_json

    params = {"repository": repository} if repository else {}
    report = call(session, "GET", f"/api/v1/environments/{_part(name)}/drift", params=params)
    if session.as_json:
        print_json(report)
    else:
        _show(report)
    raise typer.Exit(Exit.OK if report["equal"] else Exit.BLOCKED)


def _part(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="") or "-"


def _show(report: dict[str, Any]) -> None:
    place = ", ".join(filter(None, (report["project"], report["region"])))
    where = f"{report['environment']} ({place})" if place else report["environment"]
    for service in report["services"]:
        serves = ", ".join(service["revisions"]) or "nothing serves"
        if service.get("unseen"):
            serves = f"answers {service['commit'] or 'no commit'}"
        at = f" at {service['url']}" if service["url"] else ""
        print(f"{service['service']}: {serves}{at}")
        for drift in service["drift"]:
            values = f": declared {drift['expected']!r}, runs {drift['actual']!r}" if drift["actual"] else ""
            few = drift["revisions"] and drift["revisions"] != service["revisions"]
            only = f" (in {', '.join(drift['revisions'])})" if few else ""
            print(f"  {drift['kind']}: {drift['says']}{values}{only}")
        if service.get("unseen"):
            print(f"  not compared: {service['unseen']}")
    differ = len(report["drift"])
    partly = any(service.get("unseen") for service in report["services"])
    equal = "is as declared, as far as it can be seen" if partly else "is as declared"
    told = equal if not differ else f"differs in {differ} {'place' if differ == 1 else 'places'}"
    print(f"{where} {told}")


@command(env, "render")
def render(
    session: Session,
    name: Name,
    format: Annotated[
        Format,
        typer.Option(help="gcloud: flags of `gcloud run deploy`; github: lines for $GITHUB_OUTPUT."),
    ] = Format.GCLOUD,
    service: Annotated[str | None, typer.Option(help="Only this service; default: all.")] = None,
    sha: Annotated[
        str | None, typer.Option(help="The commit; default: $GITHUB_SHA, filled in when the flags are used.")
    ] = None,
    repository: Repository = None,
) -> None:
    """Print deploy flags and secret bindings, so that no second list of them exists. Asks no API."""
    from vtid.cli.rendering import render

    render(name, format.value, service=service, sha=sha, repository=repository, as_json=session.as_json)
