"""Answers of the product and of the simulated world, as scenarios take them."""

from typing import Any

import httpx

Json = dict[str, Any]


class NotSeen(Exception):
    """Something that the scenario needs did not happen; the message says what."""


def accepted(answer: httpx.Response) -> Any:
    """The JSON of an answer that must be a success. Raises NotSeen with the refusal otherwise."""
    if answer.is_success:
        return answer.json() if answer.content else None
    request = answer.request
    told = f"{answer.status_code} {answer.text[:300]}"
    raise NotSeen(f"{request.method} {request.url.path} was refused: {told}")
