"""A hint: something may have changed, so look now. It says where to look and never what is so."""

from dataclasses import dataclass

from vtid.domain.view import RunView


@dataclass(frozen=True)
class Hint:
    """Where something happened on the code host. `url`: of a workflow run; None where nothing is named."""

    repository: str
    event: str
    sha: str | None = None
    pull_number: int | None = None
    branch: str | None = None
    url: str | None = None


def concerns(view: RunView, hint: Hint) -> bool:
    """Whether it happened to what this run waits for: its pull request, its head, its commit, its deploy run."""
    if (view.repository or "").casefold() != hint.repository.casefold():
        return False
    seen = view.evidence.get("observed") or {}
    return (
        (hint.pull_number is not None and hint.pull_number == seen.get("number"))
        or (hint.sha is not None and hint.sha in (seen.get("head_sha"), view.merged))
        or (hint.branch is not None and hint.branch == seen.get("branch"))
        or (hint.url is not None and hint.url in view.links.values())
    )
