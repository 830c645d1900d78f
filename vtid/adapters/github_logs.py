"""What a check on GitHub says: its own output, and the end of its job's log."""

import re

from vtid.adapters.errors import reading
from vtid.adapters.github_answers import SYSTEM
from vtid.adapters.github_wire import GitHubWire, place
from vtid.domain.change import Check
from vtid.domain.secret_shapes import masked

MOST_CHARACTERS = 2_000  # of all that one check says; it travels in histories and to a worker
_MOST_BYTES = 32_000  # of the end of a log, before times and colours are taken out
_TIME = re.compile(r"^\ufeff?\d{4}-\d\d-\d\dT[\d:.]+Z ", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def check_log(wire: GitHubWire, repository: str, check: Check) -> str:
    """The end of what a check run says; empty for a commit status, which is only a link."""
    if check.id is None or check.is_status:
        return ""
    address = f"{place(repository)}/check-runs/{check.id}"
    data = wire.get(address)
    with reading(SYSTEM, address):
        output = data["output"]
        said = [output.get(part) for part in ("title", "summary", "text")]
        is_job = (data.get("app") or {}).get("slug") == "github-actions"
    # A check run of GitHub Actions is a job, and both have one id.
    log = (
        _clean(wire.tail(f"{place(repository)}/actions/jobs/{check.id}/logs", _MOST_BYTES)) if is_job else ""
    )
    text = masked("\n".join(part.strip() for part in (*said, log) if part and part.strip()))
    return text if len(text) <= MOST_CHARACTERS else f"…{text[-MOST_CHARACTERS:]}"


def _clean(log: bytes) -> str:
    return _COLOUR.sub("", _TIME.sub("", log.decode("utf-8", "replace")))
