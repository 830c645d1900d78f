"""Being told: subscriptions, signed messages that a receiver can verify, the log, and sending again."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from api.notifier import Notifier, Secrets
from vtid.domain.notifications import Answer
from vtid.domain.stages import Stage

from .conftest import Staging
from .stage import Play

URL = "https://example.com/hook"
OK = Answer(200, excerpt="thanks")


@dataclass
class Receiver:
    """vtid.domain.ports.Messenger that keeps what it is sent, and answers what it is told to."""

    answers: list[Answer] = field(default_factory=list)
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def send(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        self.got.append((url, headers, body))
        return self.answers.pop(0) if self.answers else OK


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def told(staging: Staging, receiver: Receiver) -> Play:
    return staging(messenger=receiver)


async def subscribe(play: Play, **fields: Any) -> dict[str, Any]:
    answer = await play.post("/notifications", {"name": "on-call", "url": URL} | fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def turn(play: Play) -> None:
    """One look of the loop, and the tries that it begins."""
    await play.services.notifier.turn()
    await play.services.notifier.idle()


async def block(play: Play) -> str:
    vtid = await play.run()
    failure = {"code": "PICKUP_TIMEOUT", "stage": "WORKER", "message": "no worker", "moves": ["retry"]}
    await play.tell(vtid, "run.blocked", stage=Stage.WORKER, failure=failure, until=None)
    return vtid


async def deliveries(play: Play, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await play.get(f"/notifications/deliveries{query}", role="admin")).json()[
        "items"
    ]
    return items


async def test_a_blocked_run_is_told_signed_so_that_the_receiver_can_verify_it(
    told: Play, receiver: Receiver
) -> None:
    secret = (await subscribe(told))["secret"]
    vtid = await block(told)

    await turn(told)

    ((url, headers, body),) = receiver.got
    message = Webhook(secret).verify(body, headers)
    assert (url, message["type"], message["data"]["vtid"]) == (URL, "run.blocked", vtid)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace(b"PICKUP", b"PICKED"), headers)


async def test_a_secret_is_shown_once_and_kept_nowhere(told: Play) -> None:
    made = await subscribe(told)

    shown = (await told.get("/notifications/on-call", role="admin")).json()
    listed = (await told.get("/notifications", role="admin")).json()["items"]

    assert made["secret"].startswith("whsec_")
    assert "secret" not in shown
    assert listed == [shown]
    assert made == shown | {"secret": made["secret"]}


async def test_for_a_day_after_a_rotation_both_secrets_verify(told: Play, receiver: Receiver) -> None:
    old = (await subscribe(told))["secret"]

    new = (await told.post("/notifications/on-call/rotate")).json()["secret"]
    await told.post("/notifications/on-call/test")
    await turn(told)

    ((_, headers, body),) = receiver.got
    assert old != new
    for secret in (old, new):
        assert Webhook(secret).verify(body, headers)["type"] == "notification.test"


async def test_every_event_is_sent_once_by_two_processes_that_look_at_once(
    told: Play, staging: Staging, receiver: Receiver
) -> None:
    other = staging(messenger=receiver)
    await subscribe(told)
    vtids = {await block(told) for _ in range(5)}

    for play in (told, other, told, other):
        await play.services.notifier.turn()
    for play in (told, other):
        await play.services.notifier.idle()
        await turn(play)

    assert sorted(json.loads(body)["data"]["vtid"] for _, _, body in receiver.got) == sorted(vtids)


async def test_a_sender_that_dies_after_making_a_delivery_makes_no_second_one(
    told: Play, staging: Staging, receiver: Receiver
) -> None:
    await subscribe(told)
    await block(told)
    await told.ledger.outbox.collect()  # and then it is killed
    again = staging(messenger=receiver)

    await turn(again)

    assert len(await deliveries(told)) == len(receiver.got) == 1


async def test_the_log_has_every_try_and_a_resend_is_the_same_message(told: Play, receiver: Receiver) -> None:
    receiver.answers = [Answer(503, "answered 503", "busy", 0.5)]
    await subscribe(told)
    await block(told)
    await turn(told)
    (line,) = await deliveries(told)

    again = await told.post(f"/notifications/deliveries/{line['id']}/resend")
    await turn(told)

    assert (line["state"], line["last_error"], again.status_code) == ("pending", "answered 503", 202)
    whole = (await told.get(f"/notifications/deliveries/{line['id']}", role="admin")).json()
    assert whole["state"] == "delivered"
    assert [(each["status"], each["milliseconds"], each["answer"]) for each in whole["attempts"]] == [
        (503, 500, "busy"),
        (200, 0, "thanks"),
    ]
    first, second = receiver.got
    assert (first[1]["webhook-id"], first[2]) == (second[1]["webhook-id"], second[2]) == (
        line["id"], whole["body"].encode(),
    )  # fmt: skip


async def test_slack_gets_text_and_blocks(told: Play, receiver: Receiver) -> None:
    await subscribe(told, format="slack", kinds=["run.blocked"])
    vtid = await block(told)

    await turn(told)

    body = json.loads(receiver.got[0][2])
    assert vtid in body["text"]
    assert "PICKUP_TIMEOUT" in body["blocks"][0]["text"]["text"]


async def test_a_changed_signing_key_is_seen_and_no_message_goes_out_that_nobody_could_verify(
    told: Play, receiver: Receiver
) -> None:
    await subscribe(told)
    await block(told)
    services = told.services
    other = Notifier(told.ledger, receiver, Secrets("another key"), services.metrics)

    await other.turn()
    await other.idle()

    shown = (await told.get("/notifications/on-call", role="admin")).json()
    assert (receiver.got, shown["state"]) == ([], "disabled")
    assert "signing key changed" in shown["reason"]


async def test_a_disabled_subscription_is_enabled_again_and_gets_what_was_pending(
    told: Play, receiver: Receiver
) -> None:
    made = await subscribe(told)
    await block(told)
    await told.ledger.outbox.collect()
    await told.ledger.subscriptions.disable(made["id"], "it was down")
    await turn(told)
    silent = list(receiver.got)

    enabled = await told.post("/notifications/on-call/enable")
    await turn(told)

    assert (silent, enabled.json()["state"], len(receiver.got)) == ([], "active", 1)


async def test_the_loop_outlives_a_fault_of_ours_and_the_try_comes_again(
    told: Play, receiver: Receiver
) -> None:
    class Broken(Receiver):
        async def send(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
            raise AssertionError("a fault of ours")

    await subscribe(told)
    await block(told)
    services = told.services
    broken = Notifier(told.ledger, Broken(), services.secrets, services.metrics)

    await broken.turn()
    await broken.idle()

    (line,) = await deliveries(told)
    assert (line["state"], line["tries"]) == ("pending", 0)
    assert b"vtid_notifier_errors_total 1.0" in services.metrics.text()
    assert await told.ledger.outbox.take(1, timedelta(seconds=1)) == []  # until its hold ends


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"url": "http://example.com/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://169.254.169.254/"}, "url"),
        ({"url": "https://a:b@example.com/"}, "url"),
        ({"kinds": ["notification.test"]}, "kinds"),
        ({"kinds": ["run.exploded"]}, "kinds"),
        ({"kinds": []}, "kinds"),
        ({"environments": ["moon"]}, "environments"),
        ({"name": "sub_1"}, "name"),
        ({"name": "deliveries"}, "name"),
        ({"name": "a b"}, "name"),
        ({"format": "teams"}, "format"),
    ],
)
async def test_a_subscription_that_cannot_work_is_refused_with_its_field(
    told: Play, fields: dict[str, Any], field: str
) -> None:
    answer = await told.post("/notifications", {"name": "on-call", "url": URL} | fields)

    assert (answer.status_code, answer.json()["code"]) == (422, "VALIDATION")
    assert answer.json()["errors"][0]["field"].startswith(field)


async def test_a_repeated_subscribe_is_refused_by_its_name_and_never_answered_from_memory(told: Play) -> None:
    headers = {"Idempotency-Key": "one"}
    body = {"name": "on-call", "url": URL}

    first = await told.post("/notifications", body, headers=headers)
    second = await told.post("/notifications", body, headers=headers)

    assert (first.status_code, second.status_code) == (201, 409)
    assert "secret" not in second.json()


async def test_changing_pausing_and_removing_are_audited(told: Play) -> None:
    await subscribe(told)

    changed = await told.call("admin", "PATCH", "/notifications/on-call", json={"kinds": ["run.failed"]})
    paused = await told.post("/notifications/on-call/pause", {"reason": "holidays"})
    gone = await told.call("admin", "DELETE", "/notifications/on-call")
    unknown = await told.get("/notifications/on-call", role="admin")

    assert (changed.json()["kinds"], changed.json()["url"]) == (["run.failed"], URL)
    assert (paused.json()["state"], paused.json()["reason"]) == ("paused", "holidays")
    assert (gone.status_code, unknown.status_code) == (204, 404)
    verbs = [entry.verb for entry in await told.ledger.audit.list() if entry.verb.startswith("notification")]
    assert verbs == [
        "notification.unsubscribe", "notification.pause", "notification.change", "notification.subscribe",
    ]  # fmt: skip
