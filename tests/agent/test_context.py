"""The command's environment, without running one."""

from pathlib import Path

from vtid.agent.context import TOLD, environment, secret_values
from vtid.agent.git import Git
from vtid.agent.order import Order
from vtid.agent.places import Places
from vtid.agent.workspace import Source, Workspace

from .conftest import CLAIMED


def told(tmp_path: Path, ours: dict[str, str], **changed: object) -> dict[str, str]:
    order = Order.of(CLAIMED | changed)
    workspace = Workspace(order, Source(None, "x"), Places(tmp_path, "me"), Git(None, None))
    return environment(order, workspace, ours)


def test_everything_that_is_told_is_documented_and_nothing_else(tmp_path: Path) -> None:
    assert set(told(tmp_path, {})) == set(TOLD)


def test_our_own_settings_and_keys_are_withheld_and_all_else_is_kept(tmp_path: Path) -> None:
    ours = {
        "PATH": "/bin",
        "ANTHROPIC_API_KEY": "sk-1",
        "VTID_ENV": "dev",
        "VTID_API_TOKEN": "a",
        "GITHUB_TOKEN": "b",
    }

    assert set(told(tmp_path, ours)) - set(TOLD) == {"PATH", "ANTHROPIC_API_KEY"}


def test_a_note_that_no_environment_can_hold_is_made_to_fit(tmp_path: Path) -> None:
    assert told(tmp_path, {}, note="a\0b")["WORK_NOTE"] == "ab"


def test_only_values_of_secret_names_that_are_long_enough_are_masked() -> None:
    ours = {
        "DB_PASSWORD": "long-enough",
        "MY_API_KEY": "also-long-enough",
        "A_TOKEN": "x",
        "HOME": "/home/somebody",
    }

    assert secret_values(ours) == ["also-long-enough", "long-enough"]
