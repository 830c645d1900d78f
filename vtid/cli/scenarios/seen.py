"""What was seen of a scenario: the run view, its events, the simulator's journal, and what workers were told."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic_core import to_jsonable_python

from vtid.cli.scenarios.calls import Json
from vtid.domain.events import event_of
from vtid.domain.fold import fold_all
from vtid.domain.stages import Stage
from vtid.domain.view import RunView

# The API adds these to the fold of the run's events: addresses, clocks and the reader's own position.
_ADDED_BY_THE_API = ("links", "lease", "position", "as_of", "engine")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*")


@dataclass(frozen=True)
class Seen:
    """Everything that a promise may be held against. `notes` are what the course kept on its way."""

    task: Json | None = None
    run: Json | None = None  # None: there is no run
    events: Sequence[Json] = ()
    journal: Sequence[Json] = ()  # what was done to the scenario's repository on GitHub
    said: Mapping[str, Sequence[Json]] = field(default_factory=dict)  # worker -> its lines
    notes: Mapping[str, Any] = field(default_factory=dict)

    # --- the run

    @property
    def status(self) -> str | None:
        return _text((self.run or self.task or {}).get("status"))

    @property
    def outcome(self) -> str | None:
        return _text((self.run or {}).get("outcome"))

    @property
    def stage(self) -> str | None:
        return _text((self.run or {}).get("stage"))

    @property
    def code(self) -> str | None:
        """The failure's code; without a run, the code of the refusal that the course kept."""
        if self.run is None:
            return _text(self.notes.get("refusal", {}).get("code"))
        return _text((self.run.get("failure") or {}).get("code"))

    @property
    def moves(self) -> list[str]:
        return [move["move"] for move in (self.run or {}).get("moves", ())]

    @property
    def sentence(self) -> str:
        """Status and failure in words, for a reader who wonders why a promise was not kept."""
        failure = (self.run or {}).get("failure") or {}
        return ", ".join(filter(None, (self.status, self.stage, failure.get("code"), failure.get("message"))))

    def stage_status(self, stage: Stage) -> str | None:
        found = [each["status"] for each in (self.run or {}).get("stages", ()) if each["stage"] == stage]
        return found[0] if found else None

    # --- its events

    def of(self, kind: str) -> list[Json]:
        """The data of every event of this type, in order."""
        return [event["data"] for event in self.events if event["type"] == kind]

    def count(self, kind: str) -> int:
        return len(self.of(kind))

    def codes_of_attempts(self) -> list[str]:
        """How the attempts ended that brought no evidence."""
        return [data["code"] for data in self.of("attempt.ended")]

    def failed_rules(self) -> set[str]:
        """The rules that the last verdict says do not hold."""
        rules = ((self.run or {}).get("verdict") or {}).get("rules", ())
        return {rule["rule"] for rule in rules if rule["answer"] == "fail"}

    def rule(self, rule: str) -> Json:
        """What the last verdict says of a rule."""
        rules = ((self.run or {}).get("verdict") or {}).get("rules", ())
        return next(dict(each) for each in rules if each["rule"] == rule)

    def link(self, name: str) -> Json:
        """A link of the proof; empty when there is none."""
        links = ((self.run or {}).get("proof") or {}).get("links", ())
        return next((dict(each) for each in links if each["name"] == name), {})

    def links_of(self, service: str) -> list[Json]:
        """The links of the proof that are about this service."""
        links = ((self.run or {}).get("proof") or {}).get("links", ())
        return [dict(each) for each in links if each["service"] == service]

    # --- the world

    @property
    def effects(self) -> Counter[str]:
        """What the orchestrator did to the repository; what the scenario did itself came by /_sim."""
        ours = (entry for entry in self.journal if not entry["path"].startswith("/_sim"))
        return Counter(entry["effect"] for entry in ours if entry["effect"])

    def calls(self, method: str, path_end: str) -> list[Json]:
        """Calls to GitHub with this method and end of path."""
        return [e for e in self.journal if e["method"] == method and e["path"].endswith(path_end)]

    # --- the workers

    def told(self, worker: str, event: str) -> list[Json]:
        """What this worker said of one kind: `claimed`, `lease-lost`, `told-to-stop`, …"""
        return [line for line in self.said.get(worker, ()) if line["event"] == event]


def log_is_whole(seen: Seen) -> bool:
    """Nothing lost, nothing doubled: the run's events count 1, 2, 3 …, and their fold is the view."""
    run = seen.run
    if run is None:
        return False
    own = [event for event in seen.events if event["run_id"] == run["run_id"]]
    if [event["seq"] for event in own] != list(range(1, len(own) + 1)):
        return False
    folded = to_jsonable_python(fold_all(RunView(run["vtid"], None), map(event_of, own)))
    return all(_plain(folded[key]) == _plain(run[key]) for key in folded if key not in _ADDED_BY_THE_API)


def offered_once_each(seen: Seen) -> bool:
    """One event for each offer: no order twice, and in no run a number left out."""
    offers = [event for event in seen.events if event["type"] == "work_order.offered"]
    numbers: dict[str, list[int]] = {}
    for offer in offers:
        numbers.setdefault(offer["run_id"], []).append(offer["data"]["offer"])
    in_order = all(its == list(range(1, len(its) + 1)) for its in numbers.values())
    return in_order and len({offer["data"]["order_id"] for offer in offers}) == len(offers)


def no_worker_works_twice(seen: Seen) -> bool:
    """A worker that has answered is not given the same order again."""
    taken = [line["order_id"] for said in seen.said.values() for line in said if line["event"] == "claimed"]
    return len(taken) == len(set(taken))


def says_what_it_waits_for(seen: Seen) -> bool:
    """Nobody has to guess why an open run does not move."""
    run = seen.run or {}
    waiting = run.get("waiting") or {}
    return bool(run.get("outcome")) or all(waiting.get(key) for key in ("for", "since", "until", "who"))


def _plain(value: Any) -> Any:
    """JSON with every time cut to milliseconds, as the API tells times."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, str) and _TIME.fullmatch(value):
        return datetime.fromisoformat(value).isoformat(timespec="milliseconds")
    return value


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
