"""Scenarios of the WORKER stage: who picks up, who lives, who answers, and who answers too late."""

from vtid.cli.scenarios.courses import works
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import REPORTED, Promise, Scenario
from vtid.domain.stages import Stage
from vtid.domain.task import TaskStatus

HAPPY_PATH = Scenario(
    "happy-path",
    "An approved spec is built, validated, merged, deployed and proven, without a person.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"work_order.claimed": 1, "verdict.reached": 1, "change.merged": 1, "attempt.ended": 0},
        claims={
            "all four stages say success": lambda seen: all(
                seen.stage_status(stage) == "success" for stage in Stage
            ),
            "the proof is complete, and its traffic is exactly the merged commit": lambda seen: (
                bool(seen.run and seen.run["proof"]["complete"])
                and seen.link("traffic").get("match") == "exact"
            ),
        },
    ),
    works(),
)


async def _nobody(drill: Drill) -> None:
    await drill.start()
    await drill.until_decided()
    drill.notes["dead letters"] = await drill.call("GET", "/api/v1/dead-letters?code=PICKUP_TIMEOUT")


NOBODY_PICKS_UP = Scenario(
    "nobody-picks-up",
    "No worker is there: the order is offered three times, each time an alarm rings, then a person must decide.",
    Promise(
        TaskStatus.BLOCKED,
        "WORKER",
        "PICKUP_TIMEOUT",
        events={"work_order.offered": 3, "work_order.unclaimed": 3, "work_order.claimed": 0},
        claims={
            "every alarm says that nobody was there": lambda seen: all(
                data["present"] == 0 for data in seen.of("work_order.unclaimed")
            ),
            "it stands among the dead letters": lambda seen: any(
                seen.run and letter["run_id"] == seen.run["run_id"]
                for letter in seen.notes["dead letters"]["items"]
            ),
        },
    ),
    _nobody,
    alone=True,  # while a worker is busy anywhere, a run waits for it instead of giving up
)


async def _two_for_one(drill: Drill) -> None:
    await drill.hire("one")
    await drill.hire("two")
    await drill.start()
    await drill.until_decided()


TWO_WORKERS_ONE_ORDER = Scenario(
    "two-workers-one-order",
    "Two workers wait for the same order: exactly one gets it, and one change is made.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"work_order.offered": 1, "work_order.claimed": 1},
        claims={
            "exactly one worker was given the order": lambda seen: (
                len(seen.told("one", "claimed")) + len(seen.told("two", "claimed")) == 1
            ),
            "one pull request was opened": lambda seen: (
                len(seen.told("one", "pull-opened")) + len(seen.told("two", "pull-opened")) == 1
            ),
        },
    ),
    _two_for_one,
)


async def _dies(drill: Drill) -> None:
    mortal = await drill.hire("mortal", "dies")
    await drill.start()
    await drill.until(lambda: mortal.has_said("died"), "the worker to die")
    await drill.hire("second")
    await drill.until_decided()


WORKER_DIES = Scenario(
    "worker-dies-mid-work",
    "The worker is killed in the middle: its silence ends the attempt, and a second worker finishes.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"work_order.offered": 2, "work_order.claimed": 2, "attempt.ended": 1},
        claims={
            "the first attempt ended WORKER_LOST": lambda seen: seen.codes_of_attempts() == ["WORKER_LOST"],
            "the second worker did it": lambda seen: bool(seen.told("second", "evidence-accepted")),
        },
    ),
    _dies,
)


async def _zombie(drill: Drill) -> None:
    zombie = await drill.hire("zombie", "zombie")
    await drill.start()
    await drill.until(lambda: zombie.has_said("claimed"), "the zombie to claim")
    zombie.freeze()
    await drill.hire("second")
    await drill.until_event("change.merged")
    zombie.thaw()
    await drill.until(lambda: zombie.has_said("lease-lost"), "the zombie to be refused")
    await drill.until_decided()


ZOMBIE = Scenario(
    "zombie-late-result",
    "A worker falls silent, another one finishes, and then the first one has a result after all: refused, and kept.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"work_order.claimed": 2, "attempt.ended": 1, "claim.late": 1, "evidence.claimed": 1},
        claims={
            "the zombie was told 409 LEASE_LOST": lambda seen: (
                [
                    (line["call"], line["status"], line["body"]["code"])
                    for line in seen.told("zombie", "lease-lost")
                ]
                == [("evidence", 409, "LEASE_LOST")]
            ),
            "its late answer is kept with its pull request": lambda seen: (
                [data["pr_url"] for data in seen.of("claim.late")]
                == [line["url"] for line in seen.told("zombie", "pull-opened")]
            ),
            "what was merged is the second worker's": lambda seen: (
                [data["pull_request"] for data in seen.of("change.merged")]
                == [line["url"] for line in seen.told("second", "pull-opened")]
            ),
        },
    ),
    _zombie,
)


async def _hung(drill: Drill) -> None:
    hung = await drill.hire("hung", "hung")
    await drill.start()
    await drill.until(lambda: hung.has_said("pull-opened"), "the pull request")
    await drill.until_decided()


DONE_BUT_HUNG = Scenario(
    "worker-done-but-hung",
    "The worker opened its pull request and hangs before it says so: the evidence is found on GitHub.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"work_order.claimed": 1, "attempt.ended": 0, "evidence.claimed": 0, "evidence.observed": 1},
        claims={
            "the evidence was found, not handed in": lambda seen: (
                [data["source"] for data in seen.of("evidence.observed")] == ["found"]
            ),
            "the worker was told to stop": lambda seen: bool(seen.told("hung", "told-to-stop")),
        },
    ),
    _hung,
)


REPORTS_FAILURE = Scenario(
    "worker-reports-failure",
    "The worker says each time that it cannot do it: three attempts, then a person must decide.",
    Promise(
        TaskStatus.BLOCKED,
        "WORKER",
        "WORKER_FAILED",
        events={"work_order.claimed": 3, "attempt.ended": 3, "evidence.observed": 0},
        claims={
            "every attempt ended WORKER_FAILED": lambda seen: (
                seen.codes_of_attempts() == ["WORKER_FAILED"] * 3
            ),
            "the failure carries the worker's words": lambda seen: "could not do it" in seen.sentence,
        },
    ),
    works("fails", "unable"),
)


LIES = Scenario(
    "worker-lies-no-pr",
    "The worker hands in a pull request that nobody ever opened: refused each time, and nothing is merged.",
    Promise(
        TaskStatus.BLOCKED,
        "WORKER",
        "EVIDENCE_REFUSED",
        events={"work_order.claimed": 3, "evidence.refused": 3, "evidence.observed": 0, "verdict.reached": 0},
        claims={
            "claim and fact stand side by side: claimed, and nothing observed": lambda seen: (
                bool(seen.run and seen.run["evidence"]["claimed"])
                and not (seen.run or {})["evidence"]["observed"]
            ),
            "each lie is a contradiction that the view keeps": lambda seen: (
                [each["field"] for each in (seen.run or {})["evidence"]["contradictions"]]
                == ["pull_request"] * 3
            ),
            "VALIDATOR never began": lambda seen: seen.stage_status(Stage.VALIDATOR) == "pending",
        },
    ),
    works("lies", "liar"),
)


BEATS_WITHOUT_PROGRESS = Scenario(
    "worker-beats-without-progress",
    "The worker lives and nothing moves: heartbeats are no progress, and no attempt is endless.",
    Promise(
        TaskStatus.BLOCKED,
        "WORKER",
        "EVIDENCE_TIMEOUT",
        events={"work_order.claimed": 3, "attempt.ended": 3, "evidence.observed": 0},
        claims={
            "every attempt ended EVIDENCE_TIMEOUT": lambda seen: (
                seen.codes_of_attempts() == ["EVIDENCE_TIMEOUT"] * 3
            ),
            "each time the worker was told to stop": lambda seen: (
                len(seen.told("still", "told-to-stop")) >= 2
            ),
        },
    ),
    works("beats-only", "still"),
)


async def _all_busy(drill: Drill) -> None:
    """One worker for two tasks: it is busy with the more urgent one, which a person then cancels."""
    other = await drill.another_task(priority=1)
    worker = await drill.hire("worker", "slow", "--work-seconds", "6", for_any=True)
    await drill.call("POST", "/api/v1/runs", {"vtid": other})
    await drill.until(lambda: worker.has_said("claimed"), "the worker to be busy")
    await drill.start()
    alarm = await drill.until_event("work_order.unclaimed")
    drill.notes["alarm"] = {key: alarm[key] for key in ("present", "free", "busy")}
    drill.notes["waiting"] = (await drill.until_event("wait.started", who="worker"))["for"]
    drill.notes["workers"] = (await drill.call("GET", "/api/v1/workers"))["items"]
    await drill.call("POST", f"/api/v1/runs/{other}/cancel", {"reason": "the other one is more urgent"})
    await drill.until_decided()


ALL_WORKERS_BUSY = Scenario(
    "all-workers-busy",
    "Every worker is busy: that is not nobody. The run says that it waits for a free worker, and gets the first one.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={
            "work_order.offered": 1,
            "work_order.unclaimed": 1,
            "work_order.claimed": 1,
            "run.blocked": 0,
        },
        claims={
            "it waited for a free worker, and said how many are busy": lambda seen: (
                seen.notes["waiting"] == "a free worker (1 busy)"
            ),
            "the alarm rang all the same, and told who is there": lambda seen: (
                seen.notes["alarm"] == {"present": 1, "free": 0, "busy": 1}
            ),
            "GET /workers says who is busy with what": lambda seen: (
                [each["state"] for each in seen.notes["workers"] if each["holding"]] == ["busy"]
            ),
        },
    ),
    _all_busy,
    alone=True,
)


PR_FROM_FORK = Scenario(
    "pr-from-fork",
    "The pull request comes from somebody else's fork: it is no evidence.",
    Promise(
        TaskStatus.BLOCKED,
        "WORKER",
        "EVIDENCE_REFUSED",
        events={"evidence.refused": 3, "evidence.observed": 0},
        claims={"the fork is named": lambda seen: "fork somebody-else/" in seen.sentence},
    ),
    works("from-fork", "stranger"),
)

SCENARIOS = (
    HAPPY_PATH,
    NOBODY_PICKS_UP,
    TWO_WORKERS_ONE_ORDER,
    WORKER_DIES,
    ZOMBIE,
    DONE_BUT_HUNG,
    REPORTS_FAILURE,
    LIES,
    BEATS_WITHOUT_PROGRESS,
    ALL_WORKERS_BUSY,
    PR_FROM_FORK,
)
