"""Where a person sees for himself what a rule of the verdict judged."""

from collections.abc import Mapping

from api.services import PREFIX
from vtid.domain.view import RunView

# Rule -> the places to look at. A rule that is not listed is about the pull request itself.
_PLACES: Mapping[str, tuple[str, ...]] = {
    "VAL-RULE-001": ("task",),
    "VAL-RULE-002": ("spec",),
    "VAL-RULE-003": ("task",),
    "VAL-RULE-004": ("run",),
    "VAL-RULE-005": ("run", "pr"),
    "VAL-RULE-008": ("files",),
    "VAL-RULE-009": ("files",),
    "VAL-RULE-010": ("checks",),
    "VAL-RULE-012": ("files",),
}


def links_of(rule: str, view: RunView) -> dict[str, str]:
    """Name -> address; those on the code host only where the run has a pull request."""
    pull = view.links.get("pr")
    known = {
        "task": f"{PREFIX}/tasks/{view.vtid}",
        "spec": f"{PREFIX}/tasks/{view.vtid}/spec",
        "run": f"{PREFIX}/runs/{view.vtid}",
    }
    if pull:
        known |= {"pr": pull, "files": f"{pull}/files", "checks": f"{pull}/checks"}
    return {place: known[place] for place in _PLACES.get(rule, ("pr",)) if place in known}
