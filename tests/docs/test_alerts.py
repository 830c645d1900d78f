"""Whoever is woken by an alert is told what to do, and where to read on. That its series exist is held end to end."""

import re
from typing import Any

import pytest

from tests.docs.alerts import FILE, Selector, labels_of, rules, selectors
from tests.docs.test_links import ROOT, anchors

RULES = rules()


def test_names_are_given_once() -> None:
    names = [rule["alert"] for rule in RULES]

    assert len(set(names)) == len(names) > 10


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_to_do_and_where_to_read_on(rule: dict[str, Any]) -> None:
    page, _, heading = rule["annotations"]["runbook"].partition("#")

    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    assert re.fullmatch(r"[A-Z].{20,}\.", rule["annotations"]["description"])
    assert (ROOT / page).is_file()
    assert not heading or heading in anchors(ROOT / page)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_something_and_quotes_no_label_that_it_drops(rule: dict[str, Any]) -> None:
    assert selectors(rule)
    labels_of(rule)


def test_a_selector_is_read_with_its_matchers() -> None:
    [selector] = selectors({"expr": 'sum(rate(vtid_step_errors_total{system=~"A|B", error!="C"}[5m])) > 0'})

    assert selector == Selector("vtid_step_errors_total", (("system", "=~", "A|B"), ("error", "!=", "C")))
    assert selector.takes({"system": "B", "error": "D"})
    assert not selector.takes({"system": "AB", "error": "D"})
    assert not selector.takes({"system": "A", "error": "C"})


def test_the_page_for_the_night_names_the_file() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    assert str(FILE.relative_to(ROOT)) in page
