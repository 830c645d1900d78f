"""GitHub's merge queue: entered with exactly the head that was validated, read, and left.

The queue builds a group on a branch of its own (`gh-readonly-queue/…`), waits for its checks, and merges. A merge also
makes it leave the queue, a moment before the pull request says that it is merged.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vtid.adapters.errors import reading
from vtid.adapters.github_answers import SYSTEM
from vtid.adapters.github_graphql import ask
from vtid.adapters.github_pulls import the_pull_request
from vtid.adapters.github_wire import GitHubWire, place
from vtid.domain.change import MergeAnswer, MergeKind, PullRequest, QueueEntry, QueueExit, QueuePlace
from vtid.domain.errors import Conflict, Missing, Unavailable

_ENTRY = "mergeQueueEntry { position state enqueuedAt headCommit { oid } }"
PLACE = f"""
query($owner: String!, $name: String!, $number: Int!) {{
  repository(owner: $owner, name: $name) {{
    pullRequest(number: $number) {{
      id headRefOid
      {_ENTRY}
      timelineItems(last: 1, itemTypes: [REMOVED_FROM_MERGE_QUEUE_EVENT]) {{
        nodes {{ ... on RemovedFromMergeQueueEvent {{ reason createdAt beforeCommit {{ oid }} }} }}
      }}
    }}
  }}
}}"""
ENTER = f"""
mutation($pull: ID!, $head: GitObjectID!) {{
  enqueuePullRequest(input: {{pullRequestId: $pull, expectedHeadOid: $head}}) {{ {_ENTRY} }}
}}"""
LEAVE = """
mutation($pull: ID!) {
  dequeuePullRequest(input: {id: $pull}) { mergeQueueEntry { position } }
}"""


@dataclass(frozen=True)
class Seen:
    """What the queue says of a pull request, and the name that GraphQL knows the pull request by."""

    node_id: str
    place: QueuePlace


def see(wire: GitHubWire, repository: str, number: int) -> Seen:
    """One look. Raises Missing when there is no such pull request, or none that we may see."""
    place(repository)  # a name that is none is told as everywhere else
    owner, name = repository.split("/")
    what = f"the merge queue's word on {repository}#{number}"
    data = ask(wire, what, PLACE, owner=owner, name=name, number=number)
    with reading(SYSTEM, what):
        pull = data["repository"]["pullRequest"]
        entry, left = pull["mergeQueueEntry"], pull["timelineItems"]["nodes"]
        found = QueuePlace(
            head_sha=str(pull["headRefOid"]),
            entry=None if entry is None else _entry_of(entry),
            exit=_exit_of(left[-1]) if left else None,
        )
        return Seen(str(pull["id"]), found)


def enter(wire: GitHubWire, node_id: str, head_sha: str) -> QueueEntry:
    """Put it into the queue, if its head is still this one. Raises Conflict when GitHub's rules refuse that."""
    what = f"enqueuePullRequest {head_sha[:12]}"
    data = ask(wire, what, ENTER, pull=node_id, head=head_sha)
    with reading(SYSTEM, what):
        return _entry_of(data["enqueuePullRequest"]["mergeQueueEntry"])


def leave(wire: GitHubWire, repository: str, number: int) -> MergeAnswer:
    """Take it out, and look what became of it: the queue may have merged it first. Described by the port."""
    ended = _ended(the_pull_request(wire, repository, number))
    if ended is not None:
        return ended
    seen = see(wire, repository, number)
    if seen.place.entry is None:
        return _gone(seen.place, the_pull_request(wire, repository, number))
    try:
        ask(wire, "dequeuePullRequest", LEAVE, pull=seen.node_id)
    except (Conflict, Missing) as cause:
        # It may have left by itself meanwhile, or be merged this very moment: only a later look can tell.
        raise Unavailable(SYSTEM, f"still in the merge queue: {cause}", status=cause.status) from cause
    pull = the_pull_request(wire, repository, number)
    return _ended(pull) or MergeAnswer(
        MergeKind.DROPPED, "it was taken out of the merge queue", head_sha=pull.head_sha
    )


def _gone(seen: QueuePlace, pull: PullRequest) -> MergeAnswer:
    """Of one that is in no queue any more."""
    ended = _ended(pull)
    if ended is not None:
        return ended
    left = seen.exit
    if left is not None and left.merged:
        raise Unavailable(SYSTEM, f"the merge queue says that it merged {pull.url}, which is still open")
    why = f": {left.reason}" if left is not None else ""
    return MergeAnswer(
        MergeKind.DROPPED, f"it was not in the merge queue any more{why}", head_sha=pull.head_sha
    )


def _ended(pull: PullRequest) -> MergeAnswer | None:
    if pull.merged:
        return MergeAnswer(MergeKind.MERGED, sha=pull.merge_sha, head_sha=pull.head_sha)
    if not pull.is_open:
        return MergeAnswer(MergeKind.CLOSED, "the pull request is closed", head_sha=pull.head_sha)
    return None


def _entry_of(data: Any) -> QueueEntry:
    return QueueEntry(
        position=int(data["position"]),
        state=str(data["state"]).lower(),
        entered_at=datetime.fromisoformat(data["enqueuedAt"]),
        group=_oid(data["headCommit"]),
    )


def _exit_of(data: Any) -> QueueExit:
    return QueueExit(
        reason=str(data["reason"] or "no reason given"),
        at=datetime.fromisoformat(data["createdAt"]),
        group=_oid(data["beforeCommit"]),
    )


def _oid(commit: Any) -> str | None:
    return None if commit is None else str(commit["oid"])
