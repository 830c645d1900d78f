"""The page for three in the morning leaves no code out and names no command that does not exist."""

import re

import pytest
import typer.main

from scripts.make_docs import DOCS
from tests.docs.alerts import FILE
from vtid.cli.exits import Exit
from vtid.cli.main import app
from vtid.domain.failures import FAILURES

PAGE = (DOCS / "operations.md").read_text(encoding="utf-8")
ALERTS = FILE.read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"\bvtid ([a-z]+(?: [a-z]+)?)", PAGE + ALERTS)))


@pytest.mark.parametrize("code", FAILURES)
def test_every_failure_code_has_a_first_thing_to_do(code: str) -> None:
    row = next((line for line in PAGE.splitlines() if line.startswith("|") and f"`{code}`" in line), "")

    assert row.count("`") >= 4, f"{code} has no row with a command"


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_on_the_page_exists(words: str) -> None:
    first, _, second = words.partition(" ")
    commands = getattr(typer.main.get_command(app), "commands", {})

    assert first in commands
    group = getattr(commands[first], "commands", None)
    assert group is None or second in group


def test_every_exit_code_is_told() -> None:
    told = re.search(r"how it ended: (.+?)\. Words", PAGE, re.DOTALL)

    assert told is not None
    assert [int(number) for number in re.findall(r"\d+", told.group(1))] == sorted(Exit)
