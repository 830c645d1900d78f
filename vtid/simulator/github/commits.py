"""Commits, the files that they change, and comparisons."""

from typing import Any

from vtid.simulator.github.people import user_json
from vtid.simulator.github.urls import Place, node_id
from vtid.simulator.history import Commit, FileChange
from vtid.simulator.schedule import moment


def commit_json(place: Place, commit: Commit) -> dict[str, Any]:
    url = f"{place.api}/commits/{commit.sha}"
    person = {"name": commit.author, "email": f"{commit.author}@example.invalid", "date": moment(commit.at)}
    return {
        "url": url,
        "sha": commit.sha,
        "node_id": node_id("C", commit.sha),
        "html_url": f"{place.html}/commit/{commit.sha}",
        "comments_url": f"{url}/comments",
        "commit": {
            "url": f"{place.api}/git/commits/{commit.sha}",
            "author": person,
            "committer": person,
            "message": commit.message,
            "comment_count": 0,
            "tree": {"sha": commit.tree_sha, "url": f"{place.api}/git/trees/{commit.tree_sha}"},
        },
        "author": user_json(place, commit.author),
        "committer": user_json(place, commit.author),
        "parents": [
            {"url": f"{place.api}/commits/{sha}", "sha": sha, "html_url": f"{place.html}/commit/{sha}"}
            for sha in commit.parents
        ],
    }


def whole_commit_json(place: Place, commit: Commit) -> dict[str, Any]:
    """One commit asked for by itself brings its files along."""
    history = place.repository.history
    files = history.diff(commit.parents[0], commit.sha) if commit.parents else []
    added, removed = sum(it.additions for it in files), sum(it.deletions for it in files)
    return {
        **commit_json(place, commit),
        "stats": {"additions": added, "deletions": removed, "total": added + removed},
        "files": [file_json(place, commit.sha, it) for it in files],
    }


def simple_commit_json(commit: Commit) -> dict[str, Any]:
    person = {"name": commit.author, "email": f"{commit.author}@example.invalid"}
    return {
        "id": commit.sha,
        "tree_id": commit.tree_sha,
        "message": commit.message,
        "timestamp": moment(commit.at),
        "author": person,
        "committer": person,
    }


def file_json(place: Place, sha: str, change: FileChange) -> dict[str, Any]:
    return {
        "sha": change.blob,
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": f"{place.html}/blob/{sha}/{change.path}",
        "raw_url": f"{place.html}/raw/{sha}/{change.path}",
        "contents_url": f"{place.api}/contents/{change.path}?ref={sha}",
        "patch": change.patch,
    }


def comparison_json(place: Place, base: Commit, head: Commit) -> dict[str, Any]:
    history = place.repository.history
    ahead = history.only_in(head.sha, base.sha)
    behind = history.only_in(base.sha, head.sha)
    shared = history.commits[history.merge_base(base.sha, head.sha)]
    words = {
        (False, False): "identical",
        (True, False): "ahead",
        (False, True): "behind",
        (True, True): "diverged",
    }
    span = f"{base.sha}...{head.sha}"
    html = f"{place.html}/compare/{span}"
    return {
        "url": f"{place.api}/compare/{span}",
        "html_url": html,
        "permalink_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "base_commit": commit_json(place, base),
        "merge_base_commit": commit_json(place, shared),
        "status": words[bool(ahead), bool(behind)],
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [commit_json(place, it) for it in ahead],
        "files": [file_json(place, head.sha, it) for it in history.diff(shared.sha, head.sha)],
    }
