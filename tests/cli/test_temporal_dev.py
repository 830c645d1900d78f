"""temporal-dev.yaml and the server that it starts."""

import subprocess
from pathlib import Path

import pytest

from vtid.cli.layout import ROOT, temporal_binary
from vtid.configuration.temporal_dev import TemporalDevError, load_temporal_dev
from workflows.connection import GITHUB_QUEUE, TASK_QUEUE

SHIPPED = ROOT / "temporal-dev.yaml"


def test_every_flag_is_known_to_the_server() -> None:
    flags = load_temporal_dev(SHIPPED).flags(data_dir=Path("d"), port=1, ui_port=2, http_port=3)
    asked = subprocess.run(
        [temporal_binary(), *flags[:2], "--help"], capture_output=True, text=True, check=True
    )
    general = subprocess.run([temporal_binary(), "options"], capture_output=True, text=True, check=True)
    known = asked.stdout + general.stdout

    unknown = [flag for flag in flags if flag.startswith("--") and f"{flag} " not in known]

    assert unknown == []


def test_the_search_attributes_of_a_run_are_registered() -> None:
    attributes = load_temporal_dev(SHIPPED).search_attributes

    names = ("VtidStage", "VtidState", "VtidFailureCode", "VtidEnvironment", "VtidRepository")
    assert attributes == dict.fromkeys(names, "Keyword")


def test_the_queues_are_those_that_the_worker_polls() -> None:
    queues = load_temporal_dev(SHIPPED).task_queues

    assert (queues.runs, queues.github) == (TASK_QUEUE, GITHUB_QUEUE)


def test_a_key_that_nobody_reads_is_an_error_that_names_it(tmp_path: Path) -> None:
    file = tmp_path / "temporal-dev.yaml"
    file.write_text(SHIPPED.read_text() + "\nsearch_atributes: {}\n")

    with pytest.raises(TemporalDevError, match="search_atributes"):
        load_temporal_dev(file)
