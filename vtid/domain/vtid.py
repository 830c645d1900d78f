"""The VTID: the id of a task, `VTID-` and four or more digits, upper case; and the short form of a run's id."""

import re

# ASCII: other scripts have digits, and letters that upper() turns into ours.
_CANONICAL = re.compile(r"VTID-\d{4,}", re.IGNORECASE | re.ASCII)
_MENTION = re.compile(r"(?<![A-Za-z0-9])VTID[-_ ]?(\d{4,})", re.IGNORECASE | re.ASCII)


class InvalidVtid(ValueError):
    """The text is not a VTID; the message says what is allowed."""


def canonical_vtid(text: str) -> str:
    """The canonical spelling of a VTID; lower case is accepted. Raises InvalidVtid."""
    candidate = text.strip()
    if not _CANONICAL.fullmatch(candidate):
        raise InvalidVtid(
            f"{text[:60]!r} is not a VTID: expected VTID- and 4 or more digits, like VTID-01227"
        )
    return candidate.upper()


def mentioned_vtids(*texts: str) -> tuple[str, ...]:
    """Every VTID that the texts mention, canonical, each once, in reading order."""
    found = (f"VTID-{digits}" for text in texts for digits in _MENTION.findall(text))
    return tuple(dict.fromkeys(found))


def digits_of(vtid: str) -> str:
    """`01227` of `VTID-01227`."""
    return vtid.removeprefix("VTID-")


def short_run(run_id: str) -> str:
    """Eight characters that tell one run of a VTID from its other ones.

    The last ones: an id of Temporal begins with the moment of the start, so that runs of the same hour would share
    what they begin with.
    """
    return run_id[-8:]
