"""The alert rules, and the series that their expressions ask for."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

FILE = Path(__file__).parents[2] / "ops" / "alerts.yaml"
_SELECTOR = re.compile(r"\b((?:vtid|temporal)_[a-z_]+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
_GROUPED = re.compile(r"\bby \(([^)]*)\)")


@dataclass(frozen=True)
class Selector:
    """A series that a rule asks for. matchers: (label, operator, value)."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]

    @property
    def is_the_workers(self) -> bool:
        """Whether the worker exposes it, and not the API."""
        return self.name.startswith(("temporal_", "vtid_step_"))

    def takes(self, labels: dict[str, str]) -> bool:
        """Whether a sample with these labels is meant."""
        return all(_holds(operator, value, labels.get(label, "")) for label, operator, value in self.matchers)


def _holds(operator: str, value: str, found: str) -> bool:
    equal = bool(re.fullmatch(value, found)) if operator.endswith("~") else value == found
    return equal is not operator.startswith("!")


def rules() -> list[dict[str, Any]]:
    """Every rule of the file, as it stands there."""
    groups = yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def selectors(rule: dict[str, Any]) -> list[Selector]:
    """What its expression asks for."""
    found = _SELECTOR.findall(rule["expr"])
    return [Selector(name, tuple(_MATCHER.findall(matchers))) for name, matchers in found]


def samples(metrics: str, name: str) -> list[Sample]:
    """Those of this name in what a process exposes."""
    families = text_string_to_metric_families(metrics)
    return [sample for family in families for sample in family.samples if sample.name == name]


def why_not_exposed(rule: dict[str, Any], metrics: str, *, by_the_worker: bool) -> list[str]:
    """What the rule asks of this process and does not get: a series, or a label of one."""
    missing = []
    for asked in selectors(rule):
        if asked.is_the_workers is by_the_worker:
            labels = {label for sample in samples(metrics, asked.name) for label in sample.labels}
            wanted = {label for label, _, _ in asked.matchers} | labels_of(rule)
            if not samples(metrics, asked.name):
                missing.append(asked.name)
            missing += [f"{asked.name}{{{label}}}" for label in wanted - labels]
    return missing


def labels_of(rule: dict[str, Any]) -> set[str]:
    """The labels by which its expression groups; its texts may quote no other."""
    grouped = {label.strip() for group in _GROUPED.findall(rule["expr"]) for label in group.split(",")}
    quoted = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
    assert quoted <= grouped, f"{rule['alert']} quotes a label that its expression drops"
    return grouped
