"""Which pull request or commit a worker names, wherever in its words it stands."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from api.gateway.said import Said

_GITHUB = "https://github.com"
EVIDENCE_TOPICS = ("pr_submitted", "pr_opened", "commit_pushed", "commits_pushed")

_PULL = re.compile(r"/pulls?/(\d{1,9})(?!\d)", re.IGNORECASE | re.ASCII)
_COMMIT = re.compile(r"/commits?/([0-9a-f]{7,40})\b", re.IGNORECASE | re.ASCII)
_REPOSITORY = re.compile(r"([\w.-]+/[\w.-]+)$", re.ASCII)
_ORIGIN = re.compile(r"https?://[\w.:-]+", re.IGNORECASE | re.ASCII)
_MOST_TEXTS = 500
_LONGEST = 300  # characters of an address before its number; also keeps the patterns quick
_SHA = re.compile(r"[0-9a-f]{7,40}", re.IGNORECASE)
_FULL_SHA = re.compile(r"\b[0-9a-f]{40}\b", re.IGNORECASE)

_URLS = (
    "evidence_url",
    "pr_url",
    "pull_request_url",
    "pull_request",
    "pr",
    "html_url",
    "url",
    "link",
    "evidence",
)
_SHAS = ("commit_sha", "head_sha", "sha", "commit_hash", "commit", "head_commit", "evidence_url", "evidence")
_NUMBERS = ("pr_number", "pull_number", "pull_request_number")


@dataclass(frozen=True)
class Named:
    """A pull request, or a commit. repository None: that of the work order."""

    repository: str | None = None
    number: int | None = None
    sha: str | None = None
    origin: str = _GITHUB

    @property
    def url(self) -> str:
        """The pull request's address; empty for a commit."""
        return f"{self.origin}/{self.repository}/pull/{self.number}" if self.number is not None else ""

    def to_data(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value is not None}


def is_deployment(topic: str) -> bool:
    """Whether an event of this topic claims that the change is deployed, in any casing."""
    words = topic.strip().lower().replace("-", "_")
    return words.replace(".", "_").endswith(("deploy_completed", "deployment_completed", "deploy_success"))


def is_evidence(topic: str) -> bool:
    """Whether an event of this topic brings evidence, in any casing."""
    words = re.sub(r"[\s-]", "_", topic.strip().lower())
    return "evidence" in words and words.rsplit(".", 1)[-1] in EVIDENCE_TOPICS


def named_in(said: Said, repository: str) -> Named | None:
    """What the worker names: a pull request before a commit, fields meant for it before anything else."""
    places = (said, said.details)
    texts = [place.text(name) for place in places for name in _URLS]
    texts.extend(islice(_strings(said.fields), _MOST_TEXTS))
    if found := next(_places(_PULL, texts), None):
        origin, where, number = found
        return Named(where, int(number), origin=origin)
    if ours := next((digits for place in places if (digits := place.number(*_NUMBERS))), None):
        return Named(repository, ours)
    if commit := next(_places(_COMMIT, texts), None):
        origin, where, sha = commit
        return Named(where, sha=sha.lower(), origin=origin)
    for sha in (place.text(name) for place in places for name in _SHAS):
        if _SHA.fullmatch(sha):
            return Named(repository, sha=sha.lower())
    full = next((match.group() for text in texts if (match := _FULL_SHA.search(text))), None)
    return Named(repository, sha=full.lower()) if full else None


def _places(pattern: re.Pattern[str], texts: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """(origin, repository, what the pattern holds) wherever the pattern follows a repository."""
    for text in texts:
        for match in pattern.finditer(text):
            before = text[max(0, match.start() - _LONGEST) : match.start()]
            if repository := _REPOSITORY.search(before):
                origins = _ORIGIN.findall(before)
                yield (origins[-1].lower() if origins else _GITHUB), repository.group(), match.group(1)


def _strings(value: Any) -> Iterator[str]:
    """Every text in what was said, a bounded part of each."""
    match value:
        case str():
            yield value[:4_000]  # longer texts are no evidence
        case dict():
            for each in value.values():
                yield from _strings(each)
        case list():
            for each in value[:200]:
                yield from _strings(each)
