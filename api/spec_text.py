"""The text of a spec as it may be handed in."""

from typing import Annotated

from pydantic import AfterValidator

from api.services import Text
from vtid.domain.task import MAX_SPEC_BYTES


def _written(text: str) -> str:
    """Refuse a spec that says nothing, or more than anybody reads."""
    if not text.strip():
        raise ValueError("must not be empty")
    if (size := len(text.encode())) > MAX_SPEC_BYTES:
        raise ValueError(f"must have at most {MAX_SPEC_BYTES:,} bytes, not {size:,}")
    return text


Markdown = Annotated[Text, AfterValidator(_written)]
