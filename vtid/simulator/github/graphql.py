"""The part of GitHub's GraphQL schema that has no REST: the merge queue. Names and types are GitHub's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, build_schema, graphql_sync

from vtid.simulator import queues
from vtid.simulator.facts import PullRequest, QueueEntry, QueueRemoval, Repository
from vtid.simulator.github.urls import node_id
from vtid.simulator.schedule import moment
from vtid.simulator.world import World

SDL = """
scalar DateTime
scalar GitObjectID

type Query {
  repository(owner: String!, name: String!, followRenames: Boolean = true): Repository
}

type Mutation {
  enqueuePullRequest(input: EnqueuePullRequestInput!): EnqueuePullRequestPayload
  dequeuePullRequest(input: DequeuePullRequestInput!): DequeuePullRequestPayload
}

input EnqueuePullRequestInput {
  clientMutationId: String
  expectedHeadOid: GitObjectID
  pullRequestId: ID!
}

input DequeuePullRequestInput {
  clientMutationId: String
  id: ID!
}

type EnqueuePullRequestPayload { clientMutationId: String mergeQueueEntry: MergeQueueEntry }
type DequeuePullRequestPayload { clientMutationId: String mergeQueueEntry: MergeQueueEntry }

type Repository {
  nameWithOwner: String!
  pullRequest(number: Int!): PullRequest
}

type PullRequest {
  id: ID!
  number: Int!
  headRefOid: GitObjectID!
  isInMergeQueue: Boolean!
  isMergeQueueEnabled: Boolean!
  mergeQueueEntry: MergeQueueEntry
  timelineItems(
    first: Int, last: Int, itemTypes: [PullRequestTimelineItemsItemType!]
  ): PullRequestTimelineItemsConnection!
}

type MergeQueueEntry {
  id: ID!
  position: Int!
  state: MergeQueueEntryState!
  enqueuedAt: DateTime!
  headCommit: Commit
  baseCommit: Commit
}

enum MergeQueueEntryState { AWAITING_CHECKS LOCKED MERGEABLE QUEUED UNMERGEABLE }
enum PullRequestTimelineItemsItemType { REMOVED_FROM_MERGE_QUEUE_EVENT }
union PullRequestTimelineItems = RemovedFromMergeQueueEvent

type PullRequestTimelineItemsConnection { totalCount: Int! nodes: [PullRequestTimelineItems] }
type RemovedFromMergeQueueEvent { id: ID! reason: String createdAt: DateTime! beforeCommit: Commit }
type Commit { oid: GitObjectID! }
"""
SCHEMA = build_schema(SDL)


class Refused(Exception):
    """An error of GitHub's: its type and its words."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class Answered:
    """What is answered, and what was done: to which repository, and its name in the journal."""

    content: dict[str, Any]
    repository: Repository | None = None
    effect: str | None = None


def run(world: World, query: str, variables: dict[str, Any]) -> Answered:
    """Do what the query asks. Errors stand in the answer, as GraphQL has it."""
    root = Root(world)
    result = graphql_sync(SCHEMA, query, root, variable_values=variables)
    content: dict[str, Any] = {"data": result.data}
    if result.errors:
        content["errors"] = [error_json(it) for it in result.errors]
    return Answered(content, root.repository_seen, root.effect)


def error_json(error: GraphQLError) -> dict[str, Any]:
    told = dict(error.formatted)
    if isinstance(error.original_error, Refused):
        return {"type": error.original_error.kind, **told}
    return told


class Root:
    """Queries and mutations, by the names of the schema."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.repository_seen: Repository | None = None
        self.effect: str | None = None

    def repository(self, info: Any, owner: str, name: str, **_: Any) -> "RepositoryNode":
        found = self._world.repository(f"{owner}/{name}")
        if found is None:
            text = f"Could not resolve to a Repository with the name '{owner}/{name}'."
            raise Refused("NOT_FOUND", text)
        self.repository_seen = found
        return RepositoryNode(self._world, found)

    def enqueuePullRequest(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        repository, pull = self._pull(input["pullRequestId"])
        expected = input.get("expectedHeadOid")
        entry = self._done("enqueue", lambda: queues.enter(self._world, repository, pull, expected))
        return self._payload(input, repository, entry)

    def dequeuePullRequest(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        repository, pull = self._pull(input["id"])
        before = queues.entry_of(repository, pull)
        shown = None if before is None else entry_json(self._world, repository, before)
        self._done("dequeue", lambda: queues.leave(self._world, repository, pull, "manual"))
        return {"clientMutationId": input.get("clientMutationId"), "mergeQueueEntry": shown}

    def _done(self, effect: str, deed: Callable[[], QueueEntry]) -> QueueEntry:
        try:
            entry = deed()
        except queues.QueueRefused as refused:
            raise Refused("UNPROCESSABLE", str(refused)) from refused
        self.effect = effect
        return entry

    def _payload(self, input: dict[str, Any], repository: Repository, entry: QueueEntry) -> dict[str, Any]:
        shown = entry_json(self._world, repository, entry)
        return {"clientMutationId": input.get("clientMutationId"), "mergeQueueEntry": shown}

    def _pull(self, node: str) -> tuple[Repository, PullRequest]:
        for repository in self._world.repositories.values():
            for pull in repository.pulls.values():
                if node_id("PR", pull.id) == node:
                    self.repository_seen = repository
                    return repository, pull
        raise Refused("NOT_FOUND", f"Could not resolve to a node with the global id of '{node}'")


@dataclass
class RepositoryNode:
    world: World
    fact: Repository

    @property
    def nameWithOwner(self) -> str:  # noqa: N802
        return self.fact.full_name

    def pullRequest(self, info: Any, number: int) -> dict[str, Any]:  # noqa: N802
        pull = self.fact.pulls.get(number)
        if pull is None:
            text = f"Could not resolve to a PullRequest with the number of {number}."
            raise Refused("NOT_FOUND", text)
        return pull_json(self.world, self.fact, pull)


def pull_json(world: World, repository: Repository, pull: PullRequest) -> dict[str, Any]:
    entry = queues.entry_of(repository, pull)

    def timeline(info: Any, first: int | None = None, last: int | None = None, **_: Any) -> Any:
        removals = [it for it in repository.removals if it.pull == pull.number]
        shown = removals[-last:] if last else removals[:first]
        return {"totalCount": len(removals), "nodes": [removal_json(it) for it in shown]}

    return {
        "id": node_id("PR", pull.id),
        "number": pull.number,
        "headRefOid": pull.head_sha,
        "isInMergeQueue": entry is not None,
        "isMergeQueueEnabled": world.behaviours.of(repository.full_name).queue.enabled,
        "mergeQueueEntry": None if entry is None else entry_json(world, repository, entry),
        "timelineItems": timeline,
    }


def entry_json(world: World, repository: Repository, entry: QueueEntry) -> dict[str, Any]:
    group = entry.group
    return {
        "id": node_id("MQE", entry.id),
        "position": queues.position(repository, entry),
        "state": queues.state(world, repository, entry),
        "enqueuedAt": moment(entry.at),
        "headCommit": {"oid": group.head_sha} if group else None,
        "baseCommit": {"oid": group.base_sha} if group else None,
    }


def removal_json(removal: QueueRemoval) -> dict[str, Any]:
    return {
        "__typename": "RemovedFromMergeQueueEvent",
        "id": node_id("RFMQE", removal.id),
        "reason": removal.reason,
        "createdAt": moment(removal.at),
        "beforeCommit": {"oid": removal.before_sha} if removal.before_sha else None,
    }
