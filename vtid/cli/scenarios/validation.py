"""Scenarios of VALIDATOR and merge: what must not pass, what must pass once, and what moves in between."""

from vtid.cli.scenarios.calls import Json
from vtid.cli.scenarios.courses import works
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import REPORTED, TOLD, Promise, Scenario
from vtid.cli.scenarios.seen import Seen
from vtid.domain.rules import may_skip
from vtid.domain.stages import Stage
from vtid.domain.task import TaskStatus


def _refused(code: str, *rules: str, repairs: int = 0) -> Promise:
    """Blocked in VALIDATOR by exactly these rules, after so many repairs, without a merge."""
    told = (
        f"exactly {', '.join(rules)} fails" if rules else "no rule fails: what could not be asked is no yes"
    )
    return Promise(
        TaskStatus.BLOCKED,
        "VALIDATOR",
        code,
        effects=TOLD,
        events={
            "work_order.claimed": 1 + repairs,
            "verdict.reached": 1 + repairs,
            "repair.ordered": repairs,
        },
        may_skip=not rules or any(may_skip(rule) for rule in rules),
        claims={
            told: lambda seen: seen.failed_rules() == set(rules),
            "the verdict did not pass": lambda seen: not (seen.run or {})["verdict"]["passed"],
        },
    )


EMPTY_DIFF = Scenario(
    "empty-diff",
    "The pull request changes no file: no merge, however green it is.",
    _refused("VALIDATION_FAILED", "VAL-RULE-008"),
    works("empty-diff"),
)

WRONG_VTID = Scenario(
    "wrong-vtid-in-pr",
    "Title, body and branch of the pull request name another VTID.",
    _refused("VALIDATION_FAILED", "VAL-RULE-011"),
    works("wrong-vtid"),
)

DENIED_PATH = Scenario(
    "denied-path",
    "The change touches secrets/, which the environment's policy denies.",
    _refused("SCOPE_VIOLATION", "VAL-RULE-009"),
    works("denied-path"),
)


async def _spec_changed(drill: Drill) -> None:
    worker = await drill.hire("worker", "slow", "--work-seconds", "2")
    await drill.start()
    await drill.until(lambda: worker.has_said("claimed"), "the worker to claim")
    await drill.edit_spec()
    await drill.until_decided()


SPEC_CHANGED = Scenario(
    "spec-changed-while-running",
    "Somebody edits the spec while the worker builds the old one: the result is not merged.",
    Promise(
        TaskStatus.BLOCKED,
        "VALIDATOR",
        "SPEC_HASH_MISMATCH",
        effects=TOLD,
        events={"approval.voided": 1, "verdict.reached": 1},
        claims={"exactly VAL-RULE-002 fails": lambda seen: seen.failed_rules() == {"VAL-RULE-002"}},
    ),
    _spec_changed,
)


async def _approval_void(drill: Drill) -> None:
    await drill.create()
    await drill.edit_spec()
    answer = await drill.ask("POST", "/api/v1/runs", {"vtid": drill.vtid})
    drill.notes["refusal"] = answer.json() | {"status": answer.status_code}


APPROVAL_VOID = Scenario(
    "approval-void-after-edit",
    "The approved spec was edited before the start: the start is refused, and there is no run.",
    Promise(
        TaskStatus.ALLOCATED,
        None,
        "SPEC_NOT_APPROVED",
        events={"approval.voided": 1, "run.requested": 0, "run.started": 0},
        claims={
            "the start was answered with 409": lambda seen: seen.notes["refusal"]["status"] == 409,
            "no run exists": lambda seen: seen.run is None and (seen.task or {})["run"] is None,
        },
    ),
    _approval_void,
)


CHECKS_STAY_RED = Scenario(
    "checks-stay-red",
    "CI says no, and says it again after the worker was asked to mend it: then a person must decide.",
    _refused("CHECKS_FAILED", "VAL-RULE-010", repairs=1),
    works(checks={"conclusion": "failure"}),
)


async def _repaired(drill: Drill) -> None:
    await drill.world.behave({"checks": {"fails_on": "FIXME"}})
    worker = await drill.hire("worker", "careless")
    await drill.start()
    await drill.until_event("repair.ordered")
    await drill.until(lambda: len(worker.said_of("claimed")) == 2, "the worker to take the repair")
    drill.notes["repairing"] = await drill.call("GET", f"/api/v1/runs/{drill.vtid}")
    await drill.until_decided()


CHECKS_REPAIRED = Scenario(
    "checks-red-then-repaired",
    "CI says no; the worker gets what the red check says, mends it on the same branch, and it goes through.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={
            "repair.ordered": 1,
            "work_order.claimed": 2,
            "verdict.reached": 2,
            "change.merged": 1,
            "run.blocked": 0,
        },
        claims={
            "the order names the red check, and brings the end of its log": lambda seen: (
                [(each["name"], each["says"], "FAILED services/" in each["log"]) for each in _findings(seen)]
                == [("ci", "failure", True)]
            ),
            "meanwhile the task was in progress again, in WORKER": lambda seen: (
                (seen.notes["repairing"]["status"], seen.notes["repairing"]["stage"])
                == ("in_progress", "WORKER")
            ),
            "it was mended on the same pull request": lambda seen: (
                len({line["url"] for line in seen.told("worker", "pull-opened")}) == 1
            ),
            "what was merged is the mended head": lambda seen: (
                seen.of("repair.ordered")[0]["head_sha"] != seen.of("verdict.reached")[-1]["head_sha"]
            ),
        },
    ),
    _repaired,
)


def _findings(seen: Seen) -> list[Json]:
    findings: list[Json] = seen.of("repair.ordered")[0]["findings"]
    return findings


CHECKS_NEVER_REGISTERED = Scenario(
    "checks-never-registered",
    "CI never starts: no check is no green.",
    _refused("CHECKS_MISSING"),
    works(checks={"auto": False}),
)


CHECK_SKIPPED = Scenario(
    "check-skipped",
    "CI skips the required check: GitHub itself would let it pass, we do not.",
    _refused("CHECKS_FAILED", "VAL-RULE-010", repairs=1),
    works(checks={"conclusion": "skipped"}),
)


async def _conflict(drill: Drill) -> None:
    await drill.world.behave({"checks": {"after_s": 4}})  # time for somebody else
    worker = await drill.hire("worker")
    await drill.start()
    await drill.until(lambda: worker.has_said("pull-opened"), "the pull request")
    path = f"services/{drill.world.service}/{drill.vtid.lower().replace('-', '_')}.py"
    await drill.world.commit(path, "ANSWER = 'another one'\n")
    await drill.until_decided()


MERGE_CONFLICT = Scenario(
    "merge-conflict",
    "Somebody else changes the same lines on the base branch.",
    _refused("MERGE_CONFLICT", "VAL-RULE-013"),
    _conflict,
)


async def _head_moves(drill: Drill) -> None:
    """The merge is sent, and takes so long on its way that the head moves before it arrives."""
    await drill.world.fault("PUT", "/merge", {"delay_s": 2.5})
    await drill.hire("worker")
    await drill.start()
    await drill.world.until_called("PUT", "/merge")
    drill.notes["pushed"] = await drill.world.push(1)
    await drill.until_decided()
    drill.notes["pull"] = await drill.world.github("GET", "pulls/1")


HEAD_MOVES = Scenario(
    "head-moves-after-validate",
    "A commit is pushed between verdict and merge: it is validated again, and only then merged.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED | {"check_run": 2},  # one on each head
        events={"change.head_moved": 1, "verdict.reached": 2, "change.merged": 1, "work_order.claimed": 1},
        claims={
            "GitHub refused the merge of the old head": lambda seen: (
                [entry["status"] for entry in seen.calls("PUT", "/merge")] == [409, 200]
            ),
            "the last verdict is about the new head": lambda seen: (
                (seen.run or {})["verdict"]["head_sha"] == seen.notes["pushed"]
            ),
            "what was merged is the new head": lambda seen: (
                seen.notes["pull"]["merged"] and seen.notes["pull"]["head"]["sha"] == seen.notes["pushed"]
            ),
        },
    ),
    _head_moves,
)


async def _answer_lost(drill: Drill) -> None:
    await drill.world.fault("PUT", "/merge", {"lose_answer": True})
    await works()(drill)


ANSWER_LOST = Scenario(
    "merge-answer-lost",
    "GitHub merges, and the connection breaks before it says so: the run reads instead of merging again.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"change.merged": 1, "verdict.reached": 1},
        claims={
            "the one answer to the one merge was lost": lambda seen: (
                [entry["fault"] for entry in seen.calls("PUT", "/merge")] == ["lose_answer"]
            ),
            "DEPLOY was not blocked": lambda seen: (
                seen.count("run.blocked") == 0 and seen.stage_status(Stage.DEPLOY) == "success"
            ),
        },
    ),
    _answer_lost,
)

SCENARIOS = (
    EMPTY_DIFF,
    WRONG_VTID,
    DENIED_PATH,
    SPEC_CHANGED,
    APPROVAL_VOID,
    CHECKS_STAY_RED,
    CHECKS_REPAIRED,
    CHECKS_NEVER_REGISTERED,
    CHECK_SKIPPED,
    MERGE_CONFLICT,
    HEAD_MOVES,
    ANSWER_LOST,
)
