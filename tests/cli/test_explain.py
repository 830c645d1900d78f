"""`vtid run explain` says why in plain words."""

import json
from typing import Any

from tests.cli.conftest import FakeApi, Vtid
from vtid.cli.exits import Exit

TOLD: dict[str, Any] = {
    "vtid": "VTID-01227",
    "may_merge": False,
    "says": "VTID-01227 may not be merged now. No run of VTID-01227 is under way.",
    "reasons": ["No run of VTID-01227 is under way.", "VAL-RULE-010 (…) does not hold: not green: ci."],
    "pull_request": "https://github.test/acme/shop/pull/7",
    "rules": [{"answer": "pass"}, {"answer": "skipped"}, {"answer": "fail"}],
}


def test_every_reason_is_a_line(api: FakeApi, vtid: Vtid) -> None:
    api.says("GET", "/api/v1/runs/VTID-01227/explain", TOLD)

    ended = vtid("run", "explain", "vtid-01227", "--api-url", api.url)

    assert ended.code == Exit.OK
    assert ended.out.splitlines() == [
        TOLD["says"],
        *(f"- {reason}" for reason in TOLD["reasons"]),
        "2 of 3 rules hold; pull request: https://github.test/acme/shop/pull/7",
    ]


def test_programs_get_the_same_as_json(api: FakeApi, vtid: Vtid) -> None:
    api.says("GET", "/api/v1/runs/VTID-01227/explain", TOLD)

    ended = vtid("run", "explain", "VTID-01227", "--json", "--api-url", api.url)

    assert json.loads(ended.out) == TOLD
