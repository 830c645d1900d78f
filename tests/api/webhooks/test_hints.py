"""A hint reaches exactly the runs that wait for what it is about, and never too often."""

from typing import Any

import pytest

from api.engine import EngineUnavailable
from api.webhooks.nudges import Nudges
from tests.api.stage import SHA
from tests.api.webhooks.conftest import REPOSITORY, Hook, check_run, push
from vtid.domain.hints import Hint
from vtid.domain.limits import HINTS_A_WAIT


def about(event: str, inner: dict[str, Any], action: str = "completed") -> tuple[str, dict[str, Any]]:
    payload = {"action": action, "repository": {"full_name": "Acme/Shop"}, event: inner}
    return event, payload


QUEUED = f"gh-readonly-queue/main/pr-7-{'e' * 40}"
OTHER = "f" * 40


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("check_run", check_run()),
        about("check_suite", {"head_sha": SHA, "head_branch": None}),
        about("workflow_run", {"head_sha": SHA, "head_branch": "main", "html_url": "x"}),
        about("pull_request", {"number": 7, "head": {"sha": OTHER}}, "synchronize"),
        ("push", push(SHA, branch="claude/vtid-1-x")),
        about("merge_group", {"head_sha": OTHER, "head_ref": f"refs/heads/{QUEUED}"}, "checks_requested"),
        (
            "check_run",
            check_run(OTHER) | {"check_run": {"head_sha": OTHER, "check_suite": {"head_branch": QUEUED}}},
        ),
        (
            "deployment_status",
            {"action": "created", "repository": {"full_name": REPOSITORY}, "deployment": {"sha": SHA}},
        ),
    ],
)
async def test_a_run_looks_when_something_happened_to_its_change(
    hook: Hook, event: str, payload: dict[str, Any]
) -> None:
    vtid = await hook.waiting_run()

    await hook.send(event, payload)
    await hook.settle()

    assert [type(told) for told in hook.heard(vtid)] == [Hint]
    assert (await hook.deliveries())[0]["says"].startswith(f"{vtid} looks")


@pytest.mark.parametrize(
    "payload",
    [
        check_run("f" * 40),
        about("pull_request", {"number": 8, "head": {"sha": OTHER}}, "synchronize")[1],
        about("workflow_run", {"head_sha": OTHER, "head_branch": "main", "html_url": "x"})[1],
    ],
)
async def test_a_run_hears_nothing_of_the_changes_of_others(hook: Hook, payload: dict[str, Any]) -> None:
    vtid = await hook.waiting_run()

    await hook.send(next(iter(set(payload) - {"action", "repository"})), payload)
    await hook.settle()

    assert hook.heard(vtid) == []
    assert (await hook.deliveries())[0]["says"] == "no run waits for it"


async def test_a_run_that_waits_for_nobody_is_left_alone(hook: Hook) -> None:
    vtid = await hook.waiting_run()
    await hook.waits(vtid, "gather_facts")

    await hook.send("check_run", check_run())
    await hook.settle()

    assert hook.heard(vtid) == []


async def test_the_deploy_run_that_we_started_is_known_by_its_address(hook: Hook) -> None:
    vtid = await hook.waiting_run()
    await hook.play.tell(vtid, "deploy.dispatched", url="https://github.test/run/1")
    await hook.waits(vtid, "await_deploy_run")
    run = {"head_sha": OTHER, "head_branch": "main", "html_url": "https://github.test/run/1"}

    await hook.send(*about("workflow_run", run))
    await hook.settle()

    assert len(hook.heard(vtid)) == 1


async def test_hints_that_come_together_become_two_looks(hook: Hook) -> None:
    vtid = await hook.waiting_run()
    nudges = Nudges(hook.play.ledger, hook.play.engine, pause_seconds=0.05)
    hint = Hint(REPOSITORY, "check_run", SHA)

    for _ in range(6):
        await nudges.give(hint)
    while len(hook.heard(vtid)) < 2:
        await hook.settle()
    nudges.close()

    assert hook.heard(vtid) == [hint, hint]


async def test_hints_that_come_together_do_not_use_up_a_wait(hook: Hook) -> None:
    """The checks of one push end together; each is spoken for by the look that is still to come."""
    vtid = await hook.waiting_run()
    nudges = Nudges(hook.play.ledger, hook.play.engine, pause_seconds=60)

    told = [await nudges.give(Hint(REPOSITORY, "check_run", SHA)) for _ in range(HINTS_A_WAIT + 5)]
    nudges.close()

    assert told == [[vtid]] * (HINTS_A_WAIT + 5)


async def test_one_wait_hears_a_bounded_number_of_hints(hook: Hook) -> None:
    vtid = await hook.waiting_run()
    nudges = Nudges(hook.play.ledger, hook.play.engine, pause_seconds=0)
    hint = Hint(REPOSITORY, "check_run", SHA)

    told = [await nudges.give(hint) for _ in range(HINTS_A_WAIT + 5)]
    hook.sent += 1
    await hook.waits(vtid, "await_checks")
    told_anew = await nudges.give(hint)

    assert [len(each) for each in told] == [1] * HINTS_A_WAIT + [0] * 5
    assert told_anew == [vtid]


async def test_a_hint_that_cannot_be_told_costs_time_only(hook: Hook) -> None:
    vtid = await hook.waiting_run()
    hook.play.engine.down = True

    with pytest.raises(EngineUnavailable):
        hook.play.engine._reach(vtid)
    await hook.send("check_run", check_run())
    await hook.settle()

    assert [each["state"] for each in await hook.deliveries()] == ["done"]
