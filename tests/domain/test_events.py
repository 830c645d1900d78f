"""The table of events is complete: nothing is told that it does not name, and it names nothing in vain."""

import re
from pathlib import Path

from vtid.domain.events import EVENT_TYPES
from vtid.domain.fold import _CHANGES
from vtid.domain.serving import Serving

ROOT = Path(__file__).parents[2]
AROUND_RUNS = (
    "run.requested", "task.", "spec.", "approval.", "claim.", "system.", "worker.", "engine.", "notification.",
    "change.unattributed", *(f"deployment.{kind}" for kind in Serving),
)  # fmt: skip


def said_in(folder: str) -> set[str]:
    """Every quoted word of this folder's code that has the form of an event type."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / folder).rglob("*.py"))
    return set(re.findall(r'"([a-z_]+\.[a-z_]+)"', text))


def told_by_runs() -> set[str]:
    text = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "workflows").glob("*.py"))
    return set(re.findall(r'\btell\(\s*"([^"]+)"', text))


def test_every_event_that_a_run_tells_is_in_the_table() -> None:
    assert told_by_runs() <= set(EVENT_TYPES)


def test_every_event_of_a_run_in_the_table_is_told_by_some_run() -> None:
    of_runs = {name for name in EVENT_TYPES if not name.startswith(AROUND_RUNS)}

    assert of_runs == told_by_runs()


def test_every_event_around_runs_is_told_by_api_or_ledger() -> None:
    around = {name for name in EVENT_TYPES if name.startswith(AROUND_RUNS)}

    assert around <= said_in("api") | said_in("vtid/ledger")


def test_every_event_that_changes_the_view_is_in_the_table() -> None:
    assert set(_CHANGES) <= told_by_runs()


def test_every_type_is_a_subject_with_a_predicate_and_says_what_it_means() -> None:
    for name, text in EVENT_TYPES.items():
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", name)
        assert text
        assert text == text.strip()
