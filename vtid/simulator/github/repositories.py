"""A repository in GitHub's three sizes, and its branches."""

from typing import Any

from vtid.simulator.github.commits import commit_json
from vtid.simulator.github.people import user_json
from vtid.simulator.github.urls import Place, node_id
from vtid.simulator.schedule import moment

API_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def minimal_repository_json(place: Place) -> dict[str, Any]:
    repository = place.repository
    return {
        "id": repository.id,
        "node_id": node_id("R", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "owner": user_json(place, repository.owner),
        "private": False,
        "html_url": place.html,
        "description": None,
        "fork": False,
        "url": place.api,
        **{name: place.api + tail for name, tail in API_LINKS.items()},
    }


def repository_json(place: Place) -> dict[str, Any]:
    repository = place.repository
    host = place.origin.removeprefix("http://")
    counts = [
        *("forks", "forks_count", "open_issues", "open_issues_count", "size"),
        *("stargazers_count", "watchers", "watchers_count"),
    ]
    return {
        **minimal_repository_json(place),
        **dict.fromkeys(counts, 0),
        "archived": False,
        "clone_url": f"{place.html}.git",
        "created_at": moment(repository.created_at),
        "default_branch": repository.default_branch,
        "disabled": False,
        "git_url": f"git://{host}/{repository.full_name}.git",
        "has_discussions": False,
        "has_issues": True,
        "has_pages": False,
        "has_projects": False,
        "has_wiki": False,
        "homepage": None,
        "language": "Python",
        "license": None,
        "mirror_url": None,
        "pushed_at": moment(repository.created_at),
        "ssh_url": f"git@{host}:{repository.full_name}.git",
        "svn_url": place.html,
        "updated_at": moment(repository.created_at),
        "allow_merge_commit": True,
        "allow_squash_merge": True,
        "allow_rebase_merge": True,
    }


def full_repository_json(place: Place) -> dict[str, Any]:
    return {**repository_json(place), "network_count": 0, "subscribers_count": 0}


def branch_json(place: Place, name: str, *, protected: bool) -> dict[str, Any]:
    commit = place.repository.history.commits[place.repository.history.branches[name]]
    url = f"{place.api}/branches/{name}"
    return {
        "name": name,
        "commit": commit_json(place, commit),
        "_links": {"self": url, "html": f"{place.html}/tree/{name}"},
        "protected": protected,
        "protection": {"enabled": protected},
        "protection_url": f"{url}/protection",
    }


def short_branch_json(place: Place, name: str, *, protected: bool) -> dict[str, Any]:
    sha = place.repository.history.branches[name]
    return {"name": name, "commit": {"sha": sha, "url": f"{place.api}/commits/{sha}"}, "protected": protected}


def ref_json(place: Place, name: str) -> dict[str, Any]:
    sha = place.repository.history.branches[name]
    return {
        "ref": f"refs/heads/{name}",
        "node_id": node_id("REF", name),
        "url": f"{place.api}/git/refs/heads/{name}",
        "object": {"type": "commit", "sha": sha, "url": f"{place.api}/git/commits/{sha}"},
    }
