"""Pull requests on GitHub, their files, and how commits relate."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from vtid.adapters.errors import reading
from vtid.adapters.github_answers import SYSTEM
from vtid.adapters.github_wire import GitHubWire, part, place
from vtid.domain.change import Ancestry, ChangedFiles, PullRequest
from vtid.domain.environment import Environment
from vtid.domain.errors import Conflict, Missing, Unavailable
from vtid.domain.extraction import PullRequestWords
from vtid.domain.secret_shapes import secrets_in_patch
from vtid.domain.vtid import mentioned_vtids

MOST_FILES = 3_000  # GitHub lists no more, whatever the pull request changes

_ANCESTRY = {
    "identical": Ancestry.SAME,
    "ahead": Ancestry.DESCENDANT,
    "behind": Ancestry.ANCESTOR,
    "diverged": Ancestry.DIVERGED,
}


def pull_request(wire: GitHubWire, repository: str, number: int) -> PullRequest | None:
    """The pull request as it is now, or None when the repository is there and has none of this number."""
    data = _read(wire, repository, number)
    return None if data is None else with_merge_commit(wire, _pull_of(repository, data))


def the_pull_request(wire: GitHubWire, repository: str, number: int) -> PullRequest:
    """The pull request as it is now. Raises Missing when there is none."""
    pull = pull_request(wire, repository, number)
    if pull is None:
        raise Missing(SYSTEM, f"{repository} has no pull request {number}", status=404)
    return pull


def pull_request_words(wire: GitHubWire, repository: str, number: int) -> PullRequestWords | None:
    """Title, body and branch as they are now; None as for `pull_request`."""
    data = _read(wire, repository, number)
    if data is None:
        return None
    with reading(SYSTEM, f"a pull request of {repository}"):
        return PullRequestWords(str(data["title"]), str(data.get("body") or ""), str(data["head"]["ref"]))


def pull_requests_of(wire: GitHubWire, repository: str, sha: str) -> tuple[int, ...]:
    """The merged pull requests that brought this commit; none for one that GitHub does not know."""
    listed = _of_commit(wire, repository, lambda path: list(wire.pages(f"{path}/pulls")), sha) or []
    with reading(SYSTEM, f"the pull requests of {sha[:12]}"):
        return tuple(int(data["number"]) for data in listed if data["merged_at"] is not None)


def commit_message(wire: GitHubWire, repository: str, sha: str) -> str | None:
    """The whole message of the commit; None when GitHub knows none of this SHA."""
    data = _of_commit(wire, repository, wire.get, sha)
    if data is None:
        return None
    with reading(SYSTEM, f"commit {sha[:12]}"):
        return str(data["commit"]["message"])


def _of_commit(wire: GitHubWire, repository: str, ask: Callable[[str], Any], sha: str) -> Any:
    try:
        return ask(f"{place(repository)}/commits/{part(sha)}")
    except Conflict:  # 422 for a SHA that is not there
        return None
    except Missing:
        wire.get(place(repository))  # as below: hidden is not absent
        return None


def _read(wire: GitHubWire, repository: str, number: int) -> Any:
    try:
        return wire.get(f"{place(repository)}/pulls/{number}")
    except Missing:
        # GitHub hides what our token may not see. Only a visible repository makes this 404 a "no".
        wire.get(place(repository))
        return None


def find_pull_requests(
    wire: GitHubWire, repository: str, vtid: str, environment: Environment, since: datetime | None
) -> tuple[PullRequest, ...]:
    listed = _newest_first(wire, repository, environment.base_branch, since)
    belonging = [
        pull
        for pull in listed
        if environment.is_branch_of(vtid, pull.branch) or vtid in mentioned_vtids(pull.title, pull.branch)
    ]
    return tuple(with_merge_commit(wire, pull) for pull in belonging)


def _newest_first(
    wire: GitHubWire, repository: str, base: str, since: datetime | None
) -> Iterator[PullRequest]:
    entries = wire.pages(
        f"{place(repository)}/pulls", state="all", base=base, sort="created", direction="desc"
    )
    for data in entries:
        pull = _pull_of(repository, data)
        if since is not None and pull.created_at < since:
            return
        yield pull


def _pull_of(repository: str, data: Any) -> PullRequest:
    with reading(SYSTEM, f"a pull request of {repository}"):
        head, base = data["head"], data["base"]
        title, body, branch = str(data["title"]), str(data.get("body") or ""), str(head["ref"])
        origin = head["repo"]
        return PullRequest(
            repository=str(base["repo"]["full_name"]),
            number=int(data["number"]),
            url=str(data["html_url"]),
            title=title,
            branch=branch,
            base=str(base["ref"]),
            head_sha=str(head["sha"]),
            head_repository=None if origin is None else str(origin["full_name"]),
            is_open=data["state"] == "open",
            draft=bool(data["draft"]),
            merged=data["merged_at"] is not None,
            merged_at=None if data["merged_at"] is None else datetime.fromisoformat(data["merged_at"]),
            created_at=datetime.fromisoformat(data["created_at"]),
            vtids=mentioned_vtids(title, body, branch),
            mergeable=data.get("mergeable"),
        )


def with_merge_commit(wire: GitHubWire, pull: PullRequest) -> PullRequest:
    """The same with its commit on the base branch, if it is merged.

    Pull requests of this API version do not name that commit; the event of the merge does. Raises
    Unavailable while GitHub shows the merge but not its event yet.
    """
    if not pull.merged:
        return pull
    commit = None
    for event in wire.pages(f"{place(pull.repository)}/issues/{pull.number}/events"):
        with reading(SYSTEM, f"an event of {pull.url}"):
            if event["event"] == "merged" and event["commit_id"]:
                commit = str(event["commit_id"])
    if commit is None:
        raise Unavailable(SYSTEM, f"{pull.url} is merged, but GitHub does not tell its commit yet")
    return replace(pull, merge_sha=commit)


def changed_files(wire: GitHubWire, repository: str, number: int) -> ChangedFiles:
    """All files. A file that moved changes both paths; one whose added lines GitHub withholds is not read."""
    address = f"{place(repository)}/pulls/{number}"
    data = wire.get(address)
    with reading(SYSTEM, address):
        promised = int(data["changed_files"])
    paths: dict[str, None] = {}
    secrets: list[str] = []
    read, withheld = 0, False
    for entry in wire.pages(f"{address}/files"):
        with reading(SYSTEM, f"{address}/files"):
            path, patch = str(entry["filename"]), entry.get("patch")
            moved_from = entry.get("previous_filename")
            withheld = withheld or (patch is None and int(entry["additions"]) > 0)
            secrets.extend(secrets_in_patch(path, patch or ""))
        paths |= dict.fromkeys([path, str(moved_from)] if moved_from else [path])
        read += 1
    complete = read == promised and read < MOST_FILES and not withheld
    return ChangedFiles(tuple(paths), complete, tuple(secrets))


def compare(wire: GitHubWire, repository: str, ours: str, other: str) -> Ancestry:
    address = f"{place(repository)}/compare/{part(ours)}...{part(other)}"
    data = wire.get(address, per_page=1)
    with reading(SYSTEM, address):
        return _ANCESTRY[data["status"]]
