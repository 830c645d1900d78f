"""A change that came to a base branch belongs to a task that the ledger knows, or is seen as nobody's."""

import pytest

from tests.api.stage import SHA
from tests.api.webhooks.conftest import Hook, closed, push
from vtid.domain.errors import Unavailable
from vtid.ledger import LedgerUnavailable

OTHER = "d" * 40


async def test_a_push_without_a_vtid_is_seen_as_nobodys(hook: Hook) -> None:
    hook.words.messages[SHA] = "Fix a typo\n\nIt was wrong."

    await hook.send("push", push(SHA))
    await hook.settle()

    [entry] = await hook.unattributed()
    assert (entry["came_by"], entry["commit"], entry["title"]) == ("push", SHA, "Fix a typo")
    assert entry["why"]
    told = await hook.play.ledger.events.of_type("change.unattributed")
    assert [event.data["commit"] for event in told] == [SHA]


async def test_a_merge_whose_vtid_the_ledger_does_not_know_is_nobodys(hook: Hook) -> None:
    hook.words.merged(9, "VTID-09999: from another world")

    await hook.send("pull_request", closed(9))
    await hook.settle()

    [entry] = await hook.unattributed()
    assert entry["came_by"] == "merge"
    assert entry["mentioned"] == ["VTID-09999"]
    assert "the ledger knows no such task" in entry["why"]


async def test_a_change_of_a_known_task_is_not_told(hook: Hook) -> None:
    vtid = await hook.play.task()
    hook.words.merged(9, f"{vtid}: do it")
    hook.words.messages[OTHER] = f"{vtid}: by hand"

    await hook.send("pull_request", closed(9))
    await hook.send("push", push(OTHER))
    await hook.settle()

    assert await hook.unattributed() == []
    assert sorted(each["says"] for each in await hook.deliveries()) == [
        f"no run waits for it; acme/shop#9 belongs to {vtid}",
        f"no run waits for it; acme/shop@{OTHER} belongs to {vtid}",
    ]


async def test_the_body_of_the_pull_request_is_asked_for(hook: Hook) -> None:
    vtid = await hook.play.task()
    hook.words.merged(9, "Round prices", body=f"Task: {vtid}")

    await hook.send("push", push(SHA))  # its squash commit says nothing
    await hook.settle()

    assert await hook.unattributed() == []


async def test_a_merge_and_its_push_are_one_entry(hook: Hook) -> None:
    hook.words.merged(9, "Round prices")

    await hook.send("pull_request", closed(9))
    await hook.send("push", push(SHA))
    await hook.settle()

    assert [entry["pull_request"] for entry in await hook.unattributed()] == [
        "https://github.test/acme/shop/pull/9"
    ]


async def test_a_push_to_another_branch_is_nobodys_business(hook: Hook) -> None:
    hook.words.messages[SHA] = "Try something"

    await hook.send("push", push(SHA, branch="spike"))
    await hook.settle()

    assert await hook.unattributed() == []


async def test_what_cannot_be_asked_is_asked_again_and_is_neither_yes_nor_no(hook: Hook) -> None:
    hook.words.messages[SHA] = "Fix a typo"
    hook.words.error = Unavailable("GITHUB", "down", status=503)
    await hook.send("push", push(SHA))
    await hook.settle()

    [delivery] = await hook.deliveries()
    assert (delivery["state"], delivery["tries"]) == ("received", 1)
    assert "could not be asked" in delivery["says"]
    assert await hook.unattributed() == []


async def test_unattributed_changes_come_in_pages(hook: Hook) -> None:
    for number in range(3):
        sha = f"{number:040x}"
        hook.words.messages[f"1{sha[1:]}"] = f"Change {number}"
        await hook.send("push", push(f"1{sha[1:]}"))
        await hook.settle()

    first = (await hook.play.get("/unattributed", params={"limit": 2})).json()
    rest = (await hook.play.get("/unattributed", params={"limit": 2, "cursor": first["next_cursor"]})).json()

    titles = [entry["title"] for page in (first, rest) for entry in page["items"]]
    assert titles == ["Change 2", "Change 1", "Change 0"]
    assert rest["next_cursor"] is None


async def test_an_error_of_ours_is_seen_in_the_list_and_stops_nothing(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.words.error = RuntimeError("a fault of ours")
    monkeypatch.setattr(hook.play.ledger.deliveries, "worked", _away)

    await hook.send("push", push(SHA))
    await hook.settle()  # even to say so must wait for the ledger

    monkeypatch.undo()
    await hook.settle()
    [kept] = await hook.deliveries()
    assert (kept["state"], kept["says"]) == ("failed", "an error of ours; see the log")


async def _away(*_: object) -> None:
    raise LedgerUnavailable("away")
