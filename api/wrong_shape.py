"""What pydantic finds wrong with a request, in plain words."""

from typing import Any


def field_and_message(error: dict[str, Any]) -> dict[str, str]:
    """The wrong field and what is wrong with it.

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
    return {"field": field, "message": _plainly(error)}


def _plainly(error: dict[str, Any]) -> str:
    message: str = error["msg"]
    match error["type"]:
        case "string_too_short" | "too_short" if error["ctx"]["min_length"] == 1:
            return "must not be empty"
        case "model_attributes_type" | "model_type":
            return "must be a JSON object"
        case "value_error":
            return message.removeprefix("Value error, ")
    return message
