"""/repos/{owner}/{repo}/pulls"""

import re

from starlette.responses import Response

from vtid.simulator import pulls
from vtid.simulator.facts import PullRequest
from vtid.simulator.github.call import Call, GitHubError, RouteTable, answer, invalid, not_found, paged
from vtid.simulator.github.commits import commit_json, file_json
from vtid.simulator.github.pulls import pull_json, simple_pull_json

METHODS = ("merge", "squash", "rebase")


def list_pulls(call: Call) -> Response:
    state, head, base = call.query("state", "open"), call.query("head"), call.query("base")
    place = call.place
    found = [
        pull
        for pull in call.repository.pulls.values()
        if state in ("all", pull.state)
        and base in ("", pull.base)
        and head in ("", f"{pull.fork_owner or call.repository.owner}:{pull.head_branch}")
    ]
    by = call.query("sort", "created")
    newest_first = call.query("direction", "desc" if by == "created" else "asc") == "desc"
    found.sort(
        key=lambda it: (it.updated_at if by == "updated" else it.created_at, it.number), reverse=newest_first
    )
    return paged(call, [simple_pull_json(place, it) for it in found])


def create_pull(call: Call) -> Response:
    repository, history = call.repository, call.repository.history
    head = call.text("head").removeprefix(f"{repository.owner}:")
    base, title = call.text("base"), call.text("title")
    for field, branch in (("head", head), ("base", base)):
        if branch not in history.branches:
            raise invalid(field)
    if not history.only_in(history.branches[head], history.branches[base]):
        raise GitHubError(
            422,
            "Validation Failed",
            [
                {
                    "resource": "PullRequest",
                    "code": "custom",
                    "message": f"No commits between {base} and {head}",
                }
            ],
        )
    if any(
        it.state == "open" and it.head_branch == head and it.base == base for it in repository.pulls.values()
    ):
        reason = f"A pull request already exists for {repository.owner}:{head}."
        raise GitHubError(
            422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": reason}]
        )
    opening = pulls.Opening(title, head, base, call.text("body", ""), call.body.get("draft") is True)
    pull = pulls.open_pull(call.world, repository, opening, history.branches[head])
    call.changed("pull")
    return answer(call, pull_json(call.world, call.place, pull), 201)


def get_pull(call: Call) -> Response:
    return answer(call, pull_json(call.world, call.place, call.pull))


def edit_pull(call: Call) -> Response:
    pull = call.pull
    pull.title = call.text("title", pull.title)
    pull.body = call.text("body", pull.body)
    state = call.text("state", pull.state)
    if state != pull.state:
        change_state(call, pull, state)
    call.changed("pull_edit")
    return answer(call, pull_json(call.world, call.place, pull))


def change_state(call: Call, pull: PullRequest, state: str) -> None:
    if state == "closed":
        pulls.close(call.world, call.repository, pull)
    elif state == "open" and not pull.merged_at:
        pull.state, pull.closed_at = "open", None
    else:
        raise invalid("state")


def list_files(call: Call) -> Response:
    pull = call.pull
    changed = pulls.files_of(call.repository, pull)
    return paged(call, [file_json(call.place, pull.head_sha, it) for it in changed])


def list_commits(call: Call) -> Response:
    return paged(call, [commit_json(call.place, it) for it in pulls.commits_of(call.repository, call.pull)])


def nothing(call: Call) -> Response:
    """Reviews and review comments: nobody reviews in this world."""
    call.pull  # noqa: B018 - an unknown pull request is 404 here too
    return paged(call, [])


def is_merged(call: Call) -> Response:
    if call.pull.merged_at is None:
        raise not_found()
    return Response(status_code=204)


def merge_pull(call: Call) -> Response:
    repository, pull = call.repository, call.pull
    method, sha = call.text("merge_method", "merge"), call.optional("sha")
    if method not in METHODS:
        raise invalid("merge_method")
    if sha is not None and not re.fullmatch(r"[0-9a-f]{40}", sha):
        raise invalid("sha")
    try:
        message = merge_message(call, pull, method)
        made = pulls.merge(call.world, repository, pull, sha=sha, method=method, message=message)
    except pulls.MergeRefused as refused:
        raise GitHubError(refused.status, refused.message) from refused
    call.changed("merge")
    return answer(call, {"sha": made.sha, "merged": True, "message": "Pull Request successfully merged"})


def merge_message(call: Call, pull: PullRequest, method: str) -> str:
    owner = pull.fork_owner or call.repository.owner
    by_method = {
        "merge": (f"Merge pull request #{pull.number} from {owner}/{pull.head_branch}", pull.title),
        "squash": (f"{pull.title} (#{pull.number})", ""),
        "rebase": (pull.title, ""),
    }
    title, text = by_method[method]
    lines = [call.text("commit_title", title), call.text("commit_message", text)]
    return "\n\n".join(filter(None, lines))


PULLS = "/repos/{owner}/{repo}/pulls"
ROUTES: RouteTable = (
    ("GET", PULLS, list_pulls),
    ("POST", PULLS, create_pull),
    ("GET", PULLS + "/{number}", get_pull),
    ("PATCH", PULLS + "/{number}", edit_pull),
    ("GET", PULLS + "/{number}/files", list_files),
    ("GET", PULLS + "/{number}/commits", list_commits),
    ("GET", PULLS + "/{number}/reviews", nothing),
    ("GET", PULLS + "/{number}/comments", nothing),
    ("GET", PULLS + "/{number}/merge", is_merged),
    ("PUT", PULLS + "/{number}/merge", merge_pull),
)
