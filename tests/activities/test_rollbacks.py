"""Traffic goes back once, only where ours alone serves, and is proven to be back."""

from dataclasses import replace

import pytest
from temporalio.exceptions import ApplicationError

from activities.rollbacks import Rollbacks
from tests.activities.looking import last_try, try_of
from tests.domain.examples import ENVIRONMENT, SHOP
from tests.workflows.world import MERGED, OLD, REPOSITORY, CloudRun, GitHub
from vtid.domain.commands import ReadServing, RollBack, RolledBack, ServedBefore
from vtid.domain.errors import Conflict, Unavailable

BEFORE = ServedBefore("shop", "shop-000", OLD)
COMMAND = RollBack(REPOSITORY, ENVIRONMENT, SHOP, MERGED, BEFORE)


def steps(cloud_run: CloudRun) -> Rollbacks:
    return Rollbacks(GitHub(), cloud_run, cloud_run)


def rolled_back(cloud_run: CloudRun, attempt: int) -> RolledBack:
    return try_of(attempt).run(steps(cloud_run).roll_back, COMMAND)


def test_what_serves_is_remembered_by_the_name_of_its_service() -> None:
    command = ReadServing(REPOSITORY, ENVIRONMENT, (SHOP,))

    assert try_of().run(steps(CloudRun(serves=OLD)).read_serving, command) == {"shop": BEFORE}


def test_traffic_is_shifted_once_and_then_proven() -> None:
    cloud_run = CloudRun()

    with pytest.raises(ApplicationError, match="on its way back to shop-000"):
        rolled_back(cloud_run, 1)
    ended = rolled_back(cloud_run, 2)

    assert cloud_run.shifts == ["shop-000"]
    assert (ended.held, ended.proven, ended.to) == ("", True, BEFORE)


def test_a_shift_whose_answer_was_lost_is_not_sent_again() -> None:
    cloud_run = CloudRun(shift_errors=[Unavailable("CLOUD_RUN", "lost")])
    with pytest.raises(Unavailable):
        rolled_back(cloud_run, 1)
    cloud_run.serves, cloud_run.pinned = OLD, ("shop-000",)

    assert rolled_back(cloud_run, 2).proven
    assert cloud_run.shifts == []


def test_somebody_who_was_at_it_at_the_same_moment_is_looked_at_first() -> None:
    cloud_run = CloudRun(shift_errors=[Conflict("CLOUD_RUN", "changed")])

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
    cloud_run = CloudRun(serves=serves, pinned=pinned)

    assert why in rolled_back(cloud_run, 1).held
    assert cloud_run.shifts == []


def test_what_is_back_and_cannot_be_proven_says_so_in_the_end() -> None:
    needy = replace(COMMAND, service=replace(SHOP, required_env=("NOT_THERE",)))
    cloud_run = CloudRun(serves=OLD, pinned=("shop-000",))

    ended = last_try().run(steps(cloud_run).roll_back, needy)

    assert (ended.held, ended.proven) == ("", False)
