"""The workflow files of a repository: which of them start which check, and on which events."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

FOLDER = ".github/workflows/"


def starts(tree: Mapping[str, str], check: str, trigger: str) -> bool:
    """Whether this check runs on such an event. One that no file of the tree defines is some other app's: it does."""
    listening = [trigger in triggers for triggers, jobs in files(tree) if check in jobs]
    return any(listening) or not listening


def files(tree: Mapping[str, str]) -> Iterator[tuple[set[str], set[str]]]:
    """(the events that start it, the names of its jobs) of each workflow file that can be read."""
    for path, text in tree.items():
        if not path.startswith(FOLDER) or not path.endswith((".yml", ".yaml")):
            continue
        try:
            content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - texts only, so `on` stays a word
        except yaml.YAMLError:
            continue
        if isinstance(content, dict) and isinstance(content.get("jobs"), dict):
            yield _events(content.get("on")), {_name(key, job) for key, job in content["jobs"].items()}


def _events(told: Any) -> set[str]:
    if isinstance(told, str):
        return {told} if told else set()
    return set(told or ())


def _name(key: str, job: Any) -> str:
    return str(job.get("name", key)) if isinstance(job, dict) else key
