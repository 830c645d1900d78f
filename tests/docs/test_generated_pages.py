"""The pages that are tables of the code say what the code says."""

import pytest

from scripts.make_docs import BEHAVES, CONTROL_PLANE, DOCS, pages
from vtid.simulator import control
from vtid.simulator.faults import Faults
from vtid.simulator.worker.behaviours import BEHAVIOURS, NEVER
from vtid.simulator.world import World


@pytest.mark.parametrize("name", pages())
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], "run scripts/make_docs.py"


def test_every_behaviour_of_the_simulated_worker_is_described() -> None:
    assert set(BEHAVES) == {*BEHAVIOURS, NEVER}


def test_every_call_of_the_control_plane_is_described() -> None:
    routes = control.application(World(), Faults()).routes
    served = [
        f"{method} /_sim{getattr(route, 'path', '').replace(':int', '')}"
        for route in routes
        for method in sorted(getattr(route, "methods", None) or ())
        if method != "HEAD"
    ]

    assert sorted(call for call, _, _ in CONTROL_PLANE) == sorted(served)
