"""Pull requests as GitHub writes them: no merge_commit_sha and no assignee since 2026-03-10."""

from typing import Any

from vtid.simulator import pulls
from vtid.simulator.facts import PullRequest
from vtid.simulator.github.people import BOT, WORKER, user_json
from vtid.simulator.github.repositories import repository_json
from vtid.simulator.github.urls import Place, node_id
from vtid.simulator.schedule import moment
from vtid.simulator.world import World


def simple_pull_json(place: Place, pull: PullRequest) -> dict[str, Any]:
    url, html = f"{place.api}/pulls/{pull.number}", f"{place.html}/pull/{pull.number}"
    issue = f"{place.api}/issues/{pull.number}"
    statuses = f"{place.api}/statuses/{pull.head_sha}"
    links = {
        "comments": f"{issue}/comments",
        "commits": f"{url}/commits",
        "html": html,
        "issue": issue,
        "review_comment": f"{place.api}/pulls/comments{{/number}}",
        "review_comments": f"{url}/comments",
        "self": url,
        "statuses": statuses,
    }
    return {
        "url": url,
        "id": pull.id,
        "node_id": node_id("PR", pull.id),
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "issue_url": issue,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": statuses,
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": user_json(place, pull.fork_owner or WORKER),
        "body": pull.body or None,
        "labels": [],
        "milestone": None,
        "active_lock_reason": None,
        "created_at": moment(pull.created_at),
        "updated_at": moment(pull.updated_at),
        "closed_at": moment(pull.closed_at) if pull.closed_at else None,
        "merged_at": moment(pull.merged_at) if pull.merged_at else None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": head_json(place, pull),
        "base": {
            "label": f"{place.repository.owner}:{pull.base}",
            "ref": pull.base,
            "sha": pull.base_sha,
            "user": user_json(place, place.repository.owner),
            "repo": repository_json(place),
        },
        "_links": {name: {"href": href} for name, href in links.items()},
        "author_association": "CONTRIBUTOR",
        "auto_merge": None,
        "draft": pull.draft,
    }


def head_json(place: Place, pull: PullRequest) -> dict[str, Any]:
    owner = pull.fork_owner or place.repository.owner
    home = repository_json(place)
    if pull.fork_owner:
        full_name = f"{owner}/{place.repository.name}"
        home |= {
            "id": place.repository.id + 1_000_000,
            "full_name": full_name,
            "fork": True,
            "owner": user_json(place, owner),
            "url": f"{place.root}/repos/{full_name}",
            "html_url": f"{place.origin}/{full_name}",
        }
    return {
        "label": f"{owner}:{pull.head_branch}",
        "ref": pull.head_branch,
        "sha": pull.head_sha,
        "user": user_json(place, owner),
        "repo": home,
    }


def pull_json(world: World, place: Place, pull: PullRequest, *, computes: bool = True) -> dict[str, Any]:
    """`computes`: this look makes GitHub find out whether the pull request can be merged."""
    files = pulls.files_of(place.repository, pull)
    mergeable = pulls.read_mergeable(place.repository, pull) if computes else None
    return {
        **simple_pull_json(place, pull),
        "merged": pull.merged_at is not None,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": mergeable_state(pull, mergeable),
        "merged_by": user_json(place, BOT) if pull.merged_at else None,
        "comments": sum(it.issue == pull.number for it in place.repository.comments),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(pulls.commits_of(place.repository, pull)),
        "additions": sum(it.additions for it in files),
        "deletions": sum(it.deletions for it in files),
        "changed_files": len(files),
    }


def mergeable_state(pull: PullRequest, mergeable: bool | None) -> str:
    if mergeable is None:
        return "unknown"
    if not mergeable:
        return "dirty"
    return "draft" if pull.draft else "clean"


def minimal_pull_json(place: Place, pull: PullRequest) -> dict[str, Any]:
    """The size that check runs and workflow runs carry."""
    repo = {"id": place.repository.id, "url": place.api, "name": place.repository.name}
    return {
        "id": pull.id,
        "number": pull.number,
        "url": f"{place.api}/pulls/{pull.number}",
        "head": {"ref": pull.head_branch, "sha": pull.head_sha, "repo": repo},
        "base": {"ref": pull.base, "sha": pull.base_sha, "repo": repo},
    }
