"""Scenarios of a branch with a merge queue: what enters it, what it merges or drops, and what is taken out of it."""

from collections.abc import Mapping

from vtid.cli.scenarios.calls import Json
from vtid.cli.scenarios.courses import works
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import TOLD, Claim, Promise, Scenario
from vtid.cli.scenarios.seen import Seen
from vtid.domain.task import TaskStatus

_QUEUED: dict[str, int] = {"enqueue": 1, **TOLD}


async def _with_queue(drill: Drill, **queue: Json | str | float) -> None:
    """The base takes changes from its merge queue only, and requires `ci`."""
    await drill.world.behave({"queue": {"enabled": True, **queue}, "protection": {"required_checks": ["ci"]}})


def _sends_no_merge(seen: Seen) -> bool:
    return not seen.calls("PUT", "/merge")


async def _merged(drill: Drill) -> None:
    """Somebody's change waits behind ours, and the queue merges both at once: the base moves to theirs."""
    await _with_queue(drill, together=2)
    other = await drill.world.open_pull("somebody/elses", "Not of any task")
    await drill.world.check(other["head_sha"], "success")
    await drill.world.behave({"checks": {"after_s": 1.5}})
    await drill.hire("worker")
    await drill.start()
    await drill.until_event("change.queued")
    await drill.world.queue_up(other["number"])
    await drill.until_decided()
    drill.notes["base"] = await drill.world.base_head()


MERGED = Scenario(
    "merge-queue",
    "The base has a merge queue: it is entered once, merges ours together with somebody's, and what serves contains our commit.",
    Promise(
        TaskStatus.COMPLETED,
        effects={**_QUEUED, "deployment": 1, "deployment_status": 1},
        events={
            "change.queued": 1,
            "change.dequeued": 0,
            "change.merged": 1,
            "verdict.reached": 1,
            "run.blocked": 0,
        },
        claims={
            "no merge was sent": _sends_no_merge,
            "the base is the last of the group, and our commit is another one": lambda seen: (
                seen.notes["base"] != (seen.run or {})["merged"]
            ),
            "the deploy run of the group is the one that contains ours": lambda seen: (
                seen.link("actions_run")["match"] == "contains"
            ),
        },
    ),
    _merged,
)


def _dropped(claims: Mapping[str, Claim]) -> Promise:
    """Entered once, dropped by the queue, and never merged."""
    return Promise(
        TaskStatus.BLOCKED,
        "DEPLOY",
        "MERGE_REFUSED",
        effects=_QUEUED,
        events={"change.queued": 1, "change.dequeued": 1, "change.merged": 0},
        claims=claims,
    )


async def _drops(drill: Drill) -> None:
    await _with_queue(drill, conclusion="failure")
    await works()(drill)


DROPPED = Scenario(
    "merge-queue-drops",
    "The checks of the queue's group fail: the queue drops the change, and the run blocks with the reason and the check.",
    _dropped(
        {
            "no merge was sent": _sends_no_merge,
            "GitHub's word and the red check are told": lambda seen: (
                "failed_checks" in seen.sentence and "ci failure" in seen.sentence
            ),
        }
    ),
    _drops,
)

_CI = "on:\n  pull_request:\n\njobs:\n  ci:\n    runs-on: ubuntu-latest\n"


async def _without_trigger(drill: Drill) -> None:
    await drill.world.commit(".github/workflows/ci.yml", _CI)
    await _with_queue(drill, timeout_s=2)
    asked = f"/api/v1/environments/drill/merge-queue?repository={drill.world.repository}"
    drill.notes["foretold"] = (await drill.call("GET", asked))["findings"]
    await works()(drill)


NO_TRIGGER = Scenario(
    "merge-queue-without-trigger",
    "The workflow of the required check does not listen to merge_group: the check never comes, and the run says why.",
    _dropped(
        {
            "it was told before, with the file": lambda seen: any(
                each["state"] == "fail" and ".github/workflows/ci.yml" in each["says"]
                for each in seen.notes["foretold"]
            ),
            "the missing check and the trigger are named": lambda seen: (
                "ci never came" in seen.sentence and "merge_group" in seen.sentence
            ),
        }
    ),
    _without_trigger,
)


async def _cancelled(drill: Drill) -> None:
    """The group's checks would take a minute; nobody waits for them."""
    await _with_queue(drill)
    worker = await drill.hire("worker")
    await drill.start()
    await drill.until(lambda: worker.has_said("pull-opened"), "the pull request")
    await drill.world.behave({"checks": {"after_s": 60}})
    await drill.until_event("change.queued")
    await drill.cancel("not wanted any more")
    await drill.until_over()


CANCELLED = Scenario(
    "cancel-in-the-queue",
    "A run is cancelled while its change waits in the merge queue: it is taken out, and nothing is merged after the cancel.",
    Promise(
        TaskStatus.CANCELLED,
        "DEPLOY",
        "CANCELLED",
        effects={**_QUEUED, "dequeue": 1},
        events={"change.queued": 1, "change.dequeued": 1, "change.merged": 0},
        claims={
            "it is told that it was taken out": lambda seen: (
                "taken out of the merge queue" in ((seen.run or {})["note"] or "")
            ),
        },
    ),
    _cancelled,
)

SCENARIOS = (MERGED, DROPPED, NO_TRIGGER, CANCELLED)
