"""The simulated world as a whole: where each fact is found, and the clock that moves it."""

import itertools
import secrets
from collections.abc import Callable
from typing import Any

from vtid.simulator.apps import App
from vtid.simulator.behaviour import Behaviours
from vtid.simulator.facts import Repository, Service
from vtid.simulator.history import History
from vtid.simulator.journal import Journal
from vtid.simulator.schedule import Schedule

Told = Callable[[Repository, str, str, Any], None]
"""(repository, event, action, fact): called for everything that GitHub would send a webhook about."""


def tell_nobody(repository: Repository, event: str, action: str, fact: Any) -> None:
    """A world without webhooks."""


class World:
    def __init__(self, schedule: Schedule | None = None) -> None:
        self.schedule = schedule or Schedule()
        self.journal = Journal()
        self.behaviours = Behaviours()
        self.apps: dict[int, App] = {}
        self.repositories: dict[str, Repository] = {}
        self.services: dict[tuple[str, str, str], Service] = {}
        self.operations: dict[str, tuple[Service, int]] = {}
        self.id_tokens: dict[str, dict[str, Any]] = {}
        """Each ID token that the metadata server gave, with its claims."""
        self.signing_key = secrets.token_bytes(32)
        self.told: Told = tell_nobody
        self._ids = itertools.count(1001)

    def now(self) -> float:
        return self.schedule.now()

    def next_id(self) -> int:
        return next(self._ids)

    def reset(self) -> None:
        self.schedule.clear()
        self.journal.clear()
        self.behaviours.clear()
        self.apps.clear()
        self.repositories.clear()
        self.services.clear()
        self.operations.clear()
        self.id_tokens.clear()

    def repository(self, full_name: str) -> Repository | None:
        """GitHub's names do not know upper and lower case."""
        return self.repositories.get(full_name.lower())

    def add_repository(self, full_name: str, default_branch: str = "main") -> Repository:
        """Once per name: a second call finds the first one's repository as it is."""
        known = self.repository(full_name)
        if known is not None:
            return known
        history = History(full_name)
        first = history.commit("Initial commit", first_tree(full_name), (), self.now())
        history.branches[default_branch] = first.sha
        made = Repository(self.next_id(), full_name, default_branch, self.now(), history)
        self.repositories[full_name.lower()] = made
        return made

    def services_named(self, name: str) -> list[Service]:
        """A service may stand in several projects and regions."""
        return [service for service in self.services.values() if service.name == name]


def first_tree(full_name: str) -> dict[str, str]:
    """The files of a new repository."""
    name = full_name.split("/")[1]
    return {"README.md": f"# {name}\n", f"services/{name}/main.py": 'print("hello")\n'}
