"""An App speaks for itself here, with a signature; with a token of an installation it speaks everywhere else."""

from typing import Any

from starlette.responses import Response

from vtid.simulator.apps import App, NotSigned, signer
from vtid.simulator.github.call import Call, GitHubError, RouteTable, answer, not_found
from vtid.simulator.github.people import app_at, user_at
from vtid.simulator.schedule import moment


def signed(call: Call) -> App:
    text = call.request.headers.get("authorization", "").removeprefix("Bearer ")
    try:
        return signer(call.world.apps, text)
    except NotSigned as error:
        raise GitHubError(401, str(error)) from None


def get_app(call: Call) -> Response:
    app = signed(call)
    return answer(call, app_at(call.origin, app.slug, call.world.now(), app.id))


def list_installations(call: Call) -> Response:
    app = signed(call)
    return answer(call, [installation(call, app, each) for each in app.installations])


def create_token(call: Call) -> Response:
    app = signed(call)
    if call.number("id") not in app.installations:
        raise not_found()
    token, until = app.new_token(call.world.now())
    call.changed("app_token")
    told = {
        "token": token,
        "expires_at": moment(until),
        "permissions": PERMISSIONS,
        "repository_selection": "all",
    }
    return answer(call, told, 201)


def installation(call: Call, app: App, number: int) -> dict[str, Any]:
    address, now = f"{call.origin}/api/v3/app/installations/{number}", moment(call.world.now())
    return {
        "id": number,
        "account": user_at(call.origin, "acme"),
        "repository_selection": "all",
        "access_tokens_url": f"{address}/access_tokens",
        "repositories_url": f"{call.origin}/api/v3/installation/repositories",
        "html_url": f"{call.origin}/settings/installations/{number}",
        "app_id": app.id,
        "app_slug": app.slug,
        "target_id": 1,
        "target_type": "Organization",
        "permissions": PERMISSIONS,
        "events": [],
        "created_at": now,
        "updated_at": now,
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": None,
    }


PERMISSIONS = {
    "actions": "write",
    "checks": "write",
    "contents": "write",
    "deployments": "write",
    "metadata": "read",
    "pull_requests": "write",
}
ROUTES: RouteTable = (
    ("GET", "/app", get_app),
    ("GET", "/app/installations", list_installations),
    ("POST", "/app/installations/{id}/access_tokens", create_token),
)
