"""The merge as compare-and-swap: read, send once, and read again after every answer but a plain yes.

A status alone never decides. GitHub says 405 to a conflict, to a policy, and to a race on the base
branch; 409 to a moved head and to its own lag; and a timeout may hide a merge that happened. Source:
design of the run, 3.7. A next try of the step begins with the first read, so a merge is never doubled.

Where the branch has a merge queue nothing is merged by us: a token that may pass by the queue must not do so. The queue is
entered with the same head instead, by the same protocol.
"""

from typing import Any

from vtid.adapters import github_queue
from vtid.adapters.errors import reading
from vtid.adapters.github_answers import SYSTEM
from vtid.adapters.github_checks import branch_rules, checks, without_ours
from vtid.adapters.github_pulls import the_pull_request
from vtid.adapters.github_wire import GitHubWire, place
from vtid.domain.change import (
    BranchRules,
    CheckState,
    MergeAnswer,
    MergeKind,
    PullRequest,
    QueueEntry,
    QueuePlace,
)
from vtid.domain.checks import checks_state
from vtid.domain.commands.pull_requests import MergePullRequest
from vtid.domain.errors import BadReply, Conflict, Denied, Missing, OutsideError, Refused, Unavailable
from vtid.domain.merging import ended_by_reading


def merge(wire: GitHubWire, command: MergePullRequest) -> MergeAnswer:
    """Merge exactly this head, or queue it, if its checks are still green (or a person let them be)."""
    pull = the_pull_request(wire, command.repository, command.number)
    answer = _ended_by_reading(command, pull, merged_before=True)
    if answer is not None:
        return answer
    rules = branch_rules(wire, command.repository, pull.base)
    answer = _checks_changed(wire, command, pull, rules)
    if answer is not None:
        return answer
    if rules.merge_queue:
        return _queue_up(wire, command)
    try:
        return _send(wire, command)
    except OutsideError as cause:
        if _names_the_queue(cause):
            return _queue_up(wire, command)  # of a classic protection, which is silent about it until then
        return _reconcile(wire, command, cause)


def _ended_by_reading(
    command: MergePullRequest, pull: PullRequest, *, merged_before: bool
) -> MergeAnswer | None:
    base = command.environment.base_branch
    return ended_by_reading(pull, command.head_sha, base, merged_before=merged_before)


def _checks_changed(
    wire: GitHubWire, command: MergePullRequest, pull: PullRequest, rules: BranchRules
) -> MergeAnswer | None:
    if command.checks_skipped:
        return None
    policy = command.environment.checks
    required = policy.required_beside(without_ours(rules.required))
    runs = checks(wire, command.repository, command.head_sha)
    state = checks_state(runs, required, policy.allow_skipped)
    if state is CheckState.GREEN:
        return None
    seen = ", ".join(f"{run.name} {run.conclusion or run.state}" for run in runs) or "none"
    text = f"the checks are {state} now, right before the merge: {seen}"
    return MergeAnswer(MergeKind.CHECKS_CHANGED, text, head_sha=pull.head_sha)


def _send(wire: GitHubWire, command: MergePullRequest) -> MergeAnswer:
    address = f"{place(command.repository)}/pulls/{command.number}/merge"
    body = {
        "sha": command.head_sha,
        "merge_method": command.environment.merge_method,
        "commit_title": commit_title(command.title, command.vtid),
    }
    data: Any = wire.send("PUT", address, body)
    with reading(SYSTEM, f"PUT {address}"):
        if data["merged"] is not True:
            raise ValueError("a success that merged nothing")
        return MergeAnswer(MergeKind.MERGED, sha=str(data["sha"]), head_sha=command.head_sha)


def _queue_up(wire: GitHubWire, command: MergePullRequest) -> MergeAnswer:
    """Enter the merge queue with exactly this head; found in it, nothing is sent."""
    seen = github_queue.see(wire, command.repository, command.number)
    answer = _in_queue(command, seen.place, before=True)
    if answer is not None:
        return answer
    try:
        return _queued(command, github_queue.enter(wire, seen.node_id, command.head_sha))
    except OutsideError as cause:
        pull = the_pull_request(wire, command.repository, command.number)
        answer = _ended_by_reading(command, pull, merged_before=False) or _in_queue(
            command, github_queue.see(wire, command.repository, command.number).place
        )
        return answer or _refusal(_unless_passing(cause), pull)


def _in_queue(command: MergePullRequest, place: QueuePlace, *, before: bool = False) -> MergeAnswer | None:
    """The answer that the queue already gives, or None while it can be entered."""
    if place.head_sha != command.head_sha:
        text = f"the head is {place.head_sha[:12]}, validated was {command.head_sha[:12]}"
        return MergeAnswer(MergeKind.HEAD_MOVED, text, head_sha=place.head_sha)
    return None if place.entry is None else _queued(command, place.entry, before=before)


def _queued(command: MergePullRequest, entry: QueueEntry, *, before: bool = False) -> MergeAnswer:
    return MergeAnswer(MergeKind.QUEUED, head_sha=command.head_sha, queued_before=before, entry=entry)


def commit_title(title: str, vtid: str) -> str:
    """The title with the VTID in it, once."""
    return title if vtid in title else f"{title} ({vtid})"


def _reconcile(wire: GitHubWire, command: MergePullRequest, cause: OutsideError) -> MergeAnswer:
    """What happened really. Raises the cause where only another try or a person can tell."""
    pull = the_pull_request(wire, command.repository, command.number)
    answer = _ended_by_reading(command, pull, merged_before=False)
    return answer or _refusal(_unless_passing(cause), pull)


def _unless_passing(cause: OutsideError) -> OutsideError:
    """The cause, of a write that did nothing, if it is GitHub's answer to the wish. Raised where it is none."""
    if isinstance(cause, Unavailable):
        raise cause
    if isinstance(cause, BadReply):
        raise Unavailable(SYSTEM, f"{cause}; nothing was merged", status=cause.status) from cause
    if isinstance(cause, Missing):
        text = f"our credentials may read this pull request but not merge it: {cause}"
        raise Denied(SYSTEM, text, status=cause.status) from cause
    if isinstance(cause, Denied) and not _names_a_rule(cause):
        raise cause
    return cause


def _names_the_queue(cause: OutsideError) -> bool:
    return isinstance(cause, Refused) and "merge queue" in str(cause).lower()


def _names_a_rule(cause: Refused) -> bool:
    said = str(cause).lower()
    return any(words in said for words in ("rule violation", "protected branch", "branch protection"))


def _refusal(cause: OutsideError, pull: PullRequest) -> MergeAnswer:
    """Of an open pull request whose head is still ours: who refuses, and can that pass by itself?"""
    said = str(cause).lower()
    if isinstance(cause, Conflict) and cause.status == 409:
        text = f"GitHub lags behind its own head: {cause}"
        raise Unavailable(SYSTEM, text, status=409) from cause
    if "base branch was modified" in said:
        raise Unavailable(SYSTEM, f"the base moved during the merge: {cause}", status=405) from cause
    if pull.mergeable is False:
        return MergeAnswer(MergeKind.CONFLICT, str(cause), head_sha=pull.head_sha)
    if pull.mergeable is None and "not mergeable" in said:
        text = f"GitHub still computes whether it merges cleanly: {cause}"
        raise Unavailable(SYSTEM, text, status=cause.status) from cause
    return MergeAnswer(MergeKind.REFUSED, str(cause), head_sha=pull.head_sha)
