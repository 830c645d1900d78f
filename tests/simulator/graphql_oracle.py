"""GitHub's own GraphQL schema as judge of what is asked and of what is answered."""

from functools import cache
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, GraphQLUnionType, build_schema, graphql_sync, parse, validate

VENDOR = Path(__file__).parents[1] / "data" / "vendor" / "github.graphql"


@cache
def published() -> GraphQLSchema:
    """The part that we speak of. Its unions have one member each, so an answer need not name it."""
    schema = build_schema(VENDOR.read_text(encoding="utf-8"))
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLUnionType):
            [only] = kind.types
            kind.resolve_type = lambda *_, name=only.name: name
    return schema


def faults(sent: Any, answered: Any) -> list[str]:
    """What GitHub's schema does not allow in this question, and in the data of its answer."""
    query, variables = sent["query"], sent.get("variables") or {}
    asked = [f"asked: {error.message}" for error in validate(published(), parse(query))]
    if asked or answered.get("errors"):
        return asked
    # Asked of the answer itself, the question gives the same again where everything is there and of its type.
    again = graphql_sync(published(), query, answered["data"], variable_values=variables)
    found = [f"answered: {error.message}" for error in again.errors or []]
    return found or ([] if again.data == answered["data"] else ["answered: more than was asked for"])
