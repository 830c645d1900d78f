"""Why a change may not be merged: told at any time, by the run's own rules, over facts of this moment."""

from dataclasses import replace
from typing import Any

import pytest

from tests.api.conftest import Staging
from tests.api.stage import PULL, SHA, Play
from tests.workflows.world import GitHub
from vtid.domain.change import CheckState
from vtid.domain.errors import Unavailable
from vtid.domain.stages import Stage, StageStatus


@pytest.fixture
def github() -> GitHub:
    return GitHub()


@pytest.fixture
def play(staging: Staging, github: GitHub) -> Play:
    return staging(code_host=github)


def opens(github: GitHub, vtid: str, **changes: Any) -> None:
    branch = f"claude/{vtid.lower()}-x"
    github.open_pull(branch=branch, title=f"{vtid}: do it", head_sha=SHA, vtids=(vtid,), **changes)


async def explained(play: Play, vtid: str) -> dict[str, Any]:
    answer = await play.get(f"/runs/{vtid}/explain")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def answers(told: dict[str, Any]) -> dict[str, str]:
    return {rule["rule"]: rule["answer"] for rule in told["rules"]}


async def with_evidence(play: Play, vtid: str) -> None:
    """The run's worker has handed in the pull request."""
    pull = {"number": 7, "url": PULL, "head_sha": SHA, "branch": f"claude/{vtid.lower()}-x"}
    await play.tell(vtid, "stage.started", stage=Stage.WORKER)
    await play.tell(vtid, "evidence.observed", source="handed_in", pull_request=pull)
    await play.tell(vtid, "stage.finished", stage=Stage.WORKER, status=StageStatus.SUCCESS)


async def test_a_change_that_holds_may_be_merged(play: Play, github: GitHub) -> None:
    vtid = await play.run()
    opens(github, vtid)
    await with_evidence(play, vtid)

    told = await explained(play, vtid)

    assert told["may_merge"], told
    assert told["says"] == f"{vtid} may be merged: every rule holds for {SHA[:12]}."
    assert set(answers(told).values()) == {"pass"}


async def test_without_a_run_the_rules_about_the_change_are_answered_all_the_same(
    play: Play, github: GitHub
) -> None:
    vtid = await play.task()
    opens(github, vtid)
    github.check_states = [CheckState.RED]

    told = await explained(play, vtid)

    assert not told["may_merge"]
    assert told["run_id"] is None
    assert told["reasons"][0] == f"No run of {vtid} is under way."
    assert any("VAL-RULE-010" in reason and "not green: ci" in reason for reason in told["reasons"])
    assert answers(told)["VAL-RULE-002"] == "pass"
    assert answers(told)["VAL-RULE-004"] == "not_asked"


async def test_a_task_without_approval_says_so(play: Play, github: GitHub) -> None:
    told = await explained(play, await play.task(approved=False))

    assert "The spec is not approved." in told["reasons"]
    assert answers(told)["VAL-RULE-002"] == "fail"


async def test_without_a_pull_request_nothing_is_said_about_one(play: Play) -> None:
    vtid = await play.task()

    told = await explained(play, vtid)

    assert f"There is no pull request of {vtid}." in told["reasons"]
    assert {rule for rule, answer in answers(told).items() if answer == "fail"} == set()


async def test_a_code_host_that_cannot_be_asked_is_neither_yes_nor_no(play: Play, github: GitHub) -> None:
    vtid = await play.task()
    github.error = Unavailable("GITHUB", "down", status=503)

    told = await explained(play, vtid)

    assert not told["may_merge"]
    assert any(reason.startswith("The code host could not be asked:") for reason in told["reasons"])
    assert answers(told)["VAL-RULE-006"] == answers(told)["VAL-RULE-010"] == "not_asked"


async def test_a_head_that_moved_since_the_evidence_is_told(play: Play, github: GitHub) -> None:
    vtid = await play.run()
    opens(github, vtid)
    await with_evidence(play, vtid)
    github.pulls[7] = replace(github.pulls[7], head_sha="c" * 40)

    told = await explained(play, vtid)

    assert answers(told)["VAL-RULE-007"] == "fail"
    assert any("the head moved since the evidence was taken" in reason for reason in told["reasons"])


async def test_the_emergency_stop_is_among_the_reasons(play: Play, github: GitHub) -> None:
    vtid = await play.run()
    opens(github, vtid)
    await with_evidence(play, vtid)
    await play.post("/system/disarm", {"reason": "a drill"})

    assert (await explained(play, vtid))["reasons"] == [
        "The emergency stop is on: nothing new is dispatched."
    ]


async def test_a_merged_change_is_not_explained_away(play: Play, github: GitHub) -> None:
    vtid = await play.task()
    opens(github, vtid, merged=True, is_open=False, merge_sha="b" * 40)

    told = await explained(play, vtid)

    assert (told["may_merge"], told["reasons"]) == (False, [])
    assert told["says"] == f"{vtid} is merged already, as {'b' * 12}."


async def test_nothing_is_explained_to_strangers_or_about_strangers(play: Play) -> None:
    assert (await play.get("/runs/VTID-99999/explain")).status_code == 404
    assert (await play.call(None, "GET", "/runs/VTID-99999/explain")).status_code == 401
