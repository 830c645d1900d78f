"""The OpenAPI document: what FastAPI derives, plus how refusals look, plus summaries that people can read."""

import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import problems

_SENTENCE_END = re.compile(r"(?<=\.)\s+")


def describe(app: FastAPI) -> dict[str, Any]:
    """The document, made at the first call and kept."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schema["components"]["schemas"]["Problem"] = problems.ProblemBody.model_json_schema(
            ref_template="#/components/schemas/{model}"
        )
        for item in schema["paths"].values():
            for operation in item.values():
                _summarise(operation)
        app.openapi_schema = schema
    return app.openapi_schema


def _summarise(operation: dict[str, Any]) -> None:
    """The docstring's first sentence is the summary; FastAPI would take the function's name for one."""
    if said := operation.pop("description", ""):
        first, *rest = _SENTENCE_END.split(said, maxsplit=1)
        operation["summary"] = " ".join(first.split()).rstrip(".")
        if rest:
            operation["description"] = rest[0]
