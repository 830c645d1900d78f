"""What pydantic finds wrong with a request, in plain words."""

from typing import Any

from pydantic import BaseModel
from starlette.types import Scope

from vtid.configuration.settings import closest

SHA_256 = "^[0-9a-f]{64}$"
NAME = r"^[\w.-]+$"
_IN_WORDS = {  # pattern of a field → what a caller is told
    SHA_256: "a SHA-256: 64 hexadecimal digits in lower case",
    NAME: "a name of letters, digits, '_', '.' and '-'",
}
_COLLECTIONS = ("List", "Dictionary", "Set", "Tuple")  # as pydantic names what has items


def known_fields(scope: Scope) -> list[str]:
    """The fields that the body of this request's route may have; none where it takes no JSON object."""
    dependant = getattr(scope.get("route"), "dependant", None)
    shapes = [param.field_info.annotation for param in getattr(dependant, "body_params", [])]
    models = [shape for shape in shapes if isinstance(shape, type) and issubclass(shape, BaseModel)]
    return [name for model in models for name in model.model_fields]


def field_and_message(error: dict[str, Any], known: list[str]) -> dict[str, str]:
    """The wrong field and what is wrong with it. known: the fields of the body, to name in place of an unknown one.

    The offending input is left out: it may be huge, secret, or not even encodable.
    """
    place = error["loc"]
    if error["type"] == "json_invalid":  # its place is a position in the text, not a field
        why = error["ctx"]["error"]
        return {
            "field": "body",
            "message": f"the body is not valid JSON: {why} at character {place[-1] + 1}",
        }
    field = ".".join(str(part) for part in place[1:]) or str(place[0])
    if error["type"] == "extra_forbidden" and len(place) == 2 and known:
        return {"field": field, "message": f"unknown{closest(field, known)}; allowed: {', '.join(known)}"}
    return {"field": field, "message": _plainly(error)}


def _plainly(error: dict[str, Any]) -> str:
    message: str = error["msg"]
    match error["type"]:
        case "missing":
            return "is required"
        case "string_too_short" | "too_short" if error["ctx"]["min_length"] == 1:
            return "must not be empty"
        case "string_too_long" | "too_long":
            # A text that passed a check of ours is to pydantic a value that has items.
            of = "items" if error["ctx"].get("field_type") in _COLLECTIONS else "characters"
            return f"must have at most {error['ctx']['max_length']:,} {of}"
        case "string_pattern_mismatch":
            return (
                f"must be {_IN_WORDS.get(error['ctx']['pattern'], 'of the form ' + error['ctx']['pattern'])}"
            )
        case "model_attributes_type" | "model_type":
            return "must be a JSON object"
        case "value_error":
            return message.removeprefix("Value error, ")
    return message
