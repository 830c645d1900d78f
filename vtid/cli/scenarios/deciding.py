"""Scenarios of people: starting twice, cancelling, and deciding about a blocked run."""

import asyncio

from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import MERGED, REPORTED, TOLD, Promise, Scenario
from vtid.domain.stages import Stage
from vtid.domain.task import TaskStatus


async def _cancel(drill: Drill) -> None:
    worker = await drill.hire("worker", "slow", "--work-seconds", "30")
    await drill.start()
    await drill.until(lambda: worker.has_said("heartbeat"), "the worker to be at work")
    await drill.cancel("priorities changed")
    await drill.until_over()
    await drill.until(lambda: worker.has_said("released"), "the worker to confirm")


CANCEL = Scenario(
    "cancel-while-working",
    "A person cancels while the worker works: it is told at its next heartbeat, stops, and confirms.",
    Promise(
        TaskStatus.CANCELLED,
        "WORKER",
        "CANCELLED",
        events={"run.cancelling": 1, "evidence.observed": 0, "verdict.reached": 0},
        claims={
            "the worker was told to stop, and why": lambda seen: (
                [line["reason"] for line in seen.told("worker", "told-to-stop")] == ["priorities changed"]
            ),
            "the run tells that the worker confirmed": lambda seen: (
                "confirmed the stop" in str((seen.run or {}).get("note"))
            ),
            "no pull request was opened": lambda seen: not seen.told("worker", "pull-opened"),
        },
    ),
    _cancel,
)


async def _cancel_queued(drill: Drill) -> None:
    await drill.start()
    await drill.until_event("work_order.offered")
    await drill.cancel("not needed any more")
    await drill.until_over()
    claim = {"worker_id": "too-late", "vtid": drill.vtid}
    drill.notes["claim"] = (await drill.ask("POST", "/api/v1/work-orders/claim", claim)).status_code


CANCEL_QUEUED = Scenario(
    "cancel-while-queued",
    "A person cancels before any worker came: the order is taken back, and nobody can claim it.",
    Promise(
        TaskStatus.CANCELLED,
        "WORKER",
        "CANCELLED",
        events={"work_order.claimed": 0, "work_order.withdrawn": 1},
        claims={"a claim finds no work": lambda seen: seen.notes["claim"] == 204},
    ),
    _cancel_queued,
)


async def _cancel_merging(drill: Drill) -> None:
    await drill.world.fault("PUT", "/merge", {"delay_s": 2})
    await drill.hire("worker")
    await drill.start()
    await drill.world.until_called("PUT", "/merge")
    await drill.cancel("too late")
    await drill.until_over()


CANCEL_MERGING = Scenario(
    "cancel-while-merging",
    "A person cancels while the merge is on its way: it is finished, and the end says so.",
    Promise(
        TaskStatus.CANCELLED,
        "DEPLOY",
        "CANCELLED",
        effects=MERGED,
        events={"change.merged": 1, "proof.recorded": 0},
        claims={
            "the note names the merged commit": lambda seen: (
                f"merged as {(seen.run or {})['merged']} before the cancel" in (seen.run or {})["note"]
            )
        },
    ),
    _cancel_merging,
)


async def _start_twice(drill: Drill) -> None:
    await drill.hire("worker")
    first, second = await asyncio.gather(drill.begin(), drill.begin())
    third = await drill.begin()
    drill.notes["runs"] = [answer["run_id"] for answer in (first, second, third)]
    await drill.until_decided()
    drill.notes["workflows"] = await drill.count_workflows()


START_TWICE = Scenario(
    "start-twice",
    "Two starts at the same moment, and a third one a little later, give one run.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"run.requested": 1, "run.started": 1, "work_order.offered": 1},
        claims={
            "every start was answered with the same run": lambda seen: (
                set(seen.notes["runs"]) == {(seen.run or {})["run_id"]}
            ),
            "Temporal knows one workflow of this VTID": lambda seen: seen.notes["workflows"] == 1,
        },
    ),
    _start_twice,
)


async def _retry(drill: Drill) -> None:
    await drill.world.behave({"deploy": {"conclusion": "failure"}})
    await drill.hire("worker")
    await drill.start()
    await drill.until_event("run.blocked")
    await drill.world.behave({"deploy": {"conclusion": "success"}})
    await drill.world.rerun_deploy()
    await drill.rescue("retry")
    await drill.until_over()
    drill.notes["letters"] = await drill.dead_letters()


RETRY = Scenario(
    "rescue-retry",
    "The deploy run failed; a person mends it, re-runs it and lets the stage be tried again: proven, merged once.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"run.blocked": 1, "run.resumed": 1, "change.merged": 1, "deploy.run_ended": 2},
        claims={
            "it was blocked by DEPLOY_RUN_FAILED": lambda seen: (
                [data["failure"]["code"] for data in seen.of("run.blocked")] == ["DEPLOY_RUN_FAILED"]
            ),
            "its dead letter is resolved by the retry": lambda seen: (
                [(letter["state"], letter["resolution"]) for letter in seen.notes["letters"]]
                == [("resolved", "retry")]
            ),
        },
    ),
    _retry,
)


async def _adopt(drill: Drill) -> None:
    unable = await drill.hire("unable", "fails")
    await drill.start()
    await drill.until_event("run.blocked")
    await unable.dismiss()
    pull = await drill.world.open_pull("by-hand", f"{drill.vtid}: done by hand")
    drill.notes["pull"] = pull["html_url"]
    await drill.rescue("adopt", pr_url=pull["html_url"], reason="built by hand")
    await drill.until_over()


ADOPT = Scenario(
    "rescue-adopt",
    "The workers could not do it; a person names a pull request, and it passes the same gates as any other.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"run.blocked": 1, "run.resumed": 1, "work_order.claimed": 3, "verdict.reached": 1},
        claims={
            "the evidence was adopted": lambda seen: (
                [data["source"] for data in seen.of("evidence.observed")] == ["adopted"]
            ),
            "what was merged is the named one": lambda seen: (
                [data["pull_request"] for data in seen.of("change.merged")] == [seen.notes["pull"]]
            ),
            "WORKER says skipped": lambda seen: seen.stage_status(Stage.WORKER) == "skipped",
        },
    ),
    _adopt,
)


async def _skip(drill: Drill) -> None:
    await drill.hire("worker", "denied-path")
    await drill.start()
    await drill.until_event("run.blocked")
    wrong = {"move": "skip", "rule": "VAL-RULE-007", "reason": "because"}
    refused = await drill.ask("POST", f"/api/v1/runs/{drill.vtid}/rescue", wrong)
    drill.notes["refused"] = refused.json()["code"]
    await drill.rescue("skip", rule="VAL-RULE-009", reason="reviewed by hand")
    await drill.until_over()


SKIP = Scenario(
    "rescue-skip",
    "A rule holds the change up and an approver lets it be: verdict and proof say skipped, by whom and why.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"run.blocked": 1, "run.resumed": 1, "verdict.reached": 2, "work_order.claimed": 1},
        claims={
            "it was blocked by SCOPE_VIOLATION": lambda seen: (
                [data["failure"]["code"] for data in seen.of("run.blocked")] == ["SCOPE_VIOLATION"]
            ),
            "the verdict says skipped, by whom and why": lambda seen: (
                [
                    (rule["rule"], rule["by"], rule["reason"])
                    for rule in (seen.run or {})["verdict"]["rules"]
                    if rule["answer"] == "skipped"
                ]
                == [("VAL-RULE-009", "bootstrap", "reviewed by hand")]
            ),
            "so does the proof": lambda seen: (
                [each["rule"] for each in (seen.run or {})["proof"]["skipped"]] == ["VAL-RULE-009"]
            ),
            "a rule that says whose commit it is cannot be skipped": lambda seen: (
                seen.notes["refused"] == "MOVE_NOT_OFFERED"
            ),
        },
    ),
    _skip,
)


async def _abandon(drill: Drill) -> None:
    await drill.world.behave({"checks": {"conclusion": "failure"}})
    await drill.hire("worker")
    await drill.start()
    await drill.until_event("run.blocked")
    await drill.rescue("abandon", reason="not worth it")
    await drill.until_over()
    drill.notes["letters"] = await drill.dead_letters()


ABANDON = Scenario(
    "rescue-abandon",
    "The checks stay red and a person gives it up: the run ends as a failure, and says who decided.",
    Promise(
        TaskStatus.REJECTED,
        "VALIDATOR",
        "ABANDONED",
        effects=TOLD,
        events={"run.blocked": 1, "run.resumed": 1, "run.finished": 1},
        claims={
            "the reason is told": lambda seen: "not worth it" in seen.sentence,
            "no decision is open any more": lambda seen: (
                [letter["state"] for letter in seen.notes["letters"]] == ["resolved"]
            ),
        },
    ),
    _abandon,
)


async def _built_anew(drill: Drill) -> None:
    await drill.world.behave({"deploy": {"conclusion": "failure"}})
    await drill.hire("worker")
    await drill.start()
    await drill.until_event("run.blocked")
    await drill.rescue("abandon", reason="the spec was wrong")
    await drill.until_event("run.finished")
    await drill.world.behave({"deploy": {"conclusion": "success"}})
    await drill.edit_spec(approve=True)
    await drill.begin()
    await drill.until_event("run.finished", times=2)


BUILT_ANEW = Scenario(
    "spec-edited-after-merge",
    "A change was merged, then its spec was edited: the next run builds the new spec, and does not prove the old change.",
    Promise(
        TaskStatus.COMPLETED,
        effects={**REPORTED, "merge": 2, "check_run": 2, "comment": 2},
        events={"run.started": 2, "work_order.claimed": 2, "change.merged": 2, "change.found_merged": 0},
        claims={
            "the merged change is told, and why it does not count": lambda seen: (
                [data["url"] for data in seen.of("change.passed_over")]
                == [data["pull_request"] for data in seen.of("change.merged")][:1]
            ),
        },
    ),
    _built_anew,
)

SCENARIOS = (CANCEL, CANCEL_QUEUED, CANCEL_MERGING, START_TWICE, RETRY, ADOPT, SKIP, ABANDON, BUILT_ANEW)
