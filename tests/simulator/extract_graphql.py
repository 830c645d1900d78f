"""Make tests/data/vendor/github.graphql anew from GitHub's own schema, as the package of tests/data/vendor/README.md has it.

Tests never run this. Prose is dropped, and so is all that we do not speak of: what stays are names and types.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    build_schema,
)

T = TypeVar("T")

# The fields, members and values that are kept of each type; None: all of them.
WANTED: dict[str, set[str] | None] = {
    "Query": {"repository"},
    "Mutation": {"enqueuePullRequest", "dequeuePullRequest"},
    "Repository": {"nameWithOwner", "pullRequest"},
    "PullRequest": {
        "id",
        "number",
        "headRefOid",
        "isInMergeQueue",
        "isMergeQueueEnabled",
        "mergeQueueEntry",
        "timelineItems",
    },
    "EnqueuePullRequestInput": None,
    "EnqueuePullRequestPayload": None,
    "DequeuePullRequestInput": None,
    "DequeuePullRequestPayload": None,
    "MergeQueueEntry": {"id", "position", "state", "enqueuedAt", "headCommit", "baseCommit"},
    "MergeQueueEntryState": None,
    "PullRequestTimelineItemsItemType": None,
    "PullRequestTimelineItemsConnection": {"totalCount", "nodes"},
    "PullRequestTimelineItems": {"RemovedFromMergeQueueEvent"},
    "RemovedFromMergeQueueEvent": {"id", "reason", "createdAt", "beforeCommit"},
    "Commit": {"oid"},
    "DateTime": None,
    "GitObjectID": None,
}


ARGUMENTS = {"timelineItems": {"first", "last", "itemTypes"}}  # that are kept of a field; of others: all


def extract(text: str) -> str:
    schema = build_schema(text, assume_valid_sdl=True)  # a field of no concern to us stands there twice
    return "\n".join(_told(schema.type_map[name], wanted) for name, wanted in WANTED.items())


def _told(kind: GraphQLNamedType, wanted: set[str] | None) -> str:
    def kept(members: dict[str, T]) -> dict[str, T]:
        return {name: each for name, each in members.items() if wanted is None or name in wanted}

    match kind:
        case GraphQLScalarType():
            return f"scalar {kind}\n"
        case GraphQLUnionType():
            return f"union {kind} = {' | '.join(kept({str(each): each for each in kind.types}))}\n"
        case GraphQLEnumType():
            return f"enum {kind} {{\n{_lines(kept(kind.values))}}}\n"
        case GraphQLInputObjectType():
            fields = [f"{name}: {field.type}" for name, field in kept(kind.fields).items()]
            return f"input {kind} {{\n{_lines(fields)}}}\n"
        case GraphQLObjectType():
            fields = [
                f"{name}{_arguments(name, field)}: {field.type}" for name, field in kept(kind.fields).items()
            ]
            return f"type {kind} {{\n{_lines(fields)}}}\n"
    raise TypeError(kind)


def _arguments(name: str, field: GraphQLField) -> str:
    kept = [
        f"{each}: {argument.type}"
        for each, argument in field.args.items()
        if each in ARGUMENTS.get(name, set(field.args))
    ]
    return f"({', '.join(kept)})" if kept else ""


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"  {line}\n" for line in lines)


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(extract(Path(sys.argv[1]).read_text(encoding="utf-8")), encoding="utf-8")
