"""`vtid system`: the emergency stop."""

from typing import Annotated, Any

import typer

from vtid.cli.session import Session, command

system = typer.Typer(
    help="The emergency stop: nothing new is dispatched while it is on.", no_args_is_help=True
)


@command(system, "show")
def show(session: Session) -> None:
    """Tell whether the emergency stop is on, and why."""
    from vtid.cli.client import call

    _tell(session, call(session, "GET", "/api/v1/system"))


@command(system, "disarm")
def disarm(session: Session, reason: Annotated[str, typer.Option(help="Why; everybody sees it.")]) -> None:
    """Stop: open offers are withdrawn, starts wait, running leases go on. Nothing is lost."""
    from vtid.cli.client import call

    _tell(session, call(session, "POST", "/api/v1/system/disarm", json={"reason": reason}))


@command(system, "arm")
def arm(session: Session) -> None:
    """Lift the emergency stop; all waiting runs go on."""
    from vtid.cli.client import call

    _tell(session, call(session, "POST", "/api/v1/system/arm"))


def _tell(session: Session, switch: dict[str, Any]) -> None:
    from vtid.cli.console import out, print_json

    if session.as_json:
        print_json(switch)
    elif switch["armed"]:
        out().print("armed: runs go on")
    else:
        out().print(f"DISARMED by {switch['by']} since {switch['since']}: {switch['reason']}", markup=False)
