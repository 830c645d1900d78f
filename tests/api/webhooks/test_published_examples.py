"""GitHub's own published examples pass through the door as they are."""

import json
from typing import Any

import pytest

from tests.api.webhooks.conftest import Hook
from vtid.cli.layout import ROOT

FILE = ROOT / "node_modules" / "@octokit" / "webhooks-examples" / "api.github.com" / "index.json"
DECLARED = "acme/shop"  # takes the place of the examples' own repository

# (event, which of its examples, what becomes of it)
CHOSEN = [
    ("ping", 0, "ignored"),
    ("issue_comment", 0, "ignored"),
    ("pull_request", 0, "accepted"),
    ("pull_request", 3, "accepted"),
    ("check_run", 1, "accepted"),
    ("check_run", 7, "accepted"),
    ("check_suite", 0, "accepted"),
    ("workflow_run", 0, "accepted"),
    ("deployment_status", 0, "accepted"),
    ("push", 5, "accepted"),
    ("push", 4, "accepted"),
    ("merge_group", 0, "accepted"),
]


def examples() -> dict[str, list[dict[str, Any]]]:
    assert FILE.is_file(), "run `make setup`: npm installs GitHub's examples"
    return {each["name"]: each["examples"] for each in json.loads(FILE.read_text(encoding="utf-8"))}


@pytest.mark.parametrize(("event", "number", "state"), CHOSEN)
async def test_a_published_example_is_answered_and_worked(
    hook: Hook, event: str, number: int, state: str
) -> None:
    example = examples()[event][number]
    if state == "accepted":
        example["repository"] = example["repository"] | {"full_name": DECLARED}

    answer = await hook.send(event, example)
    await hook.settle()

    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == state, answer.text
    assert [each["state"] for each in await hook.deliveries()] == [
        "done" if state == "accepted" else "ignored"
    ]


async def test_every_example_of_the_events_that_we_read_is_understood(hook: Hook) -> None:
    refused = []
    for event in {event for event, _, _ in CHOSEN}:
        for example in examples()[event]:
            answer = await hook.send(event, example)
            if answer.status_code != 202:
                refused.append((event, example.get("action"), answer.text))

    assert refused == []
