"""What is asked of GraphQL, and what our part of it offers, held against GitHub's own published schema."""

import pytest
from graphql import GraphQLSchema, parse, validate

from tests.simulator import graphql_oracle
from vtid.adapters import github_queue
from vtid.simulator.github.graphql import SCHEMA

BUILT_IN = {"Boolean", "Int", "String", "ID", "Float"}


@pytest.fixture(scope="module")
def published() -> GraphQLSchema:
    return graphql_oracle.published()


@pytest.mark.parametrize("query", [github_queue.PLACE, github_queue.ENTER, github_queue.LEAVE])
def test_our_adapter_asks_what_github_knows(published: GraphQLSchema, query: str) -> None:
    assert validate(published, parse(query)) == []


def test_a_field_that_github_does_not_know_is_seen(published: GraphQLSchema) -> None:
    query = github_queue.LEAVE.replace("input: {id: $pull}", "input: {pullRequestId: $pull}")

    assert validate(published, parse(query)) != []


def members(schema: GraphQLSchema) -> dict[str, str]:
    """Type.member (with its arguments) -> its type, of everything in the schema."""
    found: dict[str, str] = {}
    for name, kind in schema.type_map.items():
        if name.startswith("__") or name in BUILT_IN:
            continue
        found[name] = type(kind).__name__
        for member, each in getattr(kind, "fields", {}).items():
            found[f"{name}.{member}"] = str(each.type)
            for argument, told in getattr(each, "args", {}).items():
                found[f"{name}.{member}({argument})"] = str(told.type)
        found |= {f"{name}.{value}": "value" for value in getattr(kind, "values", {})}
        found |= {f"{name}|{each}": "member" for each in getattr(kind, "types", ())}
    return found


def test_what_is_simulated_is_a_part_of_what_github_has(published: GraphQLSchema) -> None:
    known = members(published)

    assert {name: kind for name, kind in members(SCHEMA).items() if known.get(name) != kind} == {}
