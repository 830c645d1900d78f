"""Evidence: what a worker claims, beside what the code host shows."""

import re
from dataclasses import dataclass
from enum import StrEnum

from vtid.domain.change import ChangedFiles, PullRequest

_PULL_URL = re.compile(
    r"https?://[^/?#\s]+/(?:[^?#\s]+/)?([\w.-]+/[\w.-]+)/pull/([1-9]\d*)/?(?:[?#].*)?", re.ASCII
)
_SHA = re.compile(r"[0-9a-f]{40}")


class InvalidEvidence(ValueError):
    """A value of the evidence has a wrong shape; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def parse_pull_url(url: str) -> tuple[str, int]:
    """(repository, number) of a pull request's web address. Raises InvalidEvidence."""
    match = _PULL_URL.fullmatch(url.strip())
    if not match:
        raise InvalidEvidence(
            "pr_url", f"{url[:200]!r} is no pull request address like https://host/owner/name/pull/7"
        )
    return match.group(1), int(match.group(2))


def check_sha(sha: str, field: str = "head_sha") -> str:
    """The SHA in lower case. Raises InvalidEvidence unless it has 40 hexadecimal digits."""
    if not _SHA.fullmatch(sha.lower()):
        raise InvalidEvidence(field, f"{sha[:80]!r} is no commit SHA: expected 40 hexadecimal digits")
    return sha.lower()


class EvidenceSource(StrEnum):
    HANDED_IN = "handed_in"  # by the worker, under a live lease
    FOUND = "found"  # by branch convention, or named in a late answer
    ADOPTED = "adopted"  # by a named person
    MERGED_BEFORE = "merged_before"  # PLANNER found the merged change


@dataclass(frozen=True)
class ClaimedEvidence:
    """What a worker or a person says; nothing in it is believed."""

    pr_url: str
    head_sha: str | None = None
    branch: str | None = None
    files: tuple[str, ...] = ()
    summary: str = ""
    by: str = ""


@dataclass(frozen=True)
class Evidence:
    """A claim with the facts that were found for it."""

    source: EvidenceSource
    pull_request: PullRequest
    claimed: ClaimedEvidence | None = None
    adopted_by: str | None = None

    @property
    def head_sha(self) -> str:
        return self.pull_request.head_sha


@dataclass(frozen=True)
class EvidenceSearch:
    """What a look on the code host gave: evidence, or the reason why not."""

    pull_request: PullRequest | None = None
    refused: str | None = None  # something was named and it does not hold; None: nothing there


def refuse_claim(
    claim: ClaimedEvidence, pull: PullRequest | None, repository: str, *, adopted: bool
) -> str | None:
    """Why this claim cannot be evidence, or None. Merged pull requests may only be adopted."""
    if pull is None:
        return f"GitHub has no pull request at {claim.pr_url}"
    if pull.repository.casefold() != repository.casefold():
        return f"the pull request is in {pull.repository}, not in {repository}"
    if not pull.is_open and not (adopted and pull.merged):
        return "the pull request is merged already" if pull.merged else "the pull request is closed"
    if pull.from_fork:
        return f"the pull request comes from the fork {pull.head_repository or '(deleted)'}"
    if claim.head_sha and claim.head_sha.lower() != pull.head_sha:
        return f"the head is {pull.head_sha[:12]}, claimed was {claim.head_sha[:12]}"
    return None


def contradictions(
    claim: ClaimedEvidence, pull: PullRequest | None, files: ChangedFiles | None = None
) -> dict[str, tuple[str, str]]:
    """Field -> (claimed, observed) wherever the two differ; what was not read contradicts nothing."""
    if pull is None:
        said = claim.pr_url or "success, without naming a pull request"
        return {"pull_request": (said, "GitHub has no such pull request")}
    said_sha = claim.head_sha.lower() if claim.head_sha else None
    pairs = {"head_sha": (said_sha, pull.head_sha), "branch": (claim.branch, pull.branch)}
    found = {name: (said, seen) for name, (said, seen) in pairs.items() if said and said != seen}
    if files is not None and files.complete:
        absent = sorted(set(claim.files) - set(files.paths))
        if absent:
            found["files"] = (", ".join(absent[:20]), f"not among the {len(files.paths)} changed files")
    return found
