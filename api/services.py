"""What the routes are given, and who is calling them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import HTTPBearer
from pydantic import AfterValidator, BaseModel, ConfigDict

from api.auth import Authenticator, Principal, Role
from api.claims import Claims
from api.drift import Drifts
from api.engine import Engine
from api.explaining import Explainer
from api.gateway.counter import Counter
from api.gateway.results import Results
from api.live import Feed
from api.metrics import Metrics
from api.notifier import Notifier, Secrets
from api.pickup import Pickup
from api.presenter import Presenter
from api.problems import Problem, request_id
from api.proofs import Proofs
from api.queues import Queues
from api.readiness import Readiness
from api.reconciler import Reconciler
from api.starts import Starts
from api.webhooks.inbox import Inbox
from api.work_orders import WorkDesk
from vtid.domain.destinations import Destinations
from vtid.domain.environment import Environment
from vtid.domain.vtid import canonical_vtid
from vtid.ledger import Ledger

PREFIX = "/api/v1"


@dataclass(frozen=True)
class Services:
    """Everything that a route may use, made once by `compose`."""

    ledger: Ledger
    engine: Engine
    environments: dict[str, Environment]
    auth: Authenticator
    presenter: Presenter
    starts: Starts
    claims: Claims
    pickup: Pickup
    desk: WorkDesk
    counter: Counter
    results: Results
    drifts: Drifts
    queues: Queues
    explainer: Explainer
    proofs: Proofs
    inbox: Inbox
    feed: Feed
    reconciler: Reconciler
    readiness: Readiness
    metrics: Metrics
    notifier: Notifier
    secrets: Secrets
    destinations: Destinations

    async def audit(self, request: Request, actor: Principal, verb: str, target: str, **detail: Any) -> None:
        """Keep who did what. Raises LedgerUnavailable: a change that cannot be kept is told as such."""
        await self.ledger.audit.record(
            who=actor.name,
            role=actor.role.value,
            verb=verb,
            target=target,
            detail=detail,
            request_id=request_id(request.scope) or "",
        )


async def services_of(request: Request) -> Services:  # a plain function would take a thread for each request
    services: Services = request.app.state.services
    return services


Given = Annotated[Services, Depends(services_of)]


# It only tells OpenAPI that a key is needed; the authenticator reads the header, and the page's cookie.
KEY = HTTPBearer(
    scheme_name="key", description="An API key; `vtid token create` makes one.", auto_error=False
)


def require(*roles: Role) -> Callable[..., Awaitable[Principal]]:
    """A dependency: the caller, who must cover one of these roles."""

    async def check(request: Request, given: Given, _: Annotated[object, Depends(KEY)]) -> Principal:
        principal = await given.auth.principal_of(request)
        check_role(principal, *roles)
        return principal

    return check


def check_role(principal: Principal, *roles: Role) -> None:
    """Raise Problem FORBIDDEN unless the principal may act as one of these."""
    if not principal.may(*roles):
        needed = " or ".join(roles)
        raise Problem(
            "FORBIDDEN", f"this needs the role {needed}", expected=needed, actual=principal.role.value
        )


Viewer = Annotated[Principal, Depends(require(Role.VIEWER))]
ViewerOrWorker = Annotated[Principal, Depends(require(Role.VIEWER, Role.WORKER))]
Operator = Annotated[Principal, Depends(require(Role.OPERATOR))]
Admin = Annotated[Principal, Depends(require(Role.ADMIN))]
Approver = Annotated[Principal, Depends(require(Role.APPROVER))]
Worker = Annotated[Principal, Depends(require(Role.WORKER))]


def storable(text: str) -> str:
    """Refuse text that no database or hash can take: lone surrogates and NUL."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("not valid UTF-8 text") from None
    if "\x00" in text:
        raise ValueError("must not contain the character U+0000")
    return text


def said(text: str) -> str:
    """The words without blanks around them; refused where none are left."""
    if not (words := text.strip()):
        raise ValueError("must not be empty")
    return words


Text = Annotated[str, AfterValidator(storable)]
Words = Annotated[Text, AfterValidator(said)]
Vtid = Annotated[str, AfterValidator(storable), AfterValidator(canonical_vtid)]
VtidPath = Annotated[Vtid, Path(description="VTID- and four or more digits; lower case is accepted")]
VtidQuery = Annotated[Vtid | None, Query(description="VTID- and four or more digits")]
_MOST_DIGITS = 18
MOST = 10**_MOST_DIGITS - 1  # of a number that is looked up; both databases hold 64 bits
Limit = Annotated[int, Query(ge=1, le=200)]
IfMatch = Annotated[str | None, Header(alias="If-Match")]


class Body(BaseModel):
    """A request's body: unknown fields are errors, so that a slip of the pen is never ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


def etag(version: int) -> str:
    return f'"{version}"'


def version_of(if_match: str | None) -> int | None:
    """The version in If-Match; None for `*` or no header. Raises Problem VALIDATION."""
    if if_match is None or if_match.strip() == "*":
        return None
    digits = if_match.strip().removeprefix("W/").strip('"')
    if not is_count(digits):
        raise Problem("VALIDATION", f'If-Match must be an ETag like "3", not {if_match[:60]!r}')
    return int(digits)


def is_count(text: str) -> bool:
    """Whether the text is a whole number that the ledger can hold: a longer one stops Python or the database."""
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
