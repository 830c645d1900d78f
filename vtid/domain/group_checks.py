"""Does every required check come for a merge queue's group? Asked before a change waits an hour for one that never does.

The queue builds a commit of its own and waits for the branch's required checks there. A workflow of GitHub Actions runs on it
only if its file names the trigger `merge_group`. Source: GitHub's documentation of merge queues.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from vtid.domain.change import BranchRules
from vtid.domain.notice import CHECK_NAME

TRIGGER = "merge_group"


@dataclass(frozen=True)
class WorkflowFile:
    """One workflow file of a branch. jobs: the names of their checks, `*` where a part is known only when it runs."""

    path: str
    triggers: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    problem: str = ""  # why it could not be read

    def provides(self, check: str) -> bool:
        """Whether a job of it gives this check; those of a matrix or of a called workflow add to its name."""
        return any(
            fnmatchcase(check, job) or check.startswith((f"{job} (", f"{job} / ")) for job in self.jobs
        )


class Standing(StrEnum):
    OK = "ok"
    WARN = "warn"  # it can go wrong, and a person should know
    FAIL = "fail"  # no change would ever be merged
    UNKNOWN = "unknown"  # could not be found out


@dataclass(frozen=True)
class Finding:
    """about: the part that it is about, as `vtid doctor` names it."""

    state: Standing
    says: str
    about: str = "merge queue"


@dataclass(frozen=True)
class GroupChecks:
    """What was found for one branch, about its merge queue or what it lets past without one. required: by the branch's own rules."""

    environment: str
    repository: str
    branch: str
    merge_queue: bool
    required: tuple[str, ...]
    findings: tuple[Finding, ...]


def findings(
    branch: str, rules: BranchRules, policy: Sequence[str], files: Sequence[WorkflowFile]
) -> tuple[Finding, ...]:
    """Everything worth saying of a branch with a merge queue. policy: the checks that the environment requires."""
    if not rules.merge_queue:
        return (Finding(Standing.OK, f"{branch} has no merge queue by its rulesets"),)
    return (*_of_required(branch, rules, files), *_of_policy(branch, rules, policy), *_of_unread(files))


def _of_required(branch: str, rules: BranchRules, files: Sequence[WorkflowFile]) -> Iterator[Finding]:
    if not rules.required:
        yield Finding(
            Standing.WARN, f"{branch} has a merge queue and requires no check: it merges whatever builds"
        )
    for name in (required.partition("@")[0] for required in rules.required):
        yield _of_check(name, files)


def _of_check(check: str, files: Sequence[WorkflowFile]) -> Finding:
    if check == CHECK_NAME:
        text = (
            f"{check} is required, and we write it on the head only, never on a group: no change would be merged. "
            "Take it out of the branch's required checks"
        )
        return Finding(Standing.FAIL, text)
    providing = [file for file in files if file.provides(check)]
    listening = [file for file in providing if TRIGGER in file.triggers]
    if listening:
        return Finding(Standing.OK, f"{check} comes for groups: {listening[0].path} listens to {TRIGGER}")
    if providing:
        text = (
            f"{check} never comes for a group: {providing[0].path} does not listen to it. "
            f"Add `{TRIGGER}:` under `on:` there"
        )
        return Finding(Standing.FAIL, text)
    text = (
        f"no workflow file of the branch has a job {check}: whatever app reports it must do so for "
        "gh-readonly-queue/… branches, too"
    )
    return Finding(Standing.UNKNOWN, text)


def _of_policy(branch: str, rules: BranchRules, policy: Sequence[str]) -> Iterator[Finding]:
    ruled = {name.partition("@")[0] for name in rules.required}
    missing = [name for name in policy if name.partition("@")[0] not in ruled]
    if missing:
        text = (
            f"the environment requires {', '.join(missing)}, and {branch} does not: asked of the head only, "
            "the queue merges without it"
        )
        yield Finding(Standing.WARN, text)


def _of_unread(files: Sequence[WorkflowFile]) -> Iterator[Finding]:
    for file in files:
        if file.problem:
            yield Finding(Standing.UNKNOWN, f"{file.path} could not be read: {file.problem}")
