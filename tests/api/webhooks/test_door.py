"""Nobody but GitHub is heard, nothing is heard twice, and GitHub never waits for the work."""

import asyncio

import pytest

from tests.api.conftest import Staging
from tests.api.webhooks.conftest import PREVIOUS, SECRET, Hook, check_run, push
from vtid.domain.hints import Hint
from vtid.ledger import Ledger


async def test_a_signed_webhook_is_accepted_and_kept(hook: Hook) -> None:
    answer = await hook.send("check_run", check_run())

    assert answer.status_code == 202
    assert answer.json() == {"delivery": "delivery-1", "event": "check_run", "state": "accepted", "says": ""}
    assert [each["state"] for each in await hook.deliveries()] == ["received"]


@pytest.mark.parametrize(
    "forged",
    [
        {"secret": "guessed"},
        {"body": b'{"zen": "changed on its way"}'},
        {"headers": {"X-Hub-Signature-256": None}},
        {"headers": {"X-Hub-Signature-256": "sha256="}},
        {"headers": {"X-Hub-Signature-256": "sha1=0123"}},
        {"headers": {"X-Hub-Signature-256": b"sha256=\xe9"}},
        {"secret": ""},
    ],
)
async def test_a_forged_webhook_is_refused_and_nothing_is_done(hook: Hook, forged: dict[str, object]) -> None:
    vtid = await hook.waiting_run()

    answer = await hook.send("check_run", check_run(), **forged)
    await hook.settle()

    assert answer.status_code == 401
    assert answer.json()["code"] == "UNAUTHENTICATED"
    assert await hook.deliveries() == []
    assert hook.heard(vtid) == []


async def test_both_secrets_hold_while_one_replaces_the_other(hook: Hook) -> None:
    assert (await hook.send("check_run", check_run(), secret=SECRET)).status_code == 202
    assert (await hook.send("check_run", check_run(), secret=PREVIOUS)).status_code == 202


async def test_without_a_secret_no_webhook_is_believed(staging: Staging, ledger: Ledger) -> None:
    hook = Hook(staging(), None)  # type: ignore[arg-type]

    answer = await hook.send("check_run", check_run(), secret="")

    assert answer.status_code == 401
    assert "VTID_GITHUB_WEBHOOK_SECRET" in answer.json()["detail"]


async def test_a_delivery_that_comes_twice_is_worked_once(hook: Hook) -> None:
    vtid = await hook.waiting_run()

    states = []
    for _ in range(2):
        answer = await hook.send("check_run", check_run(), delivery="the-same")
        await hook.settle()
        states.append((answer.status_code, answer.json()["state"]))

    assert states == [(202, "accepted"), (202, "duplicate")]
    assert len(hook.heard(vtid)) == 1
    assert len(await hook.deliveries()) == 1


@pytest.mark.parametrize("declared", [True, False])
async def test_more_than_a_megabyte_is_refused(hook: Hook, declared: bool) -> None:
    body = b'{"x": "' + b"x" * 1_000_001 + b'"}'

    async def in_pieces() -> object:
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    sent = {} if declared else {"body": in_pieces()}
    answer = await hook.send("push", body, **sent)

    assert answer.status_code == 413
    assert answer.json()["code"] == "TOO_LARGE"
    assert await hook.deliveries() == []


@pytest.mark.parametrize(
    ("event", "payload", "says"),
    [
        ("ping", {"zen": "Speak like a human."}, "nothing depends on ping"),
        ("issue_comment", {"action": "created"}, "nothing depends on issue_comment"),
        ("invented_tomorrow", {"action": "happened"}, "nothing depends on invented_tomorrow"),
        ("check_run", check_run(action="created"), "check_run created decides nothing"),
        ("check_run", check_run(repository="acme/other"), "no environment declares acme/other"),
        ("push", push("0" * 40), "refs/heads/main was deleted"),
    ],
)
async def test_what_nothing_depends_on_is_accepted_and_ignored_visibly(
    hook: Hook, event: str, payload: object, says: str
) -> None:
    answer = await hook.send(event, payload)

    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["says"]) == ("ignored", says)
    assert [(each["state"], each["says"]) for each in await hook.deliveries()] == [("ignored", says)]


@pytest.mark.parametrize(
    ("event", "payload", "field"),
    [
        (
            "check_run",
            {"action": "completed", "repository": {"full_name": "acme/shop"}},
            "check_run.head_sha",
        ),
        ("push", {"ref": 7, "after": "a" * 40, "repository": {"full_name": "acme/shop"}}, "ref"),
        ("push", push("a" * 40) | {"commits": [7]}, "id"),
        ("check_run", [1, 2], "body"),
        ("check_run", b"payload=%7B%7D", "body"),
        ("", check_run(), "X-GitHub-Event"),
    ],
)
async def test_a_signed_body_of_another_shape_is_told_by_its_field(
    hook: Hook, event: str, payload: object, field: str
) -> None:
    answer = await hook.send(event, payload)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert await hook.deliveries() == []


async def test_github_is_answered_before_the_work(hook: Hook) -> None:
    hook.play.engine.down = True  # whatever is to be told, cannot be told
    await hook.send("check_run", check_run())

    assert [each["state"] for each in await hook.deliveries()] == ["received"]


async def test_what_a_process_left_undone_is_done_by_the_next(hook: Hook, staging: Staging) -> None:
    vtid = await hook.waiting_run()
    await hook.send("check_run", check_run())
    next_process = staging(hook.play.engine)

    await next_process.services.inbox.settle()

    assert hook.heard(vtid) == [Hint("acme/shop", "check_run", "a" * 40)]
    assert [each["state"] for each in await hook.deliveries()] == ["done"]


async def test_deliveries_are_for_people_who_may_read(hook: Hook) -> None:
    assert (await hook.play.call(None, "GET", "/webhooks/deliveries")).status_code == 401
    assert (await hook.play.get("/unattributed", role="worker")).status_code == 403


async def test_many_at_once_are_each_worked_once(hook: Hook) -> None:
    await asyncio.gather(*(hook.send("check_run", check_run(), delivery=f"d{n % 5}") for n in range(20)))
    await hook.settle()

    assert sorted(each["delivery_id"] for each in await hook.deliveries(state="done")) == [
        f"d{n}" for n in range(5)
    ]
