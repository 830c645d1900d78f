"""What the pages say of the code is what the code says."""

import re

import pytest

from scripts.make_docs import DOCS, PART, PARTS, pages
from vtid.simulator import control
from vtid.simulator.faults import Faults
from vtid.simulator.worker.behaviours import BEHAVIOURS, NEVER
from vtid.simulator.world import World

SIMULATOR = (DOCS / "simulator.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", pages())
def test_a_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], "run scripts/make_docs.py"


def test_every_part_has_its_place_on_one_page() -> None:
    assert sorted(part["name"] for text in pages().values() for part in PART.finditer(text)) == sorted(PARTS)


def described(heading: str) -> list[str]:
    """The first cells of the table under this heading of the simulator's page."""
    section = re.split(r"^## ", SIMULATOR.partition(f"## {heading}\n")[2], flags=re.MULTILINE)[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def test_every_behaviour_of_the_simulated_worker_is_described() -> None:
    assert sorted(described("Behaviours of the worker")) == sorted({*BEHAVIOURS, NEVER})


def test_every_call_of_the_control_plane_is_described() -> None:
    routes = control.application(World(), Faults()).routes
    served = [
        f"{method} /_sim{getattr(route, 'path', '').replace(':int', '')}"
        for route in routes
        for method in sorted(getattr(route, "methods", None) or ())
        if method != "HEAD"
    ]

    assert sorted(described("Control plane")) == sorted(served)
