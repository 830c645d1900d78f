"""Workflow files as people write them: `on` in all its shapes, names with expressions, and files that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vtid.adapters.github_workflows import read

if TYPE_CHECKING:
    from tests.adapters.conftest import Sim

JOBS = "jobs:\n  ci: {runs-on: x}\n  b: {name: 'test ${{ matrix.python }}'}\n"


@pytest.mark.parametrize(
    ("told", "triggers"),
    [
        ("on: push\n", ("push",)),
        ("on: [push, merge_group]\n", ("push", "merge_group")),
        ("on:\n  push:\n    branches: [main]\n  merge_group:\n", ("push", "merge_group")),
        ("'on':\n  merge_group: {types: [checks_requested]}\n", ("merge_group",)),
        ("on:\n", ()),
        ("", ()),
    ],
)
def test_the_events_of_a_workflow_are_read_in_every_shape(told: str, triggers: tuple[str, ...]) -> None:
    file = read("ci.yml", told + JOBS)

    assert (file.triggers, file.jobs, file.problem) == (triggers, ("ci", "test *"), "")


@pytest.mark.parametrize("text", ["on: [push\n", "- a list\n", "on: push\n", "", "jobs: none\n"])
def test_what_is_no_workflow_says_so(text: str) -> None:
    assert read("x.yml", text).problem


def test_the_files_of_the_branch_are_read(sim: Sim) -> None:
    assert sim.git_hub.workflow_files("acme/shop", "main") == ()
    sim.commits(".github/workflows/ci.yml", f"on: merge_group\n{JOBS}")
    sim.commits(".github/workflows/README.md", "words")
    sim.commits(".github/workflows/deep/er.yml", "on: push\n")

    [file] = sim.git_hub.workflow_files("acme/shop", "main")

    assert (file.path, file.triggers) == (".github/workflows/ci.yml", ("merge_group",))
