"""The failure scenarios, from the command line: `vtid simulate` and `vtid demo --once`."""

import asyncio
import importlib
from pathlib import Path
from typing import Any

from vtid.cli.console import err, print_json
from vtid.cli.exits import CommandFailed, Exit


def run_named(name: str, *, data_dir: Path, as_json: bool) -> int:
    """Run one scenario, or `all`; the exit code says whether everything promised was seen."""
    scenarios = _scenarios()
    if name != "all" and name not in scenarios.CATALOGUE:
        raise CommandFailed(f"no scenario {name!r}; see `vtid simulate list`", Exit.NOT_FOUND)
    names = list(scenarios.CATALOGUE) if name == "all" else [name]
    work = scenarios.run_scenarios(names, data_dir=data_dir, json_output=as_json, console=err())
    return int(asyncio.run(work))


def show_all(*, as_json: bool) -> None:
    """Every scenario with its promise."""
    known = [(each.name, each.says) for each in _scenarios().CATALOGUE.values()]
    if as_json:
        print_json({"items": [{"name": name, "says": says} for name, says in known]})
        return
    width = max(len(name) for name, _ in known)
    for name, says in known:
        print(f"{name:<{width}}  {says}")


def _scenarios() -> Any:
    # Loaded by name: the scenarios drive a whole stack, which no other command needs.
    return importlib.import_module("vtid.cli.scenarios")
