from datetime import timedelta

from tests.ledger.builders import NOON, VALIDATOR, WORKER, Course, failure, started
from vtid.ledger import Ledger
from vtid.ledger.statistics import Ending

DAY = NOON.date()
SINCE = NOON - timedelta(hours=1)


async def test_stages_take_from_their_begin_to_their_success(ledger: Ledger) -> None:
    await (await started(ledger)).completes()

    stages = (await ledger.statistics.read(since=SINCE)).stages

    # Each event of a course is told one second after the one before.
    assert stages == {"PLANNER": [2.0], "WORKER": [2.0], "VALIDATOR": [1.0], "DEPLOY": [2.0], "run": [12.0]}


async def test_endings_are_counted_by_code(ledger: Ledger) -> None:
    await (await started(ledger, "VTID-00001", "start-1", "run-1")).completes()
    await (await started(ledger, "VTID-00002", "start-2", "run-2")).fails()
    await (await started(ledger, "VTID-00003", "start-3", "run-3")).fails()
    await (await started(ledger, "VTID-00004", "start-4", "run-4")).works()
    await ledger.runs.terminated("start-4", status="TERMINATED", message="by hand")

    endings = (await ledger.statistics.read(since=SINCE)).endings

    assert endings == [
        Ending("rejected", "failure", "CHECKS_FAILED", 2),
        Ending("completed", "success", None, 1),
        Ending("rejected", "error", "ENGINE_TERMINATED", 1),
    ]


async def test_days_count_what_began_blocked_and_ended(ledger: Ledger) -> None:
    await (await started(ledger, "VTID-00001", "start-1", "run-1")).completes()
    await (await started(ledger, "VTID-00002", "start-2", "run-2")).blocks()

    assert (await ledger.statistics.read(since=SINCE)).days == {
        (DAY, "started"): 2,
        (DAY, "completed"): 1,
        (DAY, "blocked"): 1,
    }


async def test_an_order_that_nobody_took_is_detected_after_its_offer(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.works()
    await course.tell(("work_order.offered", WORKER, {"order_id": "order-1", "offer": 1, "attempt": 1}))
    await course.tell(("work_order.unclaimed", WORKER, {"order_id": "order-1", "seconds": 60}))

    assert (await ledger.statistics.read(since=SINCE)).detections["not_picked_up"] == [1.0]


async def test_a_lost_worker_is_detected_after_its_last_heartbeat(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.is_claimed()
    await course.tell(("attempt.ended", WORKER, {"attempt": 1, "worker": "w1", "code": "WORKER_LOST"}))

    assert (await ledger.statistics.read(since=SINCE)).detections["worker_lost"] == [1.0]


async def test_red_checks_and_refuted_claims_have_their_own_clock(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.works()
    await course.tell(
        ("evidence.claimed", WORKER, {"pr_url": "https://github.com/acme/shop/pull/1"}),
        ("evidence.refused", WORKER, {"reason": "no such pull request"}),
    )
    await _blocked_on_checks(course)

    detections = (await ledger.statistics.read(since=SINCE)).detections

    assert (detections["claim_refuted"], detections["checks_red"]) == ([1.0], [3.0])


async def test_what_lies_before_the_span_or_elsewhere_does_not_count(ledger: Ledger) -> None:
    await (await started(ledger)).completes()

    later = await ledger.statistics.read(since=NOON + timedelta(hours=1))
    elsewhere = await ledger.statistics.read(since=SINCE, environment="production")
    here = await ledger.statistics.read(since=SINCE, environment="dev")

    assert (later.endings, later.days, later.stages["run"]) == ([], {}, [])
    assert (elsewhere.endings, elsewhere.days, elsewhere.stages) == ([], {}, {"run": []})
    assert (len(here.endings), len(here.stages), here.truncated) == (1, 5, False)


async def _blocked_on_checks(course: Course) -> None:
    pull = {"url": "https://github.com/acme/shop/pull/7", "number": 7, "head_sha": "a" * 40}
    await course.tell(
        ("evidence.observed", WORKER, {"source": "handed_in", "pull_request": pull}),
        ("stage.finished", WORKER, {"status": "success"}),
        ("stage.started", VALIDATOR, {}),
        ("run.blocked", VALIDATOR, {"failure": failure(), "until": None}),
    )
