"""What the run says of itself on GitHub: one check run on the head, one comment on the pull request.

Both are looked for first and edited in place, also after an answer that was lost. Only what our own
credentials wrote is taken for ours: a comment that somebody else marked as ours could be changed behind us.
"""

from collections.abc import Iterator
from typing import Any

from vtid.adapters.errors import reading
from vtid.adapters.github_answers import SYSTEM
from vtid.adapters.github_wire import GitHubWire, part, place
from vtid.domain.commands.reports import CheckWritten
from vtid.domain.errors import Denied
from vtid.domain.notice import CHECK_NAME, Conclusion, Notice, escaped

MAX_STATUS_TEXT = 140  # GitHub's limit of a commit status

# A status knows no "somebody must act": it holds the merge up, which is what that means.
_STATUS_OF = {Conclusion.SUCCESS: "success", Conclusion.ACTION_REQUIRED: "pending"}


def write_check(wire: GitHubWire, repository: str, sha: str, notice: Notice) -> CheckWritten:
    """Check runs belong to GitHub Apps. Where our token may not write them, a commit status says the same."""
    known = _own_check_run(wire, repository, sha, notice.vtid)
    try:
        return CheckWritten(_write_check_run(wire, repository, sha, notice, known))
    except Denied as refusal:
        if refusal.status != 403:
            raise
        url = _write_status(wire, repository, sha, notice)
        return CheckWritten(url, degraded=f"written as a commit status: {refusal}")


def _write_check_run(wire: GitHubWire, repository: str, sha: str, notice: Notice, known: Any) -> str:
    output = {"title": notice.title, "summary": notice.text or notice.title}
    wanted: dict[str, Any] = {"status": "completed", "conclusion": notice.conclusion.value, "output": output}
    wanted |= {"details_url": notice.url} if notice.url else {}
    runs = f"{place(repository)}/check-runs"
    if known is None:
        body = {"name": CHECK_NAME, "head_sha": sha, "external_id": notice.vtid, **wanted}
        return _address_of(wire.send("POST", runs, body), "a check run")
    if not _says(known, wanted):
        known = wire.send("PATCH", f"{runs}/{_number_of(known)}", wanted)
    return _address_of(known, "a check run")


def _own_check_run(wire: GitHubWire, repository: str, sha: str, vtid: str) -> Any:
    """The newest check run of this name and VTID on the commit."""
    address = f"{place(repository)}/commits/{part(sha)}/check-runs"
    found = [
        data
        for data in wire.pages(address, "check_runs", check_name=CHECK_NAME)
        if is_own_check_run(data) and data.get("external_id") == vtid
    ]
    return max(found, key=_number_of, default=None)


def is_own_check_run(data: Any) -> bool:
    """Whether it is ours, of this or of another VTID: such a check is no proof of the change's own health."""
    with reading(SYSTEM, "a check run"):
        return data["name"] == CHECK_NAME and str(data.get("external_id") or "").startswith("VTID-")


def _says(known: Any, wanted: dict[str, Any]) -> bool:
    with reading(SYSTEM, "a check run"):
        output = {key: known["output"].get(key) for key in wanted["output"]}
        same = {key: known.get(key) for key in wanted if key != "output"}
    return {**same, "output": output} == wanted


def _write_status(wire: GitHubWire, repository: str, sha: str, notice: Notice) -> str:
    wanted = {
        "state": _STATUS_OF.get(notice.conclusion, "failure"),
        "description": notice.title[:MAX_STATUS_TEXT],
        "context": CHECK_NAME,
    }
    wanted |= {"target_url": notice.url} if notice.url else {}
    statuses = wire.pages(f"{place(repository)}/commits/{part(sha)}/status", "statuses")
    known = next((data for data in statuses if data.get("context") == CHECK_NAME), None)
    if known is None or any(known.get(key) != value for key, value in wanted.items()):
        known = wire.send("POST", f"{place(repository)}/statuses/{part(sha)}", wanted)
    with reading(SYSTEM, "a commit status"):
        return str(known["url"])


def write_comment(wire: GitHubWire, repository: str, number: int, notice: Notice) -> str:
    mark = f"<!-- {notice.vtid} of vtid: edited in place -->"
    body = f"{mark}\n### {notice.vtid}: {escaped(notice.title)}\n\n{notice.text}"
    issues = f"{place(repository)}/issues"
    known = next(_own_comments(wire, f"{issues}/{number}/comments", mark), None)
    if known is None:
        return _address_of(wire.send("POST", f"{issues}/{number}/comments", {"body": body}), "a comment")
    if known["body"] != body:
        known = wire.send("PATCH", f"{issues}/comments/{_number_of(known)}", {"body": body})
    return _address_of(known, "a comment")


def _own_comments(wire: GitHubWire, address: str, mark: str) -> Iterator[Any]:
    for data in wire.pages(address):
        with reading(SYSTEM, "a comment"):
            marked = str(data["body"]).startswith(mark)
            author = data.get("user") or {}
        if marked and wire.is_own_hand(author):
            yield data


def _address_of(data: Any, what: str) -> str:
    with reading(SYSTEM, what):
        return str(data["html_url"])


def _number_of(data: Any) -> int:
    with reading(SYSTEM, "a check run or comment"):
        return int(data["id"])
