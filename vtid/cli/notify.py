"""`vtid notify`: who is told when a run is blocked, fails, completes, or no worker comes."""

from typing import Annotated, Any

import typer

from vtid.cli.exits import CommandFailed, Exit
from vtid.cli.session import Session, command

notify = typer.Typer(help="Being told: signed messages to Slack or any address.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The subscription's name or id.")]
Delivery = Annotated[str, typer.Argument(metavar="DELIVERY", help="The id that `vtid notify log` shows.")]
_COLUMNS = (
    ("name", "name"),
    ("state", "state"),
    ("format", "format"),
    ("told of", "kinds"),
    ("environments", "environments"),
    ("reason", "reason"),
)
_LOG = (
    ("delivery", "id"),
    ("to", "subscription"),
    ("kind", "kind"),
    ("VTID", "vtid"),
    ("state", "state"),
    ("tries", "tries"),
    ("last", "last"),
)
_FIELDS = ("name", "id", "state", "reason", "url", "format", "kinds", "environments", "since", "secret")
_PATH = "/api/v1/notifications"


@command(notify, "add")
def add(
    session: Session,
    name: Name,
    url: Annotated[str, typer.Argument(metavar="URL", help="https://… that is sent each message.")],
    kind: Annotated[
        list[str] | None, typer.Option("--on", help="Only this kind (repeatable), such as run.blocked.")
    ] = None,
    environment: Annotated[
        list[str] | None, typer.Option("--environment", help="Only runs of this environment (repeatable).")
    ] = None,
    slack: Annotated[
        bool, typer.Option("--slack", help="In the shape of Slack's incoming webhooks.")
    ] = False,
) -> None:
    """Tell an address from now on. Prints the secret that signs every message: it is shown this once."""
    body: dict[str, Any] = {"name": name, "url": url, "format": "slack" if slack else "standard"}
    body |= {key: value for key, value in (("kinds", kind), ("environments", environment)) if value}
    _show(session, _call(session, "POST", "", body))


@command(notify, "list")
def list_all(session: Session) -> None:
    """List who is told of what, and who is told nothing any more."""
    from vtid.cli.tables import show_list

    items = _call(session, "GET", "")["items"]
    none = "Nobody is told. Add somebody: vtid notify add NAME URL"
    show_list(items, _COLUMNS, as_json=session.as_json, none=none, whole=("name", "state"))


@command(notify, "show")
def show(session: Session, name: Name) -> None:
    """Show one subscription."""
    _show(session, _call(session, "GET", f"/{_quoted(name)}"))


@command(notify, "test")
def send_test(
    session: Session,
    name: Name,
    wait: Annotated[float, typer.Option(min=0, max=60, help="Seconds to wait for what comes back.")] = 20,
) -> None:
    """Send a test message and wait for the answer. Exit code 1: it was not accepted."""
    made = _call(session, "POST", f"/{_quoted(name)}/test")
    _end(session, _tried(session, made["id"], wait))


@command(notify, "log")
def log(
    session: Session,
    delivery: Annotated[str | None, typer.Argument(metavar="[DELIVERY]", help="One, with every try.")] = None,
    name: Annotated[str | None, typer.Option("--to", help="Only to this subscription.")] = None,
    state: Annotated[
        str | None, typer.Option(help="`pending`, `delivered`, `failed` or `cancelled`.")
    ] = None,
    vtid: Annotated[str | None, typer.Option(help="Only about this VTID.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many, the newest first.")] = 50,
) -> None:
    """Show what was told to whom, and how each message stands; with an id, every try of it."""
    from vtid.cli.client import call
    from vtid.cli.tables import show_list

    if delivery is not None:
        _show_delivery(session, _call(session, "GET", f"/deliveries/{_quoted(delivery)}"))
        return
    asked = {"subscription": name, "state": state, "vtid": vtid, "limit": limit}
    params = {key: value for key, value in asked.items() if value is not None}
    items = call(session, "GET", f"{_PATH}/deliveries", params=params)["items"]
    lines = [item | {"last": item["last_error"] or item["last_status"]} for item in items]
    shown = items if session.as_json else lines
    show_list(shown, _LOG, as_json=session.as_json, none="Nobody was told of anything.", whole=("delivery",))


@command(notify, "resend")
def resend(
    session: Session,
    delivery: Delivery,
    wait: Annotated[float, typer.Option(min=0, max=60, help="Seconds to wait for what comes back.")] = 20,
) -> None:
    """Send a message again. Exit code 1: it was not accepted."""
    before = len(_call(session, "GET", f"/deliveries/{_quoted(delivery)}")["attempts"])
    made = _call(session, "POST", f"/deliveries/{_quoted(delivery)}/resend")
    _end(session, _tried(session, made["id"], wait, before), before)


@command(notify, "rotate")
def rotate(session: Session, name: Name) -> None:
    """Make a new secret and print it. For a day the old one signs beside it."""
    _show(session, _call(session, "POST", f"/{_quoted(name)}/rotate"))


@command(notify, "pause")
def pause(session: Session, name: Name, reason: Annotated[str, typer.Option(help="Why.")] = "") -> None:
    """Tell it nothing until it is enabled."""
    _show(session, _call(session, "POST", f"/{_quoted(name)}/pause", {"reason": reason}))


@command(notify, "enable")
def enable(session: Session, name: Name) -> None:
    """Tell it of everything from now on, after it was paused, or disabled because nobody answered."""
    _show(session, _call(session, "POST", f"/{_quoted(name)}/enable"))


@command(notify, "remove")
def remove(session: Session, name: Name) -> None:
    """Forget it. What it was told stays in the log."""
    _call(session, "DELETE", f"/{_quoted(name)}")
    _show(session, {"name": name, "state": "removed"})


def _call(session: Session, method: str, path: str, body: Any = None) -> Any:
    from vtid.cli.client import call

    return call(session, method, _PATH + path, **({} if body is None else {"json": body}))


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")


def _tried(session: Session, delivery: str, wait: float, before: int = 0) -> dict[str, Any]:
    """The delivery once it was tried again, or as it stands when the time is over."""
    import time

    deadline = time.monotonic() + wait
    while True:
        made: dict[str, Any] = _call(session, "GET", f"/deliveries/{_quoted(delivery)}")
        if len(made["attempts"]) > before or time.monotonic() >= deadline:
            return made
        time.sleep(0.3)


def _end(session: Session, made: dict[str, Any], before: int = 0) -> None:
    _show_delivery(session, made)
    if made["state"] == "delivered":
        return
    if len(made["attempts"]) <= before:
        raise CommandFailed("nobody has tried it yet; see `vtid notify log`", Exit.TIMED_OUT)
    raise typer.Exit(Exit.FAILED)


def _show(session: Session, answer: dict[str, Any]) -> None:
    from vtid.cli.tables import show_one

    show_one(answer, tuple((field, field) for field in _FIELDS), as_json=session.as_json)


def _show_delivery(session: Session, made: dict[str, Any]) -> None:
    from vtid.cli.console import print_json
    from vtid.cli.tables import show_rows

    if session.as_json:
        print_json(made)
        return
    tries = [
        f"{each['at']}  {each['status'] or 'no answer'}  {each['milliseconds']} ms  {each['error'] or ''}".rstrip()
        for each in made["attempts"]
    ]
    show_rows(
        [
            ("delivery", [made["id"]]),
            ("to", [made["subscription"]]),
            ("kind", [made["kind"]]),
            ("state", [made["state"]]),
            ("tries", tries or ["none yet"]),
            *([("next try", [made["next_at"]])] if made["next_at"] else []),
            ("body", [made["body"]]),
        ]
    )
