"""The worker's side: one winner, a lease that lives, evidence that is never lost."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from api.leases import LeaseTokens
from vtid.domain.task import spec_hash
from vtid.ledger import LedgerUnavailable

from .stage import PULL, SHA, SIGNING_KEY, SPEC, Play


async def test_twenty_workers_ask_and_one_wins(play: Play) -> None:
    vtid = await play.run()
    await play.offer(vtid)

    answers = await asyncio.gather(*(play.claim(f"w{n}") for n in range(20)))

    assert sorted(answer.status_code for answer in answers) == [200] + [204] * 19
    assert len(play.engine.run_of(vtid).told) == 1


async def test_a_claim_carries_all_that_a_worker_needs(play: Play) -> None:
    grant = await play.claimed()

    assert grant["spec"] == SPEC
    assert grant["required_markers"] == [grant["vtid"]]
    assert grant["environment"] == "dev"
    assert set(grant["deadlines"]) == {"heartbeat_seconds", "lost_seconds", "progress_seconds", "cap_seconds"}


async def test_a_waiting_worker_gets_an_order_as_soon_as_it_is_offered(play: Play) -> None:
    vtid = await play.run()
    waiting = asyncio.create_task(play.claim("w1", wait_seconds=10))
    await asyncio.sleep(0.1)

    await play.offer(vtid)

    async with asyncio.timeout(2):
        assert (await waiting).json()["vtid"] == vtid


async def test_no_order_in_time_is_no_content_and_tells_who_is_there(play: Play) -> None:
    answer = await play.claim("w1", wait_seconds=0.1)

    (worker,) = (await play.get("/workers")).json()["items"]
    assert (answer.status_code, worker["worker_id"], worker["state"]) == (204, "w1", "free")


async def test_a_claim_may_name_the_task(play: Play) -> None:
    wanted, other = await play.run(), await play.run()
    await play.offer(other)
    await play.offer(wanted)

    assert (await play.claim(vtid=wanted)).json()["vtid"] == wanted
    assert (await play.claim("w2", vtid=wanted)).status_code == 204


async def test_an_order_goes_to_a_worker_that_is_capable_of_it(play: Play) -> None:
    vtid = await play.run()
    await play.offer(vtid, requires=("python", "gpu"))

    assert (await play.claim("w1")).status_code == 204
    assert (await play.claim("w2", capabilities=["python"], vtid=vtid)).status_code == 204
    grant = (await play.claim("w3", capabilities=["gpu", "python", "rust"])).json()
    assert (grant["vtid"], grant["requires"]) == (vtid, ["python", "gpu"])


async def test_what_a_worker_cannot_do_does_not_hide_what_it_can(play: Play) -> None:
    waiting = asyncio.create_task(play.claim("w1", wait_seconds=10))
    await play.offer(await play.run(), requires=("gpu",))
    able = await play.run()

    await play.offer(able)

    assert (await waiting).json()["vtid"] == able


async def test_a_worker_that_lost_the_answer_gets_its_lease_again(play: Play) -> None:
    grant = await play.claimed("w1")

    again = (await play.claim("w1")).json()

    assert (again["order_id"], again["attempt"]) == (grant["order_id"], grant["attempt"])
    assert (await play.say(again, "heartbeat")).json()["action"] == "continue"


async def test_identical_claims_that_wait_at_once_get_the_one_order(play: Play) -> None:
    """A client without locks: it asks four times, works on one order, and would let the others lie."""
    runs = [await play.run() for _ in range(3)]
    waiting = [asyncio.create_task(play.claim("w1", wait_seconds=5)) for _ in range(4)]
    await asyncio.sleep(0.1)

    for vtid in runs:
        await play.offer(vtid)

    answers = [(await each).json() for each in waiting]
    assert len({(each["order_id"], each["attempt"]) for each in answers}) == 1
    assert sum(len(play.engine.run_of(vtid).told) for vtid in runs) == 1


async def test_a_claim_whose_answer_was_lost_below_us_is_found_by_the_next_call(play: Play) -> None:
    vtid = await play.run()
    await play.offer(vtid)
    play.engine.losing = True

    lost = await play.claim("w1")
    again = await play.claim("w1")

    assert (lost.status_code, again.status_code) == (503, 200)
    assert play.engine.run_of(vtid).attempt == 1


async def test_an_order_of_a_run_that_is_over_is_taken_back(play: Play) -> None:
    vtid = await play.run()
    order = await play.offer(vtid)
    play.engine.run_of(vtid).status = "terminated"

    assert (await play.claim()).status_code == 204
    assert (await play.ledger.orders.get(order)).state == "withdrawn"


async def test_a_worker_gets_the_spec_that_the_run_was_started_for(play: Play) -> None:
    vtid = await play.run()
    await play.offer(vtid)
    await play.ledger.tasks.put_spec(vtid, "# Something else\n", by="ann")

    grant = (await play.claim()).json()

    assert grant["spec"] == SPEC
    assert grant["spec_hash"] == spec_hash(SPEC)


async def test_disarmed_refuses_claims_in_code_and_text(play: Play) -> None:
    vtid = await play.run()
    await play.offer(vtid)
    await play.post("/system/disarm", {"reason": "fire"}, role="approver")

    answer = await play.claim()

    assert (answer.status_code, answer.json()["code"]) == (403, "EXECUTION_DISARMED")
    assert "EXECUTION_DISARMED" in answer.json()["detail"]


async def test_disarming_sends_waiting_workers_home_and_leaves_leases_alone(play: Play) -> None:
    grant = await play.claimed("w1")
    waiting = asyncio.create_task(play.claim("w2", wait_seconds=10))
    await asyncio.sleep(0.1)

    await play.post("/system/disarm", {"reason": "fire"})

    async with asyncio.timeout(2):
        assert (await waiting).status_code == 403
    assert (await play.say(grant, "heartbeat")).json()["action"] == "continue"


async def test_a_heartbeat_moves_the_expiry_and_the_clock_on_the_order(play: Play) -> None:
    grant = await play.claimed()

    answer = await play.say(grant, "heartbeat", progress={"files": 3})

    assert answer.json()["expires_at"] >= grant["expires_at"]
    order = await play.ledger.orders.get(grant["order_id"])
    assert order.progress == {"files": 3}
    run = (await play.get(f"/runs/{grant['vtid']}")).json()
    assert run["lease"] is None or run["lease"]["suspect"] is False


async def test_a_stop_reaches_the_worker_and_its_release_confirms_it(play: Play) -> None:
    grant = await play.claimed()
    await play.post(f"/runs/{grant['vtid']}/cancel", {"reason": "wrong task"})

    told = await play.say(grant, "heartbeat")
    released = await play.say(grant, "release", reason="stopped")

    assert told.json()["action"] == "stop"
    assert told.json()["reason"]
    assert released.status_code == 200
    assert play.engine.run_of(grant["vtid"]).told[-1] == "stopped"


async def test_a_heartbeat_right_after_the_claim_is_never_told_that_the_lease_is_lost(play: Play) -> None:
    grant = await play.claimed()
    play.engine.run_of(grant["vtid"]).lease_open = False  # the run has not opened it yet

    assert (await play.say(grant, "heartbeat")).json()["action"] == "continue"


def aged(grant: dict[str, Any]) -> dict[str, Any]:
    """The same lease, claimed a minute ago: beyond the time in which it is being opened."""
    tokens = LeaseTokens(SIGNING_KEY)
    lease = tokens.read(grant["lease"])
    return grant | {"lease": tokens.sign(replace(lease, iat=lease.iat - 60))}


async def test_a_lost_lease_is_told_with_who_holds_it_now(play: Play) -> None:
    old = await play.claimed("w1")
    await play.ledger.orders.ended(old["order_id"], "WORKER_LOST")
    play.engine.run_of(old["vtid"]).holder = None
    await play.offer(old["vtid"])
    assert (await play.claim("w2")).status_code == 200

    answer = await play.say(aged(old), "heartbeat")

    assert (answer.status_code, answer.json()["code"]) == (409, "LEASE_LOST")
    assert answer.json()["actual"]["worker"] == "w2"


async def test_a_lease_that_the_ledger_still_knows_is_not_called_lost(play: Play) -> None:
    """The run may be about to open it again, after an outage of ours."""
    grant = aged(await play.claimed())
    play.engine.run_of(grant["vtid"]).lease_open = False

    assert (await play.say(grant, "heartbeat")).json()["action"] == "continue"


async def test_a_ledger_outage_does_not_kill_a_healthy_lease(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = await play.claimed()
    writes: list[bool] = []

    async def beat(order_id: str, *, progressed: bool, progress: object) -> None:
        writes.append(progressed)
        if len(writes) == 1:
            raise LedgerUnavailable("away")

    monkeypatch.setattr(play.ledger.orders, "beat", beat)

    during = await play.say(grant, "heartbeat", progress={"files": 1})
    after = await play.say(grant, "heartbeat")

    assert [during.json()["action"], after.json()["action"]] == ["continue", "continue"]
    assert writes == [True, True]  # the progress of the outage is written with the next heartbeat


async def test_a_temporal_outage_does_not_kill_a_healthy_lease(play: Play) -> None:
    grant = await play.claimed()
    play.engine.down = True

    assert (await play.say(grant, "heartbeat")).json()["action"] == "continue"


async def test_a_forged_token_holds_no_lease(play: Play) -> None:
    grant = await play.claimed()
    lease = LeaseTokens(SIGNING_KEY).read(grant["lease"])
    grant["lease"] = LeaseTokens("another key that is also longer than 32 bytes").sign(lease)

    answer = await play.say(grant, "heartbeat")

    assert (answer.status_code, answer.json()["code"]) == (409, "LEASE_LOST")


async def test_the_same_evidence_twice_gets_the_same_answer(play: Play) -> None:
    grant = await play.claimed()

    answers = [await play.say(grant, "evidence", pr_url=PULL, head_sha=SHA) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


async def test_late_evidence_is_refused_and_kept(play: Play) -> None:
    grant = await play.claimed()
    play.engine.run_of(grant["vtid"]).holder = None

    answer = await play.say(grant, "evidence", pr_url=PULL, head_sha=SHA)

    assert (answer.status_code, answer.json()["code"]) == (409, "LEASE_LOST")
    assert await play.ledger.orders.late_claims(grant["run_id"]) == [PULL]


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("pr_url", {"pr_url": "https://github.com/acme/shop", "head_sha": SHA}),
        ("head_sha", {"pr_url": PULL, "head_sha": "abc"}),
        ("head_sha", {"pr_url": PULL}),
        ("colour", {"pr_url": PULL, "head_sha": SHA, "colour": "red"}),
    ],
)
async def test_evidence_of_a_wrong_shape_is_refused_by_field(
    play: Play, field: str, body: dict[str, str]
) -> None:
    grant = await play.claimed()

    answer = await play.say(grant, "evidence", **body)

    assert (answer.status_code, answer.json()["code"]) == (422, "VALIDATION")
    assert answer.json()["errors"][0]["field"] == field


async def test_fail_and_release_can_be_repeated(play: Play) -> None:
    for verb, body in (("fail", {"message": "no disk", "retryable": True}), ("release", {"reason": "bye"})):
        grant = await play.claimed()
        answers = [await play.say(grant, verb, **body) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize(
    ("verb", "body"),
    [("fail", {"message": "told to", "retryable": True}), ("release", {"reason": "told to"})],
)
async def test_the_confirmation_of_a_stop_can_be_repeated_and_another_word_is_late(
    play: Play, verb: str, body: dict[str, Any]
) -> None:
    grant = await play.claimed()
    await play.post(f"/runs/{grant['vtid']}/cancel", {"reason": "not needed"})

    answers = [await play.say(grant, verb, **body) for _ in range(2)]
    other = await play.say(grant, "release", reason="something else")

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert (other.status_code, other.json()["code"]) == (409, "LEASE_LOST")


async def test_a_worker_that_cannot_beat_is_held_to_progress_and_every_call_of_it_is_progress(
    play: Play,
) -> None:
    vtid = await play.run()
    order_id = await play.offer(vtid)

    grant = (await play.claim("model", mode="unattended")).json()
    await play.say(grant, "heartbeat")

    order = await play.ledger.orders.get(order_id)
    assert (grant["mode"], grant["deadlines"]["progress_seconds"]) == ("unattended", 1200)
    assert order.last_progress_at == order.last_beat_at is not None


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("fail", {"message": "SECRET", "retryable": True}),
        ("release", {"reason": "SECRET"}),
        ("evidence", {"pr_url": PULL, "head_sha": SHA, "summary": "SECRET"}),
    ],
)
async def test_what_a_worker_says_reaches_no_history_with_a_secret_in_it(
    play: Play, verb: str, body: dict[str, Any]
) -> None:
    token = "ghp_" + "a1B2" * 9
    said = {key: f"refused for {token}" if value == "SECRET" else value for key, value in body.items()}
    grant = await play.claimed()

    answer = await play.say(grant, verb, **said)

    told = repr(play.engine.run_of(grant["vtid"]))
    assert answer.status_code == 200
    assert "refused for [GitHub token masked]" in told
    assert token not in told
