"""Traffic goes back once, only where ours alone serves, and is proven to be back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.rollbacks import Rollbacks
from tests.activities.looking import last_try, try_of
from tests.domain.examples import ENVIRONMENT, SHOP
from tests.workflows.world import LONG_AGO, MERGED, OLD, REPOSITORY, CloudRun, GitHub
from vtid.domain.commands.deployments import ReadServing, RollBack, RolledBack, ServedBefore
from vtid.domain.deployment import LiveAnswer, RevisionSeen
from vtid.domain.errors import Conflict, Unavailable

BEFORE = ServedBefore("shop", "shop-000", OLD)
NEEDY = replace(SHOP, required_env=("NEEDED",))
COMMAND = RollBack(REPOSITORY, ENVIRONMENT, NEEDY, MERGED, BEFORE)
FIT = replace(COMMAND, service=SHOP)  # nothing of it is contradicted
BETWEEN = RevisionSeen("shop-ddd", True, 0, created_at=LONG_AGO + timedelta(days=1))


def steps(cloud_run: CloudRun) -> Rollbacks:
    return Rollbacks(GitHub(), cloud_run, cloud_run)


def unfit(**changes: Any) -> CloudRun:
    """Ours serves, and lacks what the revision of before has."""
    return CloudRun(env={OLD: ("NEEDED",)}, **changes)


def rolled_back(cloud_run: CloudRun, attempt: int, command: RollBack = COMMAND) -> RolledBack:
    return try_of(attempt).run(steps(cloud_run).roll_back, command)


def test_what_serves_is_remembered_by_the_name_of_its_service() -> None:
    command = ReadServing(REPOSITORY, ENVIRONMENT, (SHOP,))

    assert try_of().run(steps(CloudRun(serves=OLD)).read_serving, command) == {"shop": BEFORE}


def test_traffic_is_shifted_once_and_then_proven() -> None:
    cloud_run = unfit()

    with pytest.raises(ApplicationError, match="on its way back to shop-000"):
        rolled_back(cloud_run, 1)
    ended = rolled_back(cloud_run, 2)

    assert cloud_run.shifts == ["shop-000"]
    assert (ended.held, ended.proven, ended.to) == ("", True, BEFORE)


def test_a_shift_whose_answer_was_lost_is_not_sent_again() -> None:
    cloud_run = unfit(shift_errors=[Unavailable("CLOUD_RUN", "lost")])
    with pytest.raises(Unavailable):
        rolled_back(cloud_run, 1)
    cloud_run.serves, cloud_run.pinned = OLD, ("shop-000",)

    assert rolled_back(cloud_run, 2).proven
    assert cloud_run.shifts == []


def test_somebody_who_was_at_it_at_the_same_moment_is_looked_at_first() -> None:
    cloud_run = unfit(shift_errors=[Conflict("CLOUD_RUN", "changed")])

    with pytest.raises(ApplicationError, match="changed meanwhile"):
        rolled_back(cloud_run, 1)
    cloud_run.pinned = ("shop-bbb",)

    assert rolled_back(cloud_run, 2).held == "traffic is pinned to shop-bbb by hand"
    assert cloud_run.shifts == []


@pytest.mark.parametrize(
    ("serves", "pinned", "why"),
    [
        (MERGED, ("shop-bbb",), "pinned to shop-bbb by hand"),
        (OLD, (), "our revision does not serve"),
        (OLD, ("shop-000",), "pinned to shop-000 by hand"),
    ],
)
def test_what_a_person_decided_and_what_is_not_ours_is_left_alone(
    serves: str, pinned: tuple[str, ...], why: str
) -> None:
    cloud_run = unfit(serves=serves, pinned=pinned)

    assert why in rolled_back(cloud_run, 1).held
    assert cloud_run.shifts == []


def test_what_is_back_and_cannot_be_proven_says_so_in_the_end() -> None:
    cloud_run = CloudRun(serves=OLD, pinned=("shop-000",))

    ended = last_try().run(steps(cloud_run).roll_back, COMMAND)

    assert (ended.held, ended.proven) == ("", False)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "proven by now"),
        (LiveAnswer("u", None, None, "no answer in time"), "nothing speaks against it"),
        (LiveAnswer("u", None, 200, "answers with HTML, not with a version"), "nothing speaks against it"),
    ],
)
def test_what_is_fit_by_now_or_could_only_not_be_asked_is_left_alone(
    answer: LiveAnswer | None, why: str
) -> None:
    cloud_run = CloudRun(answer=answer)

    assert why in rolled_back(cloud_run, 1, FIT).held
    assert cloud_run.shifts == []


def test_a_service_that_answers_only_with_errors_is_a_reason_to_go_back() -> None:
    cloud_run = CloudRun(answer=LiveAnswer("u", None, 500, "answered 500, expected 200"))

    with pytest.raises(ApplicationError, match="on its way back"):
        rolled_back(cloud_run, 1, FIT)

    assert cloud_run.shifts == ["shop-000"]


def test_nobody_elses_deployment_in_between_is_undone() -> None:
    cloud_run = unfit(between=(BETWEEN,))

    assert "shop-ddd was deployed after shop-000" in rolled_back(cloud_run, 1).held
    assert cloud_run.shifts == []


def test_a_revision_in_between_that_never_got_ready_holds_nothing_up() -> None:
    cloud_run = unfit(between=(replace(BETWEEN, ready=False),))

    with pytest.raises(ApplicationError, match="on its way back"):
        rolled_back(cloud_run, 1)


def test_what_is_too_long_ago_to_know_what_came_after_it_is_left_alone() -> None:
    long_ago = replace(COMMAND, before=ServedBefore("shop", "shop-gone", OLD))
    cloud_run = unfit()

    assert "is not known" in rolled_back(cloud_run, 1, long_ago).held
