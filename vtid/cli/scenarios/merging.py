"""Scenarios of what happens between the checks and the merge."""

from vtid.cli.scenarios.calls import Json
from vtid.cli.scenarios.courses import works
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import REPORTED, TOLD, Promise, Scenario
from vtid.domain.task import TaskStatus


async def _on_page_two(drill: Drill) -> None:
    """A hundred checks and one more: the one that matters stands on GitHub's second page."""
    await drill.world.behave(
        {"checks": {"names": [*(f"job-{n:03}" for n in range(100)), "ci"], "after_s": 3}}
    )
    worker = await drill.hire("worker")
    await drill.start()
    await drill.until(lambda: worker.has_said("pull-opened"), "the pull request")
    await drill.world.check(worker.line("pull-opened")["head_sha"], "failure")
    await drill.until_decided()


PAGE_TWO = Scenario(
    "checks-on-page-two",
    "A hundred checks are green, and the required one, on the second page, is red.",
    Promise(
        TaskStatus.BLOCKED,
        "VALIDATOR",
        "CHECKS_FAILED",
        effects=TOLD,
        events={"verdict.reached": 1},
        may_skip=True,
        claims={
            "only the rule of the checks fails": lambda seen: seen.failed_rules() == {"VAL-RULE-010"},
            "the verdict has seen all hundred and one": lambda seen: (
                len(seen.rule("VAL-RULE-010")["inputs"]["seen"]) == 101
            ),
        },
    ),
    _on_page_two,
    environment="drill-strict",
)


async def _flips(drill: Drill) -> None:
    """The verdict is on its way to the pull request when somebody runs the check again, and it fails."""
    await drill.world.fault("POST", "check-runs", {"delay_s": 2})
    worker = await drill.hire("worker")
    await drill.start()
    await drill.world.until_called("POST", "/check-runs")
    await drill.world.check(worker.line("pull-opened")["head_sha"], "failure")
    await drill.until_decided()


FLIPS = Scenario(
    "check-flips-before-merge",
    "The checks were green for the verdict; right before the merge one is red: no merge, and a new verdict.",
    Promise(
        TaskStatus.BLOCKED,
        "VALIDATOR",
        "CHECKS_FAILED",
        effects=TOLD,
        events={"verdict.reached": 2, "verdict.voided": 1, "change.merged": 0},
        may_skip=True,
        claims={"no merge was sent": lambda seen: not seen.calls("PUT", "/merge")},
    ),
    _flips,
    environment="drill-strict",
)

_BASE_MODIFIED: Json = {
    "status": 405,
    "body": {"message": "Base branch was modified. Review and try the merge again."},
}


async def _base_moves(drill: Drill) -> None:
    """Somebody pushes to the base, and GitHub refuses the first merge because of it."""
    await drill.world.fault("PUT", "/merge", _BASE_MODIFIED)
    worker = await drill.hire("worker")
    await drill.start()
    await drill.until(lambda: worker.has_said("pull-opened"), "the pull request")
    drill.notes["base"] = await drill.world.commit("services/elsewhere.py", "elsewhere = 1\n")
    await drill.until_decided()
    drill.notes["history"] = [each["sha"] for each in await drill.world.github("GET", "commits")]


BASE_MOVES = Scenario(
    "base-moves",
    "The base branch moves while the merge is sent: GitHub's refusal passes, and the merge is sent again.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"verdict.reached": 1, "change.merged": 1, "run.blocked": 0},
        claims={
            "the first merge was refused, the second taken": lambda seen: (
                [entry["status"] for entry in seen.calls("PUT", "/merge")] == [405, 200]
            ),
            "both commits are on the base": lambda seen: (
                {seen.notes["base"], (seen.run or {})["merged"]} <= set(seen.notes["history"])
            ),
        },
    ),
    _base_moves,
)

_REVIEW_NEEDED: Json = {
    "status": 405,
    "body": {"message": "At least 1 approving review is required by reviewers with write access."},
}


async def _refused(drill: Drill) -> None:
    await drill.world.fault("PUT", "/merge", _REVIEW_NEEDED, times=None)
    await works()(drill)


REFUSED = Scenario(
    "merge-refused-by-policy",
    "GitHub's own rules want a review that nobody gave: the refusal is told in its words, and not tried again.",
    Promise(
        TaskStatus.BLOCKED,
        "DEPLOY",
        "MERGE_REFUSED",
        effects=TOLD,
        events={"verdict.reached": 1, "change.merged": 0},
        claims={
            "GitHub's words are told": lambda seen: "approving review is required" in seen.sentence,
            "the merge was sent once": lambda seen: len(seen.calls("PUT", "/merge")) == 1,
        },
    ),
    _refused,
)


VERDICT_REQUIRED = Scenario(
    "verdict-required-by-branch",
    "The branch takes no merge without our own check: it is written first, and does not wait for itself.",
    Promise(
        TaskStatus.COMPLETED,
        effects=REPORTED,
        events={"verdict.reached": 1, "run.blocked": 0},
        claims={"the merge was sent once": lambda seen: len(seen.calls("PUT", "/merge")) == 1},
    ),
    works(protection={"required_checks": ["ci", "vtid"]}),
)

SCENARIOS = (PAGE_TWO, FLIPS, BASE_MOVES, REFUSED, VERDICT_REQUIRED)
