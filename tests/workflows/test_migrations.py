"""A deployment is not proven while the migrations of its commit are not applied."""

from dataclasses import replace

import pytest

from tests.workflows.conftest import Story, shortened
from vtid.domain.limits import LIMITS
from vtid.domain.migrations import DatabaseSeen, Migrations, Tool
from vtid.domain.stages import Move
from vtid.domain.task import TaskStatus

DECLARED = Migrations(Tool.SQL, "db", "schema_migrations", "SHOP_DATABASE_URL")


@pytest.fixture
def migrating(story: Story) -> Story:
    second = LIMITS["pickup"].back_off[0] / 5
    limit = replace(LIMITS["verify_migrations"], budget=3 * second, back_off=(second,))
    story.migrations, story.limits = DECLARED, shortened(verify_migrations=limit)
    return story


def link(story: Story) -> dict[str, object]:
    links = (story.ledger.view().proof or {"links": []})["links"]
    return next((each for each in links if each["name"] == "migrations"), {})


async def test_applied_migrations_are_part_of_the_proof(migrating: Story) -> None:
    await migrating.start()
    await migrating.work_honestly()

    assert (await migrating.ends()).status is TaskStatus.COMPLETED
    assert link(migrating)["state"] == "proven"


async def test_pending_migrations_block_and_a_retry_after_they_were_applied_completes(
    migrating: Story,
) -> None:
    migrating.databases.seen = [DatabaseSeen(True)]
    await migrating.start()
    await migrating.work_honestly()
    await migrating.until_told("run.blocked")
    failure = migrating.ledger.view().failure or {}
    migrating.databases.seen = [DatabaseSeen(True, ("0001",))]
    await migrating.decide(Move.RETRY)

    assert (await migrating.ends()).status is TaskStatus.COMPLETED
    assert failure["code"] == "MIGRATIONS_PENDING"
    assert "0001" in failure["message"]
    assert migrating.github.merges == 1


async def test_where_none_are_declared_nobody_asks(story: Story) -> None:
    await story.start()
    await story.work_honestly()

    assert (await story.ends()).status is TaskStatus.COMPLETED
    assert "step.started verify_migrations" not in story.ledger.told()


async def test_a_change_of_migrations_alone_is_asked_about_without_a_service(migrating: Story) -> None:
    migrating.github.files = ("db/0001_orders.sql",)
    migrating.databases.seen = [DatabaseSeen(True)]
    await migrating.start()
    await migrating.work_honestly()
    await migrating.until_told("run.blocked")

    assert (migrating.ledger.view().failure or {})["code"] == "MIGRATIONS_PENDING"
