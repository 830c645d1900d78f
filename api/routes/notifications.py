"""Being told: who wants to hear of what, and what became of every message."""

from secrets import token_hex
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import AfterValidator, Field
from starlette.responses import JSONResponse, Response

from api import told_shapes
from api.plain import plain
from api.problems import Problem
from api.services import PREFIX, Admin, Body, Given, Limit, Services, Text, VtidQuery
from api.shapes import Paged
from api.wrong_shape import NAME
from vtid.domain.destinations import InvalidDestination
from vtid.domain.notifications import PAUSES, SAYS, SUBSCRIBABLE, Format, Kind
from vtid.ledger.records import OutgoingRecord, SubscriptionRecord

router = APIRouter(prefix=f"{PREFIX}/notifications", tags=["notifications"])


def _unmistakable(name: str) -> str:
    """A name that looks like an id, or like a part of an address here, could hide another subscription."""
    if name.startswith("sub_") or name == "deliveries":
        raise ValueError("must not begin with sub_, nor be the word deliveries")
    return name


Name = Annotated[
    Text,
    Field(min_length=1, max_length=100, pattern=NAME, examples=["on-call"]),
    AfterValidator(_unmistakable),
]
Url = Annotated[
    Text, Field(max_length=2_000, description="https://…; plain http:// for loopback in a development stack")
]
Kinds = Annotated[list[Kind], Field(min_length=1, max_length=len(Kind))]
Environments = Annotated[list[Annotated[Text, Field(max_length=100)]], Field(max_length=50)]
SubscriptionId = Annotated[Text, Path(description="its id or its name", max_length=200)]
DeliveryId = Annotated[Text, Path(description="the webhook-id", max_length=200)]


class Subscribe(Body):
    name: Name
    url: Url
    kinds: Kinds = Field(list(SUBSCRIBABLE), description="default: all")
    format: Format = Format.STANDARD
    environments: Environments = Field([], description="only runs of these; empty: all")


class ChangeSubscription(Body):
    name: Name | None = None
    url: Url | None = None
    kinds: Kinds | None = None
    format: Format | None = None
    environments: Environments | None = None


class Pause(Body):
    reason: Annotated[Text, Field(max_length=2_000)] = ""


# ---------------------------------------------------------------- subscriptions


@router.post("", status_code=201, response_model=told_shapes.NewSubscription)
async def subscribe(body: Subscribe, request: Request, given: Given, actor: Admin) -> JSONResponse:
    """Tell this address from now on. The answer has the secret that signs every message, once and never again."""
    _check(given, body.url, body.kinds, body.environments)
    new = f"sub_{token_hex(8)}"
    record = await given.ledger.subscriptions.create(
        new,
        name=body.name,
        url=body.url,
        format=body.format.value,
        kinds=[each.value for each in body.kinds],
        environments=body.environments,
        fingerprint=given.secrets.fingerprint(new, 1),
        by=actor.name,
    )
    await given.audit(request, actor, "notification.subscribe", record.name, subscription=new)
    headers = {"Location": f"{PREFIX}/notifications/{new}"}
    return JSONResponse(_shown(record) | {"secret": given.secrets.of(new, 1)}, 201, headers=headers)


@router.get("", response_model=told_shapes.Subscriptions)
async def subscriptions(given: Given, _: Admin) -> JSONResponse:
    """Every subscription, and what one may be told of. No secret is ever shown again."""
    items = [_shown(each) for each in await given.ledger.subscriptions.list()]
    kinds = [{"kind": kind.value, "says": SAYS[kind]} for kind in SUBSCRIBABLE]
    pauses = [pause.total_seconds() for pause in PAUSES]
    return JSONResponse({"items": items, "next_cursor": None, "kinds": kinds, "pauses_seconds": pauses})


@router.get("/deliveries", response_model=Paged[told_shapes.OutgoingDelivery])
async def deliveries(
    given: Given,
    _: Admin,
    subscription: Text | None = None,
    state: Literal["pending", "delivered", "failed", "cancelled"] | None = None,
    kind: Kind | None = None,
    vtid: VtidQuery = None,
    limit: Limit = 50,
    cursor: Text | None = None,
) -> JSONResponse:
    """The log of messages, the newest first: what was to be told to whom, and how that stands."""
    if subscription is not None and not subscription.startswith("sub_"):
        subscription = (await given.ledger.subscriptions.get(subscription)).id
    page = await given.ledger.outbox.list(
        subscription=subscription, state=state, kind=kind, vtid=vtid, limit=limit, cursor=cursor
    )
    return JSONResponse({"items": [_line(each) for each in page.items], "next_cursor": page.next_cursor})


@router.get("/deliveries/{delivery_id}", response_model=told_shapes.WholeDelivery)
async def delivery(delivery_id: DeliveryId, given: Given, _: Admin) -> JSONResponse:
    """One message with its body and every try (the last hundred): when, how long, status, error, answer."""
    record, tries = await given.ledger.outbox.get(delivery_id)
    return JSONResponse(_line(record) | {"body": record.body, "attempts": plain(tries)})


@router.post("/deliveries/{delivery_id}/resend", status_code=202, response_model=told_shapes.OutgoingDelivery)
async def resend(delivery_id: DeliveryId, request: Request, given: Given, actor: Admin) -> JSONResponse:
    """Send the same message again, now, under the same id and with a fresh schedule."""
    record = await given.ledger.outbox.resend(delivery_id)
    await given.audit(request, actor, "notification.resend", record.subscription, delivery=delivery_id)
    given.notifier.hurry()
    return JSONResponse(_line(record), 202)


@router.get("/{subscription_id}", response_model=told_shapes.Subscription)
async def subscription(subscription_id: SubscriptionId, given: Given, _: Admin) -> JSONResponse:
    """One subscription, by its id or name."""
    return JSONResponse(_shown(await given.ledger.subscriptions.get(subscription_id)))


@router.patch("/{subscription_id}", response_model=told_shapes.Subscription)
async def change(
    subscription_id: SubscriptionId, body: ChangeSubscription, request: Request, given: Given, actor: Admin
) -> JSONResponse:
    """Change what is given. A change of the address or the form holds for messages that are made from now on."""
    _check(given, body.url, body.kinds or [], body.environments or [])
    fields = body.model_dump(mode="json", exclude_none=True)
    record = await given.ledger.subscriptions.change(subscription_id, **fields)
    await given.audit(request, actor, "notification.change", record.name, changed=sorted(fields))
    return JSONResponse(_shown(record))


@router.delete("/{subscription_id}", status_code=204)
async def unsubscribe(
    subscription_id: SubscriptionId, request: Request, given: Given, actor: Admin
) -> Response:
    """Forget it. What it was told stays in the log, what was pending is cancelled."""
    record = await given.ledger.subscriptions.remove(subscription_id)
    await given.audit(request, actor, "notification.unsubscribe", record.name, subscription=record.id)
    return Response(status_code=204)


@router.post("/{subscription_id}/rotate", response_model=told_shapes.NewSubscription)
async def rotate(
    subscription_id: SubscriptionId, request: Request, given: Given, actor: Admin
) -> JSONResponse:
    """Make a new secret and show it once. For a day the old one signs beside it, so that nothing is refused."""
    before = await given.ledger.subscriptions.get(subscription_id)
    generation = before.generation + 1
    fingerprint = given.secrets.fingerprint(before.id, generation)
    record = await given.ledger.subscriptions.rotate(before.id, generation, fingerprint)
    await given.audit(request, actor, "notification.rotate", record.name, generation=generation)
    return JSONResponse(_shown(record) | {"secret": given.secrets.of(record.id, generation)})


@router.post("/{subscription_id}/pause", response_model=told_shapes.Subscription)
async def pause(
    subscription_id: SubscriptionId, request: Request, given: Given, actor: Admin, body: Pause | None = None
) -> JSONResponse:
    """Tell it nothing until it is enabled."""
    reason = (body.reason if body else "") or f"paused by {actor.name}"
    record = await given.ledger.subscriptions.pause(subscription_id, reason)
    await given.audit(request, actor, "notification.pause", record.name, reason=reason)
    return JSONResponse(_shown(record))


@router.post("/{subscription_id}/enable", response_model=told_shapes.Subscription)
async def enable(
    subscription_id: SubscriptionId, request: Request, given: Given, actor: Admin
) -> JSONResponse:
    """Tell it of everything from now on, and what was still pending. What happened meanwhile stays untold."""
    record = await given.ledger.subscriptions.enable(subscription_id)
    await given.audit(request, actor, "notification.enable", record.name)
    given.notifier.hurry()
    return JSONResponse(_shown(record))


@router.post("/{subscription_id}/test", status_code=202, response_model=told_shapes.OutgoingDelivery)
async def test(subscription_id: SubscriptionId, request: Request, given: Given, actor: Admin) -> JSONResponse:
    """Send a test message. The answer is its entry in the log, where its tries appear."""
    record = await given.ledger.subscriptions.get(subscription_id)
    made = await given.ledger.outbox.test(record.id, by=actor.name)
    await given.audit(request, actor, "notification.test", record.name, delivery=made.id)
    given.notifier.hurry()
    return JSONResponse(_line(made), 202)


def _check(given: Services, url: str | None, kinds: list[Kind], environments: list[str]) -> None:
    """Raise Problem VALIDATION for an address that is never told, or a name that is not declared."""
    if url is not None:
        try:
            given.destinations.check_url(url)
        except InvalidDestination as error:
            raise _wrong("url", str(error)) from error
    if Kind.TEST in kinds:
        raise _wrong("kinds", f"a test is asked for by name; one of {', '.join(SUBSCRIBABLE)}")
    for name in environments:
        if name not in given.environments:
            raise _wrong("environments", f"declared are {', '.join(sorted(given.environments))}")


def _wrong(field: str, message: str) -> Problem:
    return Problem("VALIDATION", f"{field}: {message}", errors=({"field": field, "message": message},))


def _shown(record: SubscriptionRecord) -> dict[str, Any]:
    shown: dict[str, Any] = plain(record)
    return shown


def _line(record: OutgoingRecord) -> dict[str, Any]:
    shown: dict[str, Any] = plain(record)
    shown.pop("body")
    return shown
