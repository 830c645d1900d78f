"""Users and the app that checks belong to."""

import zlib
from typing import Any

from vtid.simulator.github.urls import Place, node_id
from vtid.simulator.schedule import moment

BOT = "vtid-bot"
WORKER = "claude-worker"
USER_LINKS = {
    "events_url": "/events{/privacy}",
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "organizations_url": "/orgs",
    "received_events_url": "/received_events",
    "repos_url": "/repos",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
}


def user_at(origin: str, login: str) -> dict[str, Any]:
    url = f"{origin}/api/v3/users/{login}"
    return {
        "login": login,
        "id": zlib.crc32(login.encode()),
        "node_id": node_id("U", login),
        "avatar_url": f"{origin}/avatars/{login}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{origin}/{login}",
        "type": "Bot" if login.endswith("[bot]") else "User",
        "site_admin": False,
        **{name: url + tail for name, tail in USER_LINKS.items()},
    }


def user_json(place: Place, login: str) -> dict[str, Any]:
    return user_at(place.origin, login)


def public_user_json(origin: str, login: str, since: float) -> dict[str, Any]:
    nothing = dict.fromkeys(["company", "location", "email", "hireable", "bio"])
    counts = dict.fromkeys(["public_repos", "public_gists", "followers", "following"], 0)
    return {
        **user_at(origin, login),
        **nothing,
        **counts,
        "name": login,
        "blog": "",
        "created_at": moment(since),
        "updated_at": moment(since),
    }


def app_json(place: Place, slug: str) -> dict[str, Any]:
    return app_at(place.origin, slug, place.repository.created_at, zlib.crc32(slug.encode()))


def app_at(origin: str, slug: str, since: float, number: int) -> dict[str, Any]:
    created = moment(since)
    return {
        "id": number,
        "slug": slug,
        "node_id": node_id("A", slug),
        "owner": user_at(origin, "github"),
        "name": slug,
        "description": "",
        "external_url": origin,
        "html_url": f"{origin}/apps/{slug}",
        "created_at": created,
        "updated_at": created,
        "permissions": {"checks": "write", "contents": "read", "metadata": "read"},
        "events": ["check_run", "check_suite"],
    }
